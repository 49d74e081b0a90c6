import { createHash } from 'node:crypto';
import type { CodecId, Origin, Part } from '../model/content.ts';
import { isObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { lookFor } from '../model/marks.ts';

/** Fields of wire blocks that only the model which wrote them can read, or wants to see again. */
const STATE_FIELDS: Readonly<Record<CodecId, readonly string[]>> = {
  'anthropic-messages': ['signature', 'data'],
  'bedrock-converse': ['reasoningContent'],
  gemini: ['thoughtSignature'],
  'openai-chat': ['reasoning_content', 'reasoning', 'reasoning_details', 'thinking', 'extra_content'],
  'openai-responses': ['encrypted_content', 'id'],
};

/** What the bytes of an answer hold when a part of it carries state. */
const STATE_MARKS: Readonly<Record<CodecId, (answer: Buffer) => boolean>> = {
  'anthropic-messages': lookFor('"signature', '"redacted_thinking"'),
  'bedrock-converse': lookFor('"reasoningContent"'),
  gemini: lookFor('"thoughtSignature"', '"thought_signature"'),
  'openai-chat': lookFor('"reasoning', '"extra_content"', '"thinking"'),
  'openai-responses': lookFor('"encrypted_content"'),
};

/** Whether an answer that travelled as bytes may carry state. Searches, never parses. */
export function mayHoldState(codec: CodecId, answer: Buffer): boolean {
  return STATE_MARKS[codec](answer);
}

/** The state in a block, as a text to compare by; empty when it carries none. */
export function stateOf(part: Part): string {
  if (!part.origin || !mayCarry(part)) return '';
  const { codec, block } = part.origin;
  const state = STATE_FIELDS[codec].flatMap((field) => (isSaid(block[field]) ? [block[field]] : []));
  return state.length === 0 ? '' : JSON.stringify(state);
}

const isSaid = (value: JsonValue | undefined): boolean => value !== undefined && value !== null && value !== '';

/** Anthropic's `data` and Responses' `id` mean state in a reasoning block only. */
function mayCarry({ type, origin }: Part): boolean {
  if (type === 'reasoning') return true;
  if (type === 'tool-result' || type === 'media') return false;
  if (type === 'opaque') return origin.codec === 'gemini';
  return origin?.codec === 'gemini' || (type === 'tool-call' && origin?.codec === 'openai-chat');
}

/** A part that is nothing but state: without it, nothing of the answer is missing to whoever reads it. */
export const isOnlyState = (part: Part): boolean =>
  part.type === 'reasoning' || (part.type === 'opaque' && stateOf(part) !== '');

/** The part as another family may see it; undefined when nothing is left of it. Thinking stays as plain text. */
export function withoutState(part: Part): Part | undefined {
  if (part.type === 'reasoning') return part.text === '' ? undefined : { type: 'reasoning', text: part.text };
  if (stateOf(part) === '') return part;
  if (part.type === 'opaque') return undefined;
  const { origin, ...bare } = part;
  return origin ? { ...bare, origin: withoutFields(origin) } : part;
}

function withoutFields({ codec, block }: Origin): Origin {
  const fields = STATE_FIELDS[codec];
  const rest: JsonObject = Object.fromEntries(Object.entries(block).filter(([field]) => !fields.includes(field)));
  return { codec, block: rest };
}

/** What a turn says, however it travelled and in however many pieces: its texts and its calls, as one short text. */
export function contentDigest(parts: readonly Part[]): string {
  const hash = createHash('sha256');
  let text = '';
  for (const part of parts) {
    if (part.type === 'text') text += part.text;
    if (part.type !== 'tool-call') continue;
    hash.update(`${text.trim()}\n${part.name}(${inputDigest(part.input)})`);
    text = '';
  }
  return hash.update(text.trim()).digest('base64');
}

/** Arguments by what they say: clients parse them and write them anew. */
export function inputDigest(input: string): string {
  const text = input.trim() === '' ? '{}' : input;
  try {
    return shortDigest(JSON.stringify(sorted(JSON.parse(text))));
  } catch {
    return shortDigest(text);
  }
}

const shortDigest = (text: string): string => createHash('sha256').update(text).digest('base64');

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}
