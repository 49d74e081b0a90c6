import type { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import type { Glance } from '../codec.ts';
import { streamErrorOf } from './errors.ts';
import { finishReasonOf } from './stop-reasons.ts';
import { mergedUsage, usageOf } from './usage.ts';
import { objectOf } from './wire.ts';

/** The last events of a stream (message_delta, message_stop, an error) and their frames fit in here many times. */
const TAIL_BYTES = 16_384;
/** message_start stands in front, behind a ping at most. */
const HEAD_BYTES = 16_384;

/** Usage and outcome of an answer that travelled as bytes: from its first and its last event, never from all. */
export function glance(bytes: Uint8Array, shape: 'json' | 'sse'): Glance {
  const answer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return shape === 'sse' ? streamGlance(answer) : messageGlance(answer);
}

function streamGlance(answer: Buffer): Glance {
  const tail = answer.subarray(-TAIL_BYTES);
  // JSON escapes quotes inside texts, so these words with their quotes are only ever found as values of `type`
  const start = objectOf(dataAround(answer.subarray(0, HEAD_BYTES), '"message_start"', 'first')?.message);
  const delta = dataAround(tail, '"message_delta"', 'last');
  const error = errorIn(tail);
  const isOver = tail.includes('"message_stop"');
  return {
    ...((delta || isObject(start.usage)) && {
      usage: usageOf(mergedUsage(objectOf(start.usage), objectOf(delta?.usage))),
    }),
    ...(delta && { reason: finishReasonOf(objectOf(delta.delta)) }),
    complete: isOver && !error,
    ...(error && { error }),
  };
}

function errorIn(tail: Buffer): GatewayError | undefined {
  const data = dataAround(tail, '"error"', 'last');
  return data && isObject(data.error) ? streamErrorOf(data) : undefined;
}

/** The data of the event that holds `mark`; undefined when there is none, or only a piece of it. */
function dataAround(bytes: Buffer, mark: string, which: 'first' | 'last'): JsonObject | undefined {
  const at = which === 'first' ? bytes.indexOf(mark) : bytes.lastIndexOf(mark);
  if (at === -1) return undefined;
  const lineEnd = bytes.indexOf('\n', at);
  const line = bytes.toString('utf8', bytes.lastIndexOf('\n', at) + 1, lineEnd === -1 ? bytes.length : lineEnd);
  return line.startsWith('data:') ? parsed(line.slice(5)) : undefined;
}

/** Whole answers are small beside what it costs to fetch them, and their members come in any order. */
function messageGlance(answer: Buffer): Glance {
  const body = parsed(answer.toString('utf8'));
  if (!body || !isObject(body.usage)) return { complete: body !== undefined };
  return { usage: usageOf(body.usage), reason: finishReasonOf(body), complete: true };
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
