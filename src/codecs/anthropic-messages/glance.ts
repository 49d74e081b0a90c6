import { isObject, type JsonObject, parsedObject } from '../../model/json.ts';
import type { Glance } from '../codec.ts';
import { saysNothing } from '../empty-data.ts';
import { withLineFeeds } from '../sse.ts';
import { isErrorEvent, streamErrorOf } from './errors.ts';
import { finishReasonOf } from './stop-reasons.ts';
import { mergedUsage, usageOf } from './usage.ts';
import { objectOf, textOf } from './wire.ts';

/** message_delta and message_stop, or an error, fit in here many times. */
const TAIL_BYTES = 8_192;
/** message_start stands in front, behind a ping at most. */
const HEAD_BYTES = 8_192;

/** Usage and outcome of an answer that travelled as bytes: from its first and its last events, never from all. */
export function glance(bytes: Uint8Array, shape: 'json' | 'sse'): Glance {
  const answer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return shape === 'sse' ? streamGlance(withLineFeeds(answer)) : messageGlance(answer);
}

function streamGlance(answer: Buffer): Glance {
  const start = startUsage(answer);
  const { delta, error, stopped } = lastEvents(answer);
  const ending = objectOf(delta?.delta);
  return {
    ...((start || delta) && { usage: usageOf(mergedUsage(start ?? {}, objectOf(delta?.usage))) }),
    ...(textOf(ending.stop_reason) !== '' && { reason: finishReasonOf(ending) }),
    complete: stopped && !error,
    ...(error && { error: streamErrorOf(error) }),
  };
}

function startUsage(answer: Buffer): JsonObject | undefined {
  const head = answer.subarray(0, HEAD_BYTES);
  const at = head.indexOf('"message_start"');
  if (at === -1) return undefined;
  const lineEnd = head.indexOf('\n', at);
  const line = head.toString('utf8', head.lastIndexOf('\n', at) + 1, lineEnd === -1 ? head.length : lineEnd);
  const usage = objectOf(dataOf(line)?.message).usage;
  return isObject(usage) ? usage : undefined;
}

interface LastEvents {
  delta?: JsonObject;
  error?: JsonObject;
  stopped: boolean;
}

/** Walks back from the end, line by line, up to the last event that is content. */
function lastEvents(answer: Buffer): LastEvents {
  const tail = answer.toString('utf8', Math.max(0, answer.length - TAIL_BYTES));
  const last: LastEvents = { stopped: false };
  for (let end = tail.length; end > 0; ) {
    const lineStart = tail.lastIndexOf('\n', end - 1) + 1;
    const line = tail.slice(lineStart, end);
    end = lineStart - 1;
    if (!line.startsWith('data:') || saysNothing(line.slice('data:'.length))) continue;
    const data = dataOf(line);
    if (data?.type === 'message_stop') last.stopped = true;
    else if (data?.type === 'message_delta') last.delta = last.delta ? withReason(data, last.delta) : data;
    else if (data && isErrorEvent(data)) last.error = data;
    else if (!data || CONTENT.test(textOf(data.type))) break;
  }
  return last;
}

/** Of events that are neither the end nor content, as pings, there are more than we know. */
const CONTENT = /^(content_block|message_start)/;

/** Some servers tell the counts once more behind the reason. */
function withReason(earlier: JsonObject, last: JsonObject): JsonObject {
  if (textOf(objectOf(last.delta).stop_reason) !== '') return last;
  return { ...earlier, usage: mergedUsage(objectOf(earlier.usage), objectOf(last.usage)) };
}

/** Whole answers are small beside what it costs to fetch them, and their members come in any order. */
function messageGlance(answer: Buffer): Glance {
  const body = parsedObject(answer.toString('utf8'));
  if (!body || !isObject(body.usage)) return { complete: body !== undefined };
  return { usage: usageOf(body.usage), reason: finishReasonOf(body), complete: true };
}

const dataOf = (line: string): JsonObject | undefined =>
  line.startsWith('data:') ? parsedObject(line.slice(5)) : undefined;
