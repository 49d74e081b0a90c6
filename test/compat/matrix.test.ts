import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { post } from '../support/gateway.ts';
import { cases, type Recording } from '../support/recordings.ts';
import { shared } from '../support/shared.ts';
import type { ReadFormat } from './answers.ts';
import { lineOf, type Slip, slipsIn } from './compare.ts';
import { EXCEPTIONS } from './exceptions.ts';
import { expectedOf, FORMAT_OF, formatOf } from './expected.ts';
import { pathOf, providerOf, type Stage, startStage } from './replay.ts';
import { type AskSdk, sdksAt } from './sdks.ts';

const FORMATS: readonly ReadFormat[] = [...Object.values(FORMAT_OF), 'bedrock-converse'];
const ENDPOINTS = Object.keys(FORMAT_OF);
const recorded = new Map(ENDPOINTS.map((endpoint) => [endpoint, cases({ endpoint })]));
const AT_ONCE = 12;
const TIMEOUT_MS = 120_000;

let stage: Stage;
let sdks: Readonly<Record<ReadFormat, AskSdk>>;

describe.runIf(shared)('every recording, through the running gateway', () => {
  beforeAll(async () => {
    stage = await startStage();
    sdks = sdksAt(stage.gateway.url);
  });
  afterAll(() => stage.stop());

  const pairs = ENDPOINTS.flatMap((endpoint) => FORMATS.map((format) => [endpoint, format] as const));

  test.each(pairs)(
    'A11 %s, read by the official SDK of %s',
    async (endpoint, format) => {
      expect(await complaints(endpoint, (recording) => asRecorded(recording, format))).toBe('');
    },
    TIMEOUT_MS,
  );

  const foreign = pairs.filter(([endpoint, format]) => FORMAT_OF[endpoint] !== format);
  test.each(foreign)(
    'C3 %s, streamed where it was whole and whole where it was streamed, for %s',
    async (endpoint, format) => {
      expect(await complaints(endpoint, (recording) => otherwise(recording, format))).toBe('');
    },
    TIMEOUT_MS,
  );

  test.each(ENDPOINTS)(
    'F14 %s for its own clients, byte for byte',
    async (endpoint) => {
      expect(await complaints(endpoint, byteForByte)).toBe('');
    },
    TIMEOUT_MS,
  );

  test('at most one translated answer in a hundred is an exception', () => {
    const translated = foreign.reduce((sum, [endpoint]) => sum + (recorded.get(endpoint)?.length ?? 0), 0);
    const excepted = EXCEPTIONS.reduce((sum, { formats }) => sum + formats.length, 0);
    expect(translated).toBeGreaterThan(1_500);
    expect(excepted / translated).toBeLessThan(0.01);
  });
});

const modelOf = (recording: Recording): string => `${providerOf(recording)}/replay:${recording.id}`;

async function asRecorded(recording: Recording, format: ReadFormat): Promise<string[]> {
  const { request, stream } = recording;
  const own = format === formatOf(recording) ? (request.body ?? {}) : undefined;
  const got = await sdks[format](modelOf(recording), stream, own);
  return linesOf(recording, format, slipsIn(expectedOf(recording, format), got));
}

/** An upstream may answer a request for a stream with a whole body, and the reverse. */
async function otherwise(recording: Recording, format: ReadFormat): Promise<string[]> {
  const got = await sdks[format](modelOf(recording), !recording.stream);
  return linesOf(recording, format, slipsIn(expectedOf(recording, format), got));
}

/** A line for each slip that is no exception, and for each exception that no longer occurs. */
function linesOf({ id }: Recording, format: ReadFormat, slips: readonly Slip[]): string[] {
  const excepted = EXCEPTIONS.filter(({ recording, formats }) => recording === id && formats.includes(format));
  const fields = excepted.flatMap((exception) => exception.fields);
  const unforeseen = slips.filter(({ field }) => !fields.includes(field));
  const gone = excepted.length > 0 && slips.length === 0 ? [`${id} | ${format} | is no exception any more`] : [];
  return [...unforeseen.map((slip) => lineOf(id, format, slip)), ...gone];
}

/** Every format finds its own in it; for recordings of which the source kept no request. */
const HELLO = { messages: [{ role: 'user', content: 'hello' }], input: 'hello', max_tokens: 64 };

async function byteForByte(recording: Recording): Promise<string[]> {
  const { id, request, response, stream } = recording;
  if (!stream || response.sse === undefined) return [];
  const model = modelOf(recording);
  const format = formatOf(recording);
  const body = { ...(request.body ?? HELLO), ...(format !== 'gemini' && { model, stream }) };
  const answer = await post(`${stage.gateway.url}${pathOf(format, model)}`, body);
  const got = await answer.text();
  return got === response.sse ? [] : [lineOf(id, format, { field: 'bytes', expected: response.sse, got })];
}

/** What `work` complains of over all recordings of an endpoint, some at a time. */
async function complaints(endpoint: string, work: (recording: Recording) => Promise<string[]>): Promise<string> {
  const queue = [...(recorded.get(endpoint) ?? [])];
  const lines: string[] = [];
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) lines.push(...(await work(next)));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return lines.sort().join('\n');
}
