import type { MediaPart, Message, Part, TextPart, ToolCallPart } from '../../model/content.ts';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { customName } from '../custom-tools.ts';
import { membersBeside } from '../members.ts';
import { shortHash } from '../short-hash.ts';
import { thinkingText } from './content-parts.ts';
import { audioOf, fileOf, imageOf } from './media.ts';
import { REASONING_FIELDS, reasoningParts } from './reasoning.ts';
import { objectOf, objectsOf, originOf, textOf } from './wire.ts';

/** A client's messages. `function_call` and role `function`, older than ids, get an id that ties them together. */
export function decodeMessages(messages: JsonValue | undefined): Message[] {
  const legacy = new LegacyIds();
  return objectsOf(messages).map((message, index) => decodeMessage(message, index, legacy));
}

function decodeMessage(message: JsonObject, index: number, legacy: LegacyIds): Message {
  switch (message.role) {
    case 'assistant':
      return { role: 'assistant', parts: assistantParts(message, index, legacy) };
    case 'tool':
      return { role: 'tool', parts: [toolResult(message, textOf(message.tool_call_id))] };
    case 'function':
      return { role: 'tool', parts: [toolResult(message, legacy.answered(textOf(message.name)))] };
    case 'user':
      return { role: 'user', parts: contentParts(message) };
    default:
      return { role: 'system', parts: contentParts(message) };
  }
}

class LegacyIds {
  readonly #open = new Map<string, string>();

  called(name: string, index: number): string {
    const id = `call_${shortHash(`${name}:${index}`, 24)}`;
    this.#open.set(name, id);
    return id;
  }

  answered(name: string): string {
    return this.#open.get(name) ?? '';
  }
}

const toolResult = (message: JsonObject, callId: string): Part => ({
  type: 'tool-result',
  callId,
  content: partsOf(message.content),
  isError: false,
  origin: originOf(message),
});

function assistantParts(message: JsonObject, index: number, legacy: LegacyIds): Part[] {
  const pictures = picturesOf(message);
  const spoken = spokenPart(message);
  const bare = without(message, [...(pictures.length > 0 ? ['images'] : []), ...(spoken ? ['audio'] : [])]);
  const parts: Part[] = [...reasoningParts(message), ...contentParts(bare), ...(spoken ? [spoken] : []), ...pictures];
  if (typeof message.refusal === 'string' && message.refusal !== '') {
    const origin = originOf({ type: 'refusal' });
    parts.push({ type: 'text', text: message.refusal, origin });
  }
  parts.push(...objectsOf(message.tool_calls).map(toolCall));
  if (isObject(message.function_call)) {
    const { name, arguments: input } = message.function_call;
    const id = legacy.called(textOf(name), index);
    const origin = originOf({ function_call: message.function_call });
    parts.push({ type: 'tool-call', id, name: textOf(name), input: textOf(input), origin });
  }
  return parts;
}

const without = (message: JsonObject, fields: readonly string[]): JsonObject =>
  fields.length === 0
    ? message
    : Object.fromEntries(Object.entries(message).filter(([field]) => !fields.includes(field)));

/** What a model said aloud instead of writing it, where the client kept its words. */
function spokenPart({ content, audio }: JsonObject): TextPart | undefined {
  const text = textOf(objectOf(audio).transcript);
  const isWritten = typeof content === 'string' ? content !== '' : Array.isArray(content) && content.length > 0;
  if (text === '' || isWritten) return undefined;
  return { type: 'text', text, origin: originOf({ audio: objectOf(audio) }) };
}

/** What a model drew, in the field that OpenRouter's clients know; none where one of them cannot be read. */
function picturesOf({ images }: JsonObject): MediaPart[] {
  const read = objectsOf(images).map((image) => imageOf(image.image_url, originOf({ images: [image] })));
  const pictures = read.filter((picture) => picture !== undefined);
  return Array.isArray(images) && pictures.length === images.length ? pictures : [];
}

function toolCall(call: JsonObject): ToolCallPart {
  const origin = originOf(call);
  const id = textOf(call.id);
  if (isObject(call.custom)) {
    const { name, input } = call.custom;
    return { type: 'tool-call', id, name: customName(textOf(name)), input: JSON.stringify({ input }), origin };
  }
  const { name, arguments: input } = objectOf(call.function);
  const text = isObject(input) ? JSON.stringify(input) : textOf(input);
  return { type: 'tool-call', id, name: textOf(name), input: text, origin };
}

/** Message fields that parts hold; whatever else a message says is kept for this format. */
const HELD_BY_PARTS: ReadonlySet<string> = new Set([
  ...REASONING_FIELDS,
  'content',
  'refusal',
  'tool_calls',
  'function_call',
]);

/** Content as a text carries the message's other fields in its origin; beside a list they are an opaque part. */
function contentParts(message: JsonObject): Part[] {
  const fields = membersBeside(HELD_BY_PARTS, message);
  const { content } = message;
  if (typeof content === 'string') {
    fields.content = content;
    return [{ type: 'text', text: content, origin: originOf(fields) }];
  }
  const rest = Object.entries(fields).filter(([key, value]) => tells(key, value));
  const parts = partsOf(content);
  if (rest.length === 0) return parts;
  return [...parts, { type: 'opaque', origin: originOf({ type: 'message', message: Object.fromEntries(rest) }) }];
}

function tells(key: string, value: JsonValue | undefined): boolean {
  if (key === 'role') return value === 'developer';
  return value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0);
}

function partsOf(content: JsonValue | undefined): Part[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return objectsOf(content).map(partOf);
}

function partOf(block: JsonObject): Part {
  const origin = originOf(block);
  const opaque: Part = { type: 'opaque', origin };
  switch (block.type) {
    case 'text':
      return { type: 'text', text: textOf(block.text), origin } satisfies TextPart;
    case 'refusal':
      return { type: 'text', text: textOf(block.refusal), origin };
    case 'thinking':
      return { type: 'reasoning', text: thinkingText(block.thinking), origin };
    case 'image_url':
      return imageOf(block.image_url, origin) ?? opaque;
    case 'input_audio': {
      const { data, format } = objectOf(block.input_audio);
      return audioOf({ data: textOf(data), format: textOf(format) }, origin);
    }
    case 'file':
      return fileOf(objectOf(block.file), origin) ?? opaque;
    default:
      return opaque;
  }
}
