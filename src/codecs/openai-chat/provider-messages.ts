import type { Message, Part, ReasoningPart, ToolCallPart } from '../../model/content.ts';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { readableText, UNREADABLE } from '../call-input.ts';
import { addMembers } from '../members.ts';
import { ToolResults } from '../tool-results.ts';
import { callId, contentBlocks, type Writing } from './provider-content.ts';
import { writtenResults } from './provider-results.ts';
import { isLegacy, isRefusal } from './response.ts';
import { objectsOf, ownBlock, textOf } from './wire.ts';

/**
 * Messages for a provider. The results of a turn's calls stand right behind it, one message each, in call order,
 * wherever the request had them; `from` is the place of the first message, for the ledger.
 */
export function encodeMessages(messages: readonly Message[], writing: Writing, from = 0): JsonObject[] {
  const results = new ToolResults(messages);
  const written: JsonObject[] = [];
  for (const message of messages) {
    const at = `messages.${from + written.length}`;
    if (message.role === 'assistant') {
      const wire = assistantMessage(message.parts, at, writing);
      if (!wire) continue;
      written.push(wire);
      const calls = message.parts.filter(isCall);
      written.push(...writtenResults(calls, results, `messages.${from + written.length}`, writing));
    } else if (message.role !== 'tool') {
      const wire = contentMessage(message, at, writing);
      if (wire) written.push(wire);
    }
  }
  for (const { callId: id } of results.left()) {
    writing.ledger.dropped('messages', `a tool result answers the call "${id}", which no assistant message holds`);
  }
  return written;
}

/** Calls that other providers ran themselves mean nothing to this one. */
const isCall = (part: Part): part is ToolCallPart => part.type === 'tool-call' && part.owner !== 'provider';

/** A system or user message; undefined when nothing is left of it. */
function contentMessage({ role, parts }: Message, at: string, writing: Writing): JsonObject | undefined {
  const content = parts.filter((part) => part.type !== 'tool-result');
  const blocks = contentBlocks(content, at, writing);
  if (blocks.length === 0 && !hasTextContent(content)) {
    const onlyContent = content.length === parts.length;
    if (onlyContent) writing.ledger.dropped(at, `nothing of this ${role} message has a place in Chat Completions`);
    return undefined;
  }
  const wire: JsonObject = { role, ...messageFields(parts) };
  wire.content = wireContent(role, content, blocks);
  return wire;
}

function wireContent(role: Message['role'], content: readonly Part[], blocks: JsonObject[]): JsonValue {
  const [only] = blocks;
  if (hasTextContent(content)) return textOf(only?.text);
  if (content.some((part) => ownBlock(part.origin))) return blocks;
  if (blocks.length === 1 && only?.type === 'text') return textOf(only.text);
  // strict servers take a system prompt as one text only
  return role === 'system' ? blocks.map((block) => textOf(block.text)).join('\n\n') : blocks;
}

/** Whether the message came with a text as its content instead of a list. */
const hasTextContent = (parts: readonly Part[]): boolean => {
  const [only] = parts;
  return parts.length === 1 && only?.type === 'text' && ownBlock(only.origin)?.content !== undefined;
};

/** Fields beside the content that the message came with (`name`, role `developer`). */
function messageFields(parts: readonly Part[]): JsonObject {
  for (const part of parts) {
    const own = ownBlock(part.origin);
    if (part.type === 'text' && own?.content !== undefined) return { ...own, content: undefined };
    if (isObject(own?.message)) return own.message;
  }
  return {};
}

function assistantMessage(parts: readonly Part[], at: string, writing: Writing): JsonObject | undefined {
  const texts = inWhole(parts.filter((part) => isSpoken(part) && !isRefusal(part)));
  const blocks = contentBlocks(texts, at, writing);
  const calls = parts.filter(isCall);
  const refusal = refusalIn(parts);
  const speech = speechOf(parts);
  const images = imagesIn(parts);
  dropUnspeakable(parts, at, writing);
  const content = assistantContent(texts, blocks);
  if (content === null && calls.length === 0 && refusal === '' && images.length === 0 && !speech) {
    writing.ledger.dropped(at, 'nothing of this assistant message has a place in Chat Completions');
    return undefined;
  }
  const legacy = writing.target.functionsOnly ? undefined : calls.find((call) => isLegacy(call));
  const wire: JsonObject = { role: 'assistant', ...messageFields(parts), content };
  if (refusal !== '') wire.refusal = refusal;
  if (images.length > 0) wire.images = images;
  // a model's own speech is referred to by its id
  if (speech) wire.audio = { id: speech.id };
  addMembers(wire, reasoningFields(parts, at, writing));
  if (legacy) wire.function_call = { name: legacy.name, arguments: argumentsOf(legacy, at, writing) };
  else if (calls.length > 0) wire.tool_calls = calls.map((call) => wireCall(call, at, writing));
  return wire;
}

function speechOf(parts: readonly Part[]): JsonObject | undefined {
  for (const part of parts) {
    const speech = speechIn(part);
    if (isObject(speech)) return speech;
  }
  return undefined;
}

