import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { openaiResponses } from '../../../src/codecs/openai-responses/index.ts';
import { GatewayError } from '../../../src/model/errors.ts';
import type { StreamEvent } from '../../../src/model/event.ts';
import { isObject, type JsonObject, type JsonValue } from '../../../src/model/json.ts';
import { type ChatResponse, eventsOf, foldAll } from '../../../src/model/response.ts';
import { cases, type Digest, type Recording } from '../../support/recordings.ts';
import { shared } from '../../support/shared.ts';
import { cut } from '../pieces.ts';
import { callsIn, dataOf, decoded, encodedStream, itemsIn, textIn, thinkingIn } from './support.ts';

type ResponsesDigest = Digest & { readonly items?: readonly string[]; readonly incomplete?: string };

const recordings = cases({ endpoint: 'openai.responses' });
const digestOf = ({ digest }: Recording): ResponsesDigest => digest;
const failures = recordings.filter(({ digest }) => digest.error || digest.finish === 'failed');
// one file holds the answers of two requests, one behind the other
const answers = recordings.filter(
  (recording) =>
    !failures.includes(recording) && (recording.response.sse?.split('event: response.created').length ?? 2) === 2,
);
const streams = answers.filter(({ response }) => response.sse !== undefined);
const named = (list: readonly Recording[]): [string, Recording][] => list.map((recording) => [recording.id, recording]);

const sseBytes = ({ response }: Recording): Uint8Array => Buffer.from(response.sse ?? '');

const eventsIn = (recording: Recording): StreamEvent[] => {
  const { sse, body } = recording.response;
  return sse === undefined ? eventsOf(openaiResponses.decodeResponse(body ?? {})) : decoded([sseBytes(recording)]);
};

const responseIn = (recording: Recording): ChatResponse => foldAll(eventsIn(recording));

const withCalls = (items: readonly string[]): boolean =>
  items.some((item) => item === 'function_call' || item === 'custom_tool_call' || CLIENT_RUN.test(item)) &&
  // a shell in a container of OpenAI's runs there
  !items.includes('shell_call_output');

/** Tools that OpenAI's models know by heart. */
const CLIENT_RUN = /^(shell|local_shell|apply_patch|computer)_call$/;

function expectedKind({ finish, incomplete, items = [] }: ResponsesDigest): string {
  if (incomplete === 'max_output_tokens') return 'length';
  if (finish === 'queued') return 'other';
  return withCalls(items) ? 'tool-calls' : 'stop';
}

function expectContent(response: ChatResponse, digest: ResponsesDigest): void {
  expect(textIn(response)).toBe(digest.text);
  expect(thinkingIn(response)).toBe(digest.thinking);
  expect(callsIn(response)).toEqual(digest.toolCalls);
  expect(itemsIn(response)).toEqual(digest.items);
  expect(response.reason.kind).toBe(expectedKind(digest));
  const { input = 0, output = 0, cacheRead = 0, reasoning = 0 } = digest.usage ?? {};
  expect(response.usage).toMatchObject({ input, output, cacheRead, reasoning });
}

