import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject, parsedJson } from '../../model/json.ts';
import type { Writable } from '../../model/writable.ts';
import type { Glance } from '../codec.ts';
import { errorInPlace } from '../openai-errors.ts';
import { withLineFeeds } from '../sse.ts';
import { reasonOf } from './finish.ts';
import { usageOf } from './usage.ts';

/** Usage, finish and `[DONE]` nearly always stand within the last few chunks, and at the end of a whole body. */
const TAIL_BYTES = 8_192;
/** Where logprobs stand behind them, the whole body is read. */
const BODY_TAIL_BYTES = 4_096;

export function glance(bytes: Uint8Array, shape: 'json' | 'sse'): Glance {
  const given = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (shape === 'json') return glanceAtBody(given);
  const answer = withLineFeeds(given);
  const atTail = glanceAtEvents(answer.subarray(-TAIL_BYTES).toString('utf8'));
  const isAll = answer.length <= TAIL_BYTES || atTail.error || (atTail.usage && atTail.reason);
  // searches make chunks long (Perplexity)
  return isAll ? atTail : glanceAtEvents(answer.toString('utf8'));
}

interface Seen {
  usage?: NonNullable<Glance['usage']>;
  word?: string;
  error?: GatewayError | undefined;
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
    else if (/"usage":\s*\{|"finish_reason":\s*"|"error":\s*[[{"]|"object":\s*"error"/.test(data)) look(data, seen);
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
  seen.error ??= errorInPlace(chunk);
  const xGroq = isObject(chunk.x_groq) ? chunk.x_groq.usage : undefined;
  const usage = usageOf(chunk.usage) ?? usageOf(xGroq);
  if (usage) seen.usage ??= usage;
  const word = Array.isArray(chunk.choices) ? chunk.choices.find(isFirst)?.finish_reason : undefined;
  if (typeof word === 'string' && word !== '') seen.word ??= word;
}

const isFirst = (choice: unknown): choice is JsonObject => isObject(choice) && (choice.index ?? 0) === 0;

/** Without a parse of the whole: the usage object and the finish word are cut out of the end, where they nearly always stand. */
function glanceAtBody(answer: Buffer): Glance {
  const seen: Seen = { done: false };
  const tail = answer.toString('latin1', Math.max(0, answer.length - BODY_TAIL_BYTES));
  const usage = usageOf(lastValue(tail, '"usage"'));
  const word = lastValue(tail, '"finish_reason"');
  if (usage) seen.usage = usage;
  if (typeof word === 'string' && word !== '') seen.word = word;
  if (!usage || seen.word === undefined) look(answer.toString('utf8'), seen);
  return outcome(seen, tail.trimEnd().endsWith('}'));
}

/**
 * The flat object or the string behind the last occurrence of a key. A quote inside a JSON string is escaped, so text
 * cannot match; keys and values of usage objects hold no braces.
 */
function lastValue(tail: string, key: string): unknown {
  const found = tail.lastIndexOf(key);
  if (found < 0) return undefined;
  const colon = tail.indexOf(':', found + key.length);
  const start = colon < 0 ? -1 : firstOf(tail, colon + 1);
  const opening = tail.charCodeAt(start);
  if (start < 0 || (opening !== 0x7b && opening !== 0x22)) return undefined;
  const end = opening === 0x7b ? endOfObject(tail, start) : tail.indexOf('"', start + 1) + 1;
  return end <= start ? undefined : parsedJson(tail.slice(start, end));
}

function firstOf(tail: string, from: number): number {
  let at = from;
  while (at < tail.length && tail.charCodeAt(at) <= 0x20) at += 1;
  return at;
}

function endOfObject(tail: string, start: number): number {
  let depth = 0;
  for (let at = start; at < tail.length; at += 1) {
    const code = tail.charCodeAt(at);
    if (code === 0x7b) depth += 1;
    else if (code === 0x7d) depth -= 1;
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
