import type { Message, Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart } from '../../model/content.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { readableText, UNREADABLE } from '../call-input.ts';
import { freeText } from '../custom-tools.ts';
import { foreignBlock } from '../foreign-block.ts';
import { addMembers, withMembers } from '../members.ts';
import { isNative, isNativeResult } from '../native-tools.ts';
import { ToolResults } from '../tool-results.ts';
import { writtenNativeResult } from './native-calls.ts';
import { callId, inputParts, outputText, type Writing } from './provider-content.ts';
import { splitName } from './tool-names.ts';
import { objectOf, ownBlock, textOf, without } from './wire.ts';

/**
 * Messages as items. The results of a turn's calls stand right behind it, in call order, wherever the request had them;
 * `from` is the place of the first item, for the ledger.
 */
export function encodeInput(messages: readonly Message[], writing: Writing, from = 0): JsonObject[] {
  const results = new ToolResults(messages);
  const known = idsOfCalls(messages);
  const items: JsonObject[] = [];
  for (const message of messages) {
    const at = `input.${from + items.length}`;
    switch (message.role) {
      case 'assistant':
        items.push(...anonymous(assistantItems(message.parts, at, writing), writing));
        items.push(...message.parts.filter(isCall).flatMap((call) => outputItems(call, results, at, writing)));
        break;
      case 'tool':
        items.push(...strayResults(message.parts, known, at, writing));
        break;
      default:
        items.push(...messageItems(message.role, message.parts, at, writing));
    }
  }
  return items;
}

/** Calls that other providers ran themselves mean nothing to this one. */
const isCall = (part: Part): part is ToolCallPart => part.type === 'tool-call' && part.owner !== 'provider';

function idsOfCalls(messages: readonly Message[]): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const { parts } of messages) for (const part of parts) if (isCall(part)) ids.add(part.id);
  return ids;
}

/** A system or user message, or the single item that stands in its place; nothing when nothing is left of it. */
function messageItems(role: 'system' | 'user', parts: readonly Part[], at: string, writing: Writing): JsonObject[] {
  const items = parts.map(itemOf).filter((item) => item !== undefined);
  if (items.length > 0) return items;
  const content = parts.filter((part) => part.type !== 'tool-result');
  const blocks = inputParts(content, `${at}.content`, writing);
  if (blocks.length > 0) return [{ type: 'message', role, ...messageFieldsOf(parts[0]), content: blocks }];
  if (content.length === parts.length) writing.ledger.dropped(at, `nothing of this ${role} message has a place here`);
  return [];
}

/** The fields beside its content that a message item came with. */
const messageFieldsOf = (part: Part | undefined): JsonObject => objectOf(ownBlock(part?.origin)?.message);

/** An opaque part that is an item by itself, and no part of a message's content. */
function itemOf(part: Part): JsonObject | undefined {
  if (part.type !== 'opaque') return undefined;
  const own = ownBlock(part.origin);
  return own && !isObject(own.message) ? own : undefined;
}

function assistantItems(parts: readonly Part[], at: string, writing: Writing): JsonObject[] {
  const items: JsonObject[] = [];
  let last: TextPart | undefined;
  for (const part of parts) {
    if (part.type === 'text') {
      if (part.text === '' && !ownBlock(part.origin)) continue;
      if (last && sameMessage(last, part)) objectsIn(items.at(-1)).push(outputText(part));
      else items.push(assistantMessage(part));
      last = part;
      continue;
    }
    const item = assistantItem(part, at, writing);
    if (!item) continue;
    items.push(item);
    last = undefined;
  }
  return items;
}

/**
 * Where the thinking of a turn is gone, what it led to goes without ids: by its id an item is known to need it ("was
 * provided without its required 'reasoning' item").
 */
function anonymous(items: JsonObject[], { target }: Writing): JsonObject[] {
  if (target.reasoning !== true || items.some(({ type }) => type === 'reasoning')) return items;
  return items.map((item) => (ANONYMOUS.has(textOf(item.type)) ? without(item, 'id') : item));
}

/** Items that the API takes without an id. */
const ANONYMOUS: ReadonlySet<string> = new Set(['function_call', 'message', 'shell_call', 'apply_patch_call']);

const objectsIn = (item: JsonObject | undefined): JsonObject['content'][] =>
  Array.isArray(item?.content) ? item.content : [];

const sameMessage = (a: TextPart, b: TextPart): boolean => messageFieldsOf(a).id === messageFieldsOf(b).id;

const assistantMessage = (part: TextPart): JsonObject => {
  const fields = messageFieldsOf(part);
  const message: JsonObject = { type: 'message', role: 'assistant' };
  // an item with an id is one that the API made, and those have a status
  if (fields.id !== undefined) message.status = 'completed';
  addMembers(message, fields);
  message.content = [outputText(part)];
  return message;
};

function assistantItem(part: Exclude<Part, TextPart>, at: string, writing: Writing): JsonObject | undefined {
  const drop = (reason: string): undefined => writing.ledger.dropped(at, reason) as undefined;
  switch (part.type) {
    case 'reasoning':
      return reasoningItem(part, at, writing);
    case 'tool-call':
      return isCall(part) ? callItem(part, at, writing) : drop('another provider ran this tool by itself');
    case 'opaque':
      return ownBlock(part.origin) ?? drop(foreignBlock(part.origin));
    case 'media':
      return ownBlock(part.origin) ?? drop('an assistant message holds text only');
    case 'tool-result':
      return part.owner === 'provider' ? drop('another provider ran this tool by itself') : undefined;
  }
}