describe.runIf(shared)('recorded answers', () => {
  test('there are whole and streamed ones of several providers', () => {
    expect(answers.length).toBeGreaterThan(100);
    expect(streams.length).toBeGreaterThan(40);
    expect(new Set(answers.map(({ provider }) => provider)).size).toBeGreaterThan(3);
  });

  test.each(named(answers))('%s says what its digest says', (_, recording) => {
    expectContent(responseIn(recording), digestOf(recording));
  });

  test.each(named(streams))('%s gives the same events however its bytes are cut', (_, recording) => {
    const whole = decoded([sseBytes(recording)]);
    for (const sizes of [[1], [37], [3, 91, 1, 700]]) expect(decoded(cut(sseBytes(recording), sizes))).toEqual(whole);
  });

  test.each(named(streams))('%s starts and ends each part once', (_, recording) => {
    const open = new Set<number>();
    let next = 0;
    for (const event of decoded([sseBytes(recording)])) {
      if (event.type === 'part-start') {
        expect(event.index).toBe(next++);
        open.add(event.index);
      } else if (event.type === 'part-delta') expect(open.has(event.index)).toBe(true);
      else if (event.type === 'part-end') expect(open.delete(event.index)).toBe(true);
    }
    expect(open.size).toBe(0);
  });

  test.each(named(streams))('%s gives the same parts as the whole response at its end', (_, recording) => {
    const last = dataOf(recording.response.sse ?? '').at(-1)?.response;
    const whole = openaiResponses.decodeResponse(isObject(last) ? last : {});
    const parts = foldAll(decoded([sseBytes(recording)])).parts;
    expect(parts.map(withoutOrigin)).toEqual(whole.parts.map(withoutOrigin));
  });

  test.each(named(answers))('%s can be glanced at', (_, recording) => {
    const { sse, body } = recording.response;
    const glance =
      sse === undefined
        ? openaiResponses.glance(Buffer.from(JSON.stringify(body)), 'json')
        : openaiResponses.glance(sseBytes(recording), 'sse');
    const response = responseIn(recording);
    expect(glance).toEqual({
      ...(recording.digest.usage?.input !== undefined && { usage: response.usage }),
      reason: response.reason,
      complete: true,
    });
  });

  test.each(named(streams))('%s can be glanced at when only its ends are left', (_, recording) => {
    const bytes = Buffer.from(sseBytes(recording));
    const ends = Buffer.concat([bytes.subarray(0, 100), bytes.subarray(-1_500)]);
    const glance = openaiResponses.glance(ends, 'sse');
    expect(glance.complete).toBe(true);
    expect(glance.usage).toEqual(responseIn(recording).usage);
  });

  test.each(named(streams))('C12 %s without its end is an error', (_, recording) => {
    const text = recording.response.sse ?? '';
    const last = Math.max(
      text.lastIndexOf('event: response.completed'),
      text.lastIndexOf('event: response.incomplete'),
    );
    const cutText = Buffer.from(text.slice(0, last));
    expect(() => decoded([cutText])).toThrow(GatewayError);
    expect(openaiResponses.glance(cutText, 'sse').complete).toBe(false);
  });
});

const withoutOrigin = ({ origin: _, ...part }: ChatResponse['parts'][number]): unknown => part;

describe.runIf(shared)('recorded failures', () => {
  const statuses = failures.filter(({ status }) => status !== 200);

  test.each(named(statuses))('%s keeps its status and its words', (_, { response, status, digest }) => {
    const error = openaiResponses.decodeError(status, response.text ?? JSON.stringify(response.body), response.headers);
    expect(error.details.status).toBe(digest.error?.status);
    expect(digest.error?.message).toContain(error.message);
  });

  test.each(named(failures.filter(({ status }) => status === 200)))(
    'C9 %s is an error in mid-stream',
    (_, recording) => {
      expect(() => decoded([sseBytes(recording)])).toThrow(GatewayError);
      const glance = openaiResponses.glance(sseBytes(recording), 'sse');
      expect(glance.complete).toBe(false);
      expect(glance.error).toBeInstanceOf(GatewayError);
    },
  );
});

/** The official SDK, reading what we would send to a client. */
function sdkReading(contentType: string, body: string): OpenAI {
  return new OpenAI({
    apiKey: 'none',
    maxRetries: 0,
    fetch: async () => new Response(body, { headers: { 'content-type': contentType } }),
  });
}

const question = { model: 'asked/for', input: 'x' };

