import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import type { Glance } from '../codec.ts';
import { streamError } from './errors.ts';
import { reasonOf } from './finish.ts';
import { usageOf } from './usage.ts';

/** Usage, finish and `[DONE]` stand within the last few chunks, and at the end of a whole body. */
const TAIL_BYTES = 8_192;

export function glance(bytes: Uint8Array, shape: 'json' | 'sse'): Glance {
  const tail = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).subarray(-TAIL_BYTES).toString('utf8');
  return shape === 'sse' ? glanceAtEvents(tail) : glanceAtBody(tail, bytes);
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

function glanceAtBody(tail: string, bytes: Uint8Array): Glance {
  const seen: Seen = { done: false };
  const usage = usageOf(lastObject(tail, /"usage"\s*:\s*\{/g));
  if (!usage) look(Buffer.from(bytes).toString('utf8'), seen);
  else seen.usage = usage;
  const word = [...tail.matchAll(/"finish_reason"\s*:\s*"([^"]*)"/g)].at(-1)?.[1];
  if (word) seen.word ??= word;
  return outcome(seen, tail.trimEnd().endsWith('}'));
}

/** The object behind the last match that parses. A quote inside a JSON string is escaped, so text cannot match. */
function lastObject(text: string, opening: RegExp): unknown {
  for (const match of [...text.matchAll(opening)].reverse()) {
    const start = match.index + match[0].length - 1;
    const end = endOfObject(text, start);
    if (end > start) return JSON.parse(text.slice(start, end));
  }
  return undefined;
}

/** Where the object that opens at `start` is closed; counts braces, since keys of usage objects hold none. */
function endOfObject(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1;
    else if (text[at] === '}') depth -= 1;
    if (depth === 0) return at + 1;
  }
  return -1;
}

function outcome(seen: Seen, complete: boolean): Glance {
  const base = { ...(seen.usage && { usage: seen.usage }), complete: complete && !seen.error };
  if (seen.error) return { ...base, error: seen.error };
  if (seen.word === undefined) return base;
  try {
    // whether there are calls cannot be seen from here, so the word is taken at its word
    return { ...base, reason: reasonOf(seen.word, { calls: seen.word === 'tool_calls', refusal: false }) };
  } catch (error) {
    if (error instanceof GatewayError) return { ...base, complete: false, error };
    throw error;
  }
}
