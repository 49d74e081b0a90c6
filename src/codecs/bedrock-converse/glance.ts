import { isObject, type JsonObject, parsedObject } from '../../model/json.ts';
import type { Glance } from '../codec.ts';
import { createSseReader } from '../sse.ts';
import { streamError } from './errors.ts';
import { finishReasonOf } from './finish.ts';
import { usageOf } from './usage.ts';

/** Usage and outcome of an answer that travelled as bytes: from its last events, never from all. */
export function glance(bytes: Uint8Array, shape: 'json' | 'sse'): Glance {
  return shape === 'sse' ? streamGlance(bytes) : answerGlance(bytes);
}

function streamGlance(bytes: Uint8Array): Glance {
  const reader = createSseReader();
  let ending: JsonObject = {};
  let stopped = false;
  for (const { event, data } of [...reader.push(bytes), ...reader.end()]) {
    const told = parsedObject(data);
    if (!told) continue;
    if (event === 'exception') return { ...counted(ending), complete: false, error: streamError(told) };
    if (event === 'messageStop') stopped = true;
    if (event === 'messageStop' || event === 'metadata') ending = { ...ending, ...told };
  }
  if (!stopped && ending.usage === undefined) return tailGlance(bytes);
  return { ...counted(ending), ...(stopped && { reason: finishReasonOf(ending) }), complete: stopped };
}

/** A guardrail's trace can make the last event longer than what is left of the stream; its counts stand behind it. */
function tailGlance(bytes: Uint8Array): Glance {
  const tail = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8').trimEnd();
  const [, counts = ''] = /"usage":(\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})[^{}]*\}$/.exec(tail) ?? [];
  const usage = parsedObject(counts);
  return usage ? { usage: usageOf(usage), complete: true } : { complete: false };
}

function answerGlance(bytes: Uint8Array): Glance {
  const body = parsedObject(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  if (!body || !isObject(body.output)) return { complete: false };
  return { ...counted(body), reason: finishReasonOf(body), complete: true };
}

const counted = ({ usage }: JsonObject): Pick<Glance, 'usage'> => (isObject(usage) ? { usage: usageOf(usage) } : {});
