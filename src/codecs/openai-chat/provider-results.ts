import type { ToolCallPart, ToolResultPart } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';
import type { ToolResults } from '../tool-results.ts';
import { callId, textBlock, type Writing } from './provider-content.ts';
import { takenMedia } from './taken-media.ts';
import { ownBlock, textOf } from './wire.ts';

interface WrittenResult {
  readonly message: JsonObject;
  /** Images and documents, which a tool message cannot hold, introduced by a line that says whose they are. */
  readonly attachments: readonly JsonObject[];
}

/**
 * A `tool` message for each call, then one user message with what tool messages cannot hold. A call without a result
 * gets one that says so: the API refuses a conversation with an unanswered call.
 */
export function writtenResults(
  calls: readonly ToolCallPart[],
  results: ToolResults,
  at: string,
  writing: Writing,
): JsonObject[] {
  const written = calls.map((call) => {
    const result = results.take(call.id);
    return result ? writtenResult(call, result, at, writing) : missingResult(call, at, writing);
  });
  const attachments = written.flatMap((result) => result.attachments);
  const messages = written.map((result) => result.message);
  return attachments.length === 0 ? messages : [...messages, { role: 'user', content: [...attachments] }];
}

function missingResult(call: ToolCallPart, at: string, writing: Writing): WrittenResult {
  writing.ledger.invented(at, `the call "${call.id}" of ${call.name} has no result`);
  const content = 'Error: the call was interrupted, there is no result.';
  return { message: { role: 'tool', tool_call_id: callId(call.id, writing), content }, attachments: [] };
}

function writtenResult(call: ToolCallPart, result: ToolResultPart, at: string, writing: Writing): WrittenResult {
  const given = ownBlock(result.origin);
  const isOlder = given?.role === 'function';
  if (isOlder && !writing.target.functionsOnly) return { message: given, attachments: [] };
  if (isOlder) writing.ledger.rewritten(`${at}.role`, 'a result of the older form is told by the id of its call');
  const own = isOlder ? undefined : given;
  if (result.isError) {
    writing.ledger.rewritten(`${at}.is_error`, 'a tool message has no mark for errors; the text tells');
  }
  const id = callId(call.id, writing);
  const { texts, attachments } = splitContent(result, at, writing);
  if (attachments.length > 0) {
    writing.ledger.rewritten(`${at}.content`, 'tool messages hold text only; images and documents follow as the user');
    writing.ledger.invented(at, 'a line says whose attachments follow');
    texts.push(`[${attachments.length} attachment(s) of this result follow in the next user message]`);
  }
  const text = texts.join('\n');
  const content = result.isError && text === '' ? 'Error' : text;
  const message = { ...own, role: 'tool', tool_call_id: id, content: own ? ownContent(own, result, text) : content };
  if (attachments.length === 0) return { message, attachments };
  const introduction = { type: 'text', text: `Attachment(s) of the result of ${writing.names.of(call.name)} (${id}):` };
  return { message, attachments: [introduction, ...attachments] };
}

/** Content that came as a list in this format stays one. */
function ownContent(own: JsonObject, result: ToolResultPart, text: string): JsonObject['content'] {
  const asItCame = Array.isArray(own.content) && result.content.every((part) => ownBlock(part.origin));
  return asItCame ? own.content : text;
}

function splitContent(
  { content, origin }: ToolResultPart,
  at: string,
  writing: Writing,
): { texts: string[]; attachments: JsonObject[] } {
  const texts: string[] = [];
  const attachments: JsonObject[] = [];
  if (Array.isArray(ownBlock(origin)?.content)) return { texts, attachments };
  content.forEach((part, index) => {
    const place = `${at}.content.${index}`;
    if (part.type === 'text') {
      const block = part.text === '' ? undefined : textBlock(part, place, writing);
      if (block) texts.push(textOf(block.text));
      return;
    }
    if (part.type !== 'media') {
      writing.ledger.dropped(place, `a tool result cannot hold a part of kind ${part.type}`);
      return;
    }
    const block = takenMedia(part, place, writing.target, writing.ledger);
    if (block?.type === 'text') texts.push(textOf(block.text));
    else if (block) attachments.push(block);
  });
  return { texts, attachments };
}