/** Byte for byte, next to the item that it led to, or not at all. */
function reasoningItem({ origin }: ReasoningPart, at: string, { isStored, ledger }: Writing): JsonObject | undefined {
  const own = ownBlock(origin);
  if (!own) {
    ledger.dropped(at, 'thinking goes back only to the model that made it');
    return undefined;
  }
  if (!isStored && !own.encrypted_content) {
    ledger.dropped(at, 'thinking that is neither stored nor encrypted cannot be found again by the provider');
    return undefined;
  }
  return own.summary === undefined || own.summary === null ? withMembers(own, { summary: [] }) : own;
}

function callItem(call: ToolCallPart, at: string, writing: Writing): JsonObject {
  const id = callId(call.id, writing);
  if (id !== call.id)
    writing.ledger.rewritten(`${at}.call_id`, `the call id "${call.id}" is not one that the API takes`);
  const own = ownBlock(call.origin);
  if (own) return withReadable(withNames(own, id, writing), at, writing);
  const split = splitName(call.name);
  if (split.kind === 'custom') {
    return { type: 'custom_tool_call', call_id: id, name: split.name, input: freeText(call.input) };
  }
  const namespace = split.kind === 'function' ? split.namespace : undefined;
  const name = namespace === undefined ? writing.names.of(call.name) : split.name;
  if (namespace === undefined && name !== call.name)
    writing.ledger.rewritten(`${at}.name`, 'the API takes no such name');
  const written: JsonObject = { type: 'function_call', call_id: id, name };
  if (namespace !== undefined) written.namespace = namespace;
  written.arguments = call.input;
  return withReadable(written, at, writing);
}

/** A call that was cut at the limit of output ends within its arguments. */
function withReadable(item: JsonObject, at: string, { ledger }: Writing): JsonObject {
  if (item.type !== 'function_call') return item;
  const given = textOf(item.arguments);
  const text = readableText(given);
  if (text === given) return item;
  if (given.trim() !== '') ledger.rewritten(`${at}.arguments`, UNREADABLE);
  return { ...item, arguments: text };
}

/** A call as its client wrote it, by the id and the name that the API takes. */
function withNames(own: JsonObject, id: string, { names }: Writing): JsonObject {
  const isPlain = own.type === 'function_call' && textOf(own.namespace) === '';
  const name = isPlain ? names.of(textOf(own.name)) : own.name;
  return own.call_id === id && own.name === name ? own : { ...own, call_id: id, ...(isPlain && { name }) };
}

function outputItems(call: ToolCallPart, results: ToolResults, at: string, writing: Writing): JsonObject[] {
  const native = isNative(call.origin) ? ownBlock(call.origin) : undefined;
  if (!native) return [outputItem(call, results, at, writing)];
  return nativeOutput({ ...native, call_id: callId(call.id, writing) }, results.take(call.id), at, writing);
}

function outputItem(call: ToolCallPart, results: ToolResults, at: string, writing: Writing): JsonObject {
  const id = callId(call.id, writing);
  const type = splitName(call.name).kind === 'custom' ? 'custom_tool_call_output' : 'function_call_output';
  const result = results.take(call.id);
  if (result) return withMembers(writtenResult(result, at, writing), { type, call_id: id });
  // the API refuses a conversation with an unanswered call
  writing.ledger.invented(at, `the call "${call.id}" of ${call.name} has no result`);
  return { type, call_id: id, output: INTERRUPTED };
}

const INTERRUPTED = 'Error: the call was interrupted, there is no result.';

/** The output of a tool that OpenAI's models know by heart, as the client wrote it, or in such an item's own form. */
function nativeOutput(
  call: JsonObject,
  result: ToolResultPart | undefined,
  at: string,
  writing: Writing,
): JsonObject[] {
  const own = ownBlock(result?.origin);
  if (own && isNativeResult(own)) return [own.call_id === undefined ? own : { ...own, call_id: call.call_id }];
  if (!result) writing.ledger.invented(at, `the call "${textOf(call.call_id)}" has no result`);
  const text = result ? textOf(writtenResult(result, at, writing).output) : INTERRUPTED;
  const written = writtenNativeResult(call, text, result?.isError ?? true);
  return written ? [written] : [];
}

/** Results whose calls stand elsewhere: with the provider, or nowhere. */
function strayResults(parts: readonly Part[], known: ReadonlySet<string>, at: string, writing: Writing): JsonObject[] {
  return parts.flatMap((part) => {
    if (part.type !== 'tool-result' || part.owner === 'provider' || known.has(part.callId)) return [];
    const own = ownBlock(part.origin);
    if (writing.continues && own && isNativeResult(own)) return [own];
    if (writing.continues) {
      const type = own?.type ?? 'function_call_output';
      return [{ ...writtenResult(part, at, writing), type, call_id: callId(part.callId, writing) }];
    }
    writing.ledger.dropped('input', `a tool result answers the call "${part.callId}", which no item holds`);
    return [];
  });
}

function writtenResult(result: ToolResultPart, at: string, writing: Writing): JsonObject {
  const own = ownBlock(result.origin);
  if (own && !isNativeResult(own)) return own;
  if (result.isError) writing.ledger.rewritten(`${at}.is_error`, 'an output has no mark for errors; the text tells');
  const blocks = inputParts(result.content, `${at}.output`, writing);
  // a text as it is, where there is nothing else: not every server takes lists here
  if (blocks.every(({ type }) => type === 'input_text')) {
    const text = blocks.map((block) => textOf(block.text)).join('\n');
    return { output: result.isError && text === '' ? 'Error' : text };
  }
  return { output: blocks };
}