describe.runIf(shared)('what a client reads', () => {
  test.each(named(answers))('%s reaches the openai SDK as a stream', async (_, recording) => {
    const client = sdkReading('text/event-stream', encodedStream(eventsIn(recording)));
    expectRead(await client.responses.stream(question).finalResponse(), recording);
  });

  test.each(named(answers))('%s reaches the openai SDK as a whole', async (_, recording) => {
    const head = { model: 'asked/for', createdAtMs: 5_000, id: 'stand-in' };
    const body = openaiResponses.encodeResponse(responseIn(recording), head);
    const client = sdkReading('application/json', JSON.stringify(body));
    expectRead(await client.responses.create(question), recording);
  });

  test.each(named(answers))('%s comes back from our own words unchanged', (_, recording) => {
    const response = responseIn(recording);
    const again = openaiResponses.decodeResponse(openaiResponses.encodeResponse(response));
    expectContent(again, digestOf(recording));
    expect(again.usage).toEqual(response.usage);
  });

  test.each(named(answers))('%s keeps every field of its items', (_, recording) => {
    const ours = openaiResponses.encodeResponse(responseIn(recording));
    expect(itemsWithoutEmptyLists(ours.output)).toEqual(itemsWithoutEmptyLists(finishedItems(recording)));
  });

  test.each(named(answers))('C13 %s: each item added is done, and the last snapshot is the sum', (_, recording) => {
    expectSound(dataOf(encodedStream(eventsIn(recording))));
  });

  function expectRead(read: OpenAI.Responses.Response, recording: Recording): void {
    const digest = digestOf(recording);
    expect(read.model).toBe('asked/for');
    expect(read.created_at).toBeGreaterThan(0);
    expect(read.output_text).toBe(digest.text);
    expect(read.output.map(({ type }) => type)).toEqual(digest.items);
    const calls = read.output.flatMap((item) =>
      item.type === 'function_call'
        ? [{ id: item.call_id, name: item.name, arguments: JSON.parse(item.arguments) }]
        : [],
    );
    expect(calls).toEqual(digest.toolCalls);
    expect(read.status).toBe(digest.finish === 'complete' ? 'completed' : digest.finish);
    expect(read.incomplete_details?.reason).toBe(digest.incomplete);
    if (digest.usage?.input) expect(read.usage?.input_tokens).toBe(digest.usage.input);
  }
});

/** The items as they were done; what a snapshot repeats may be encrypted anew. */
function finishedItems({ response: { sse, body } }: Recording): JsonValue {
  if (sse === undefined) return body?.output ?? [];
  return dataOf(sse).flatMap(({ type, item }) => (type === 'response.output_item.done' ? [item ?? null] : []));
}

/** Lists that say nothing are written or left out as each provider likes; so is the status of a finished item. */
function itemsWithoutEmptyLists(value: JsonValue | undefined): JsonValue {
  if (Array.isArray(value)) return value.map(itemsWithoutEmptyLists);
  if (!isObject(value)) return value ?? null;
  const kept = Object.entries(value).filter(([key, member]) => !isNothing(member) && !(key === 'status'));
  return Object.fromEntries(kept.map(([key, member]) => [key, itemsWithoutEmptyLists(member)])) as JsonObject;
}

const isNothing = (member: JsonValue | undefined): boolean =>
  member === null || member === undefined || (Array.isArray(member) && member.length === 0);

/** Checks a stream as a strict client would. */
function expectSound(events: readonly JsonObject[]): void {
  expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, at) => at));
  expect(events.slice(0, 2).map(({ type }) => type)).toEqual(['response.created', 'response.in_progress']);
  const of = (type: string) => events.filter((event) => event.type === type);
  const added = of('response.output_item.added');
  const done = of('response.output_item.done');
  expect(added.map(({ output_index }) => output_index)).toEqual(added.map((_, at) => at));
  const places = done.map(({ output_index }) => Number(output_index));
  expect([...places].sort((a, b) => a - b)).toEqual(added.map((_, at) => at));
  const byPlace = [...done].sort((a, b) => Number(a.output_index) - Number(b.output_index)).map(({ item }) => item);
  const kinds = (items: readonly (JsonValue | undefined)[]) =>
    items.map((item) => (isObject(item) ? [item.type, item.id] : []));
  expect(kinds(byPlace)).toEqual(kinds(added.map(({ item }) => item)));
  const last = events.at(-1)?.response;
  expect(isObject(last) && last.output).toEqual(byPlace);
  expect(['response.completed', 'response.incomplete']).toContain(events.at(-1)?.type);
}
