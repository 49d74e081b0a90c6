import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import type { Glance } from '../codec.ts';
import { streamError } from '../openai-errors.ts';
import { reasonOf } from './finish.ts';
import { usageOf } from './usage.ts';

/** Usage, finish and `[DONE]` nearly always stand within the last few chunks, and at the end of a whole body. */
const TAIL_BYTES = 8_192;
const USAGE_KEY = Buffer.from('"usage"');
const FINISH_KEY = Buffer.from('"finish_reason"');

export function glance(bytes: Uint8Array, shape: 'json' | 'sse'): Glance {
  const answer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (shape === 'json') return glanceAtBody(answer);
  const atTail = glanceAtEvents(answer.subarray(-TAIL_BYTES).toString('utf8'));
  const isAll = answer.length <= TAIL_BYTES || atTail.error || (atTail.usage && atTail.reason);
  // searches make chunks long (Perplexity)
  return isAll ? atTail : glanceAtEvents(answer.toString('utf8'));
}

interface Seen {
  usage?: NonNullable<Glance['usage']>;
  word?: string;
  error?: GatewayError;
  done: boolean;
}

function glanceAtEvents(tail: string): Glance {
  const seen: Seen = { done: false };
  const lines = tail.split('\n');
  for (let at = lines.length - 1; at >= 0 && !(seen.usage && seen.word !== undefined); at -= 1) {
    const line = lines[at] ?? '';
    if (!line.startsWith('data:')) continue;
    const data = line.slice(5).trim();
    if (data === '[DONE]') seen.done = true;
    else if (/"usage":\s*\{|"finish_reason":\s*"|"error":\s*[{"]/.test(data)) look(data, seen);
  }
  return outcome(seen, seen.done || seen.word !== undefined);
}

function look(data: string, seen: Seen): void {
  let chunk: unknown;
  try {
    chunk = JSON.parse(data);
  } catch {
    return;
  }
  if (!isObject(chunk)) return;
  if (chunk.error) seen.error ??= streamError(chunk.error);
  const xGroq = isObject(chunk.x_groq) ? chunk.x_groq.usage : undefined;
  const usage = usageOf(chunk.usage) ?? usageOf(xGroq);
  if (usage) seen.usage ??= usage;
  const word = Array.isArray(chunk.choices) ? chunk.choices.find(isFirst)?.finish_reason : undefined;
  if (typeof word === 'string' && word !== '') seen.word ??= word;
}

const isFirst = (choice: unknown): choice is JsonObject => isObject(choice) && (choice.index ?? 0) === 0;

/** Without a parse: the usage object and the finish word are cut out of the bytes. */
function glanceAtBody(answer: Buffer): Glance {
  const seen: Seen = { done: false };
  const usage = usageOf(lastValue(answer, USAGE_KEY));
  const word = lastValue(answer, FINISH_KEY);
  if (usage) seen.usage = usage;
  if (typeof word === 'string' && word !== '') seen.word = word;
  if (!usage) look(answer.toString('utf8'), seen);
  return outcome(seen, answer.subarray(-64).toString('latin1').trimEnd().endsWith('}'));
}

/**
 * The flat object or the string behind the last occurrence of a key. A quote inside a JSON string is escaped, so text
 * cannot match; keys and values of usage objects hold no braces.
 */
function lastValue(answer: Buffer, key: Buffer): unknown {
  const found = answer.lastIndexOf(key);
  if (found < 0) return undefined;
  const colon = answer.indexOf(0x3a, found + key.length);
  const start = colon < 0 ? -1 : firstOf(answer, colon + 1);
  const end = answer[start] === 0x7b ? endOfObject(answer, start) : answer.indexOf(0x22, start + 1) + 1;
  if (start < 0 || end <= start || (answer[start] !== 0x7b && answer[start] !== 0x22)) return undefined;
  return JSON.parse(answer.toString('latin1', start, end));
}

function firstOf(answer: Buffer, from: number): number {
  let at = from;
  while (at < answer.length && (answer[at] ?? 0) <= 0x20) at += 1;
  return at;
}

function endOfObject(answer: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < answer.length; at += 1) {
    const byte = answer[at];
    if (byte === 0x7b) depth += 1;
    else if (byte === 0x7d) depth -= 1;
    if (depth === 0) return at + 1;
  }
  return -1;
}

function outcome({ usage, word, error }: Seen, isComplete: boolean): Glance {
  const glance: Writable<Glance> = { complete: isComplete && !error };
  if (usage) glance.usage = usage;
  if (error) glance.error = error;
  if (error || word === undefined) return glance;
  try {
    // whether there are calls cannot be seen from here, so the word is taken at its word
    glance.reason = reasonOf(word, { calls: word === 'tool_calls', refusal: false });
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    glance.complete = false;
    glance.error = thrown;
  }
  return glance;
}

type Writable<Type> = { -readonly [Key in keyof Type]: Type[Key] };