function refusalIn(parts: readonly Part[]): string {
  let refusal = '';
  for (const part of parts) if (part.type === 'text' && isRefusal(part)) refusal += part.text;
  return refusal;
}

function imagesIn(parts: readonly Part[]): JsonObject[] {
  const images: JsonObject[] = [];
  for (const { origin } of parts) {
    const own = ownBlock(origin);
    if (own?.images !== undefined) images.push(...objectsOf(own.images));
  }
  return images;
}

/** What a model said aloud, in an answer's part or beside a message without content. */
function speechIn({ origin }: Part): JsonValue | undefined {
  const own = ownBlock(origin);
  return own?.audio ?? (isObject(own?.message) ? own.message.audio : undefined);
}

/** What other formats tell in several texts (citations, pieces of a stream) is one text here. */
function inWhole(parts: readonly Part[]): Part[] {
  const whole: Part[] = [];
  for (const part of parts) {
    const last = whole.at(-1);
    const continues = part.type === 'text' && last?.type === 'text' && !ownBlock(part.origin) && !ownBlock(last.origin);
    if (continues) whole[whole.length - 1] = { type: 'text', text: last.text + part.text };
    else whole.push(part);
  }
  return whole;
}

function assistantContent(texts: readonly Part[], blocks: JsonObject[]): JsonObject[] | string | null {
  const cameAsText = texts.some((part) => part.type === 'text' && ownBlock(part.origin)?.content !== undefined);
  if (blocks.length === 0) return cameAsText ? '' : null;
  const [only] = blocks;
  const cameAsList = texts.some((part) => ownBlock(part.origin)?.type === 'text');
  return blocks.length === 1 && only?.type === 'text' && !cameAsList ? textOf(only.text) : blocks;
}

/** Parts that become content; media only if the client wrote it so, since models take none from the assistant. */
function isSpoken({ type, origin }: Part): boolean {
  if (type === 'media') return ownBlock(origin) !== undefined && ownBlock(origin)?.images === undefined;
  return type !== 'tool-call' && type !== 'tool-result' && !isObject(ownBlock(origin)?.audio);
}

function dropUnspeakable(parts: readonly Part[], at: string, { ledger }: Writing): void {
  for (const part of parts) {
    const ran = (part.type === 'tool-call' || part.type === 'tool-result') && part.owner === 'provider';
    if (ran)
      ledger.dropped(at, 'another provider ran this tool by itself; its call and result mean nothing to this one');
    if (part.type === 'media' && !ownBlock(part.origin)) ledger.dropped(at, 'an assistant message holds text only');
  }
}

function wireCall(call: ToolCallPart, at: string, writing: Writing): JsonObject {
  const own = ownBlock(call.origin);
  const id = callId(call.id, writing);
  if (id !== call.id) writing.ledger.rewritten(`${at}.tool_calls.id`, `"${call.id}" is no id that the API takes`);
  const { functionsOnly } = writing.target;
  if (own?.type === 'custom' && !functionsOnly) return { ...own, id };
  const isOther = own?.type === 'custom' || isObject(own?.function_call);
  if (isOther) writing.ledger.rewritten(`${at}.tool_calls`, 'calls of another form are told as those of functions');
  const name = writing.names.of(call.name);
  if (name !== call.name) writing.ledger.rewritten(`${at}.tool_calls.name`, 'the API takes no such name');
  return {
    ...(!isOther && own),
    id,
    type: 'function',
    function: { name, arguments: argumentsOf(call, at, writing) },
  };
}

/** A call that was cut at the limit of output ends within its arguments. */
function argumentsOf({ input }: ToolCallPart, at: string, { ledger }: Writing): string {
  const text = readableText(input);
  if (text !== input && input.trim() !== '') ledger.rewritten(`${at}.tool_calls.arguments`, UNREADABLE);
  return text;
}

/** Thinking goes back in its own fields, or in the one that the deployment wants; signed by others it is of no use. */
function reasoningFields(parts: readonly Part[], at: string, { target, ledger }: Writing): JsonObject {
  const reasoning = parts.filter((part): part is ReasoningPart => part.type === 'reasoning');
  if (reasoning.length === 0 && !target.reasoningField) return {};
  const own = reasoning.map((part) => ownBlock(part.origin)).filter((block) => block !== undefined);
  const foreign = reasoning.filter((part) => !ownBlock(part.origin));
  const fields = Object.assign({}, ...own.filter((block) => block.type !== 'thinking')) as JsonObject;
  const { reasoningField: wanted } = target;
  const text = foreign.map((part) => part.text).join('');
  if (wanted && text !== '') return { ...fields, [wanted]: text };
  if (wanted && fields[wanted] === undefined && parts.some(isCall)) {
    ledger.invented(`${at}.${wanted}`, 'this provider wants to see the thinking before a call, and it is not known');
    return { ...fields, [wanted]: '' };
  }
  if (foreign.length === 0) return fields;
  for (const _ of foreign) ledger.dropped(`${at}.reasoning`, 'thinking goes back only to the model that made it');
  return fields;
}
