import { type JsonObject, parsedObject } from '../../model/json.ts';
import type { Glance } from '../codec.ts';
import { saysNothing } from '../empty-data.ts';
import { withLineFeeds } from '../sse.ts';
import { streamErrorOf } from './errors.ts';
import { reasonOf } from './finish.ts';
import { isNativeCallToRun } from './native-calls.ts';
import { usageOf } from './usage.ts';
import { objectOf, objectsOf, textOf } from './wire.ts';

const CALLS: ReadonlySet<string> = new Set(['function_call', 'custom_tool_call']);

/** Usage and outcome of an answer that travelled as bytes. Its end may be all there is of a stream. */
export function glance(bytes: Uint8Array, shape: 'json' | 'sse'): Glance {
  const answer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return shape === 'sse' ? streamGlance(withLineFeeds(answer)) : bodyGlance(answer);
}

/** Whole answers are small beside what it costs to fetch them, and their members come in any order. */
function bodyGlance(answer: Buffer): Glance {
  const body = parsedObject(answer.toString('utf8'));
  if (!body) return { complete: false };
  if (Array.isArray(body.output)) return responseGlance(body);
  return body.error ? { complete: false, error: streamErrorOf(body) } : { complete: false };
}

/** The last event repeats the whole response, which may be longer than what was kept of the stream. */
function streamGlance(answer: Buffer): Glance {
  const end = endOfLastEvent(answer);
  const data = answer.toString('utf8', answer.lastIndexOf('\ndata:', end - 1) + 1, end).trim();
  const event = data.startsWith('data:') ? parsedObject(data.slice(5)) : undefined;
  if (!event) return cutGlance(answer.subarray(0, end));
  switch (event.type) {
    case 'response.completed':
    case 'response.incomplete':
    case 'response.done':
    case 'response.failed':
    case 'response.cancelled':
      return responseGlance(objectOf(event.response));
    case 'error':
      return { complete: false, error: streamErrorOf(event) };
    default:
      // the beginning of the first event and the end of the last may even join into one that parses
      return event.error ? { complete: false, error: streamErrorOf(event) } : cutGlance(answer.subarray(0, end));
  }
}

/** Comments, and the `[DONE]` of servers that write chats too, may stand behind the last event. */
function endOfLastEvent(answer: Buffer): number {
  let end = answer.length;
  for (;;) {
    const start = answer.lastIndexOf(0x0a, end - 1) + 1;
    const line = answer.toString('latin1', start, Math.min(end, start + LINE_START_BYTES)).trim();
    const isBehind = line === '' || BESIDE_DATA.test(line) || isEmptyData(line);
    if (!isBehind || start <= 1) return end;
    end = start - 1;
  }
}

/** Comments, and what may stand behind the data of an event (WHATWG HTML, 9.2.6). */
const BESIDE_DATA = /^(:|id:|event:|retry:)/;
/** Of a line, what tells those or `[DONE]`. */
const LINE_START_BYTES = 32;
const isEmptyData = (line: string): boolean => line.startsWith('data:') && saysNothing(line.slice('data:'.length));

function responseGlance(response: JsonObject): Glance {
  const usage = usageOf(response.usage);
  const counted = usage ? { usage } : {};
  if (response.status === 'failed') return { ...counted, complete: false, error: streamErrorOf(response) };
  const output = objectsOf(response.output);
  const calls = output.some((item) => CALLS.has(textOf(item.type)) || isNativeCallToRun(item));
  const refusal = output.some(({ content }) => objectsOf(content).some(({ type }) => type === 'refusal'));
  return { ...counted, reason: reasonOf(response, { calls, refusal }), complete: true };
}

/**
 * A last event of which only the end is there. Nothing but the end of a response counts its tokens, and a quote inside
 * a JSON string is escaped, so text cannot match.
 */
function cutGlance(answer: Buffer): Glance {
  const tail = answer.toString('utf8');
  const ends = tail.trimEnd().endsWith('}');
  for (const match of [...tail.matchAll(/"usage"\s*:\s*\{/g)].reverse()) {
    const usage = usageOf(parsedObject(objectAt(tail, match.index + match[0].length - 1)));
    if (usage) return { usage, complete: ends };
  }
  return { complete: false };
}

/** The text of the object that opens at `start`; counts braces, since keys of usage objects hold none. */
function objectAt(text: string, start: number): string {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1;
    else if (text[at] === '}') depth -= 1;
    if (depth === 0) return text.slice(start, at + 1);
  }
  return '';
}
