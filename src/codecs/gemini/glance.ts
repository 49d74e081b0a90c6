import { isObject, type JsonObject } from '../../model/json.ts';
import type { Glance } from '../codec.ts';
import { saysNothing } from '../empty-data.ts';
import { withLineFeeds } from '../sse.ts';
import { camelCased, maySpeakSnakeCase } from './casing.ts';
import { streamError } from './errors.ts';
import { blockReasonOf, finishReasonOf } from './finish.ts';
import { mergedUsage, usageOf } from './usage.ts';
import { objectOf, objectsOf, textOf } from './wire.ts';

/** Finish reason and counts stand in the last chunk, or in the two before it. */
const CHUNKS = 3;
/** Where the last chunk is too long to be there whole, its end still is. */
const TAIL_BYTES = 8_192;

/** Usage and outcome of an answer that travelled as bytes: from its last chunks, never from all. */
export function glance(bytes: Uint8Array, shape: 'json' | 'sse'): Glance {
  const given = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const answer = shape === 'sse' ? withLineFeeds(given) : given;
  const chunks = shape === 'sse' ? lastChunks(answer) : [parsed(answer.toString('utf8'))];
  if (shape === 'sse' && chunks[0] === undefined) return tailGlance(answer);
  // oldest first, so that what came last stands
  return glanceOf(chunks.filter((chunk) => chunk !== undefined).reverse(), hasCall(answer));
}

const hasCall = (answer: Buffer): boolean => CALL_KEYS.some((key) => holdsObject(answer, key));

/** Inside a text the quotes are escaped, so only a member of such a name matches. */
const CALL_KEYS = ['"functionCall"', '"function_call"'] as const;

/** Some servers write what is absent as null. */
function holdsObject(answer: Buffer, key: string): boolean {
  for (let at = answer.indexOf(key); at !== -1; at = answer.indexOf(key, at + 1)) {
    const value = at + key.length;
    if (/^\s*:\s*\{/.test(answer.toString('latin1', value, value + OPENING_BYTES))) return true;
  }
  return false;
}

/** A colon and a brace, with room for white space. */
const OPENING_BYTES = 16;

/** The last chunks, newest first; the newest is undefined where it is not there whole. */
function lastChunks(answer: Buffer): (JsonObject | undefined)[] {
  const chunks: (JsonObject | undefined)[] = [];
  for (let end = answer.length; end > 0 && chunks.length < CHUNKS; ) {
    const found = answer.lastIndexOf('data:', end - 1);
    if (found === -1) break;
    const before = answer[found - 1];
    if (found === 0 || before === 0x0a || before === 0x0d) {
      // comments may stand behind the last chunk
      const data = answer.toString('utf8', found + 5, lineEndFrom(answer, found));
      if (!saysNothing(data)) chunks.push(parsed(data));
    }
    end = found;
  }
  return chunks;
}

function lineEndFrom(answer: Buffer, start: number): number {
  const end = answer.indexOf('\n', start);
  return end === -1 ? answer.length : end;
}

function glanceOf(chunks: readonly JsonObject[], calls: boolean): Glance {
  let usage: JsonObject = {};
  const candidate: JsonObject = {};
  let blocked = '';
  for (const chunk of chunks) {
    if (chunk.error) return { ...counted(usage), complete: false, error: streamError(chunk) };
    usage = mergedUsage(usage, chunk.usageMetadata);
    Object.assign(candidate, objectsOf(chunk.candidates)[0]);
    blocked ||= textOf(objectOf(chunk.promptFeedback).blockReason);
  }
  return { ...counted(usage), ...outcomeOf(textOf(candidate.finishReason), blocked, calls) };
}

const counted = (usage: JsonObject): Pick<Glance, 'usage'> =>
  Object.keys(usage).length > 0 ? { usage: usageOf(usage) } : {};

function outcomeOf(word: string, blocked: string, calls: boolean): Omit<Glance, 'usage'> {
  if (word !== '') return { reason: finishReasonOf(word, { calls, anything: true }), complete: true };
  return blocked === '' ? { complete: false } : { reason: blockReasonOf(blocked), complete: true };
}

/** Reads the end of a chunk whose last line is no whole chunk: long ones hold grounding data, and only a last one does. */
function tailGlance(answer: Buffer): Glance {
  // a chunk may be written over several lines, each of them marked
  const tail = answer.toString('utf8', Math.max(0, answer.length - TAIL_BYTES)).replaceAll(/\ndata:/g, '\n');
  const at = Math.max(tail.lastIndexOf('"usageMetadata"'), tail.lastIndexOf('"usage_metadata"'));
  const start = tail.indexOf('{', at);
  const usage = at === -1 || start === -1 ? undefined : parsed(tail.slice(start, endOfObject(tail, start)));
  const word = [...tail.matchAll(/"finish(?:Reason|_reason)"\s*:\s*"([A-Z_]+)"/g)].at(-1)?.[1] ?? '';
  const isWhole = usage !== undefined && /\}\s*$/.test(tail);
  if (word === '' || !isWhole) return { ...counted(usage ?? {}), complete: isWhole };
  return { ...counted(usage), ...outcomeOf(word, '', hasCall(answer)) };
}

/** Counts braces: the counts' object holds no texts with braces in them. */
function endOfObject(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1;
    else if (text[at] === '}') depth -= 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value)) return undefined;
    return maySpeakSnakeCase(text) ? camelCased(value) : value;
  } catch {
    return undefined;
  }
}
