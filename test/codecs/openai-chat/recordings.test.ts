import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { openaiChat } from '../../../src/codecs/openai-chat/index.ts';
import { GatewayError } from '../../../src/model/errors.ts';
import type { StreamEvent } from '../../../src/model/event.ts';
import { type ChatResponse, eventsOf, foldAll } from '../../../src/model/response.ts';
import type { Usage } from '../../../src/model/usage.ts';
import { cases, type Digest, type Recording } from '../../support/recordings.ts';
import { shared } from '../../support/shared.ts';
import { cut } from '../pieces.ts';
import { callsIn, decoded, refusalIn, textIn, thinkingIn } from './answers.ts';

const recordings = cases({ endpoint: 'openai.chat' });
const answers = recordings.filter((recording) => !recording.digest.error);
const streams = answers.filter((recording) => recording.response.sse !== undefined);
const failures = recordings.filter((recording) => recording.digest.error);
const named = (list: readonly Recording[]): [string, Recording][] => list.map((recording) => [recording.id, recording]);

const sseBytes = ({ response }: Recording): Uint8Array => Buffer.from(response.sse ?? '');

const eventsIn = (recording: Recording): StreamEvent[] => {
  const { sse, body } = recording.response;
  if (sse !== undefined) return decoded([sseBytes(recording)]);
  return eventsOf(openaiChat.decodeResponse(body ?? {}));
};

/** What a digest's word means here, where the calls of the answer count more than the word. */
function expectedKind({ finish, toolCalls, ...digest }: Digest, response: ChatResponse): string {
  const calls = (toolCalls?.length ?? 0) > 0 || finish === 'function_call';
  if (calls) return 'tool-calls';
  if (finish === 'length') return 'length';
  if (finish === 'content_filter' || refusalIn(response) !== '') return 'refusal';
  return digest.text === undefined ? 'other' : 'stop';
}

/** The digest counts as the provider does; xAI leaves reasoning out of the output. */
function expectUsage(usage: Usage, told: NonNullable<Digest['usage']>): void {
  const { input = 0, output = 0, reasoning = 0, total = input + output } = told;
  expect(usage.input).toBe(input);
  expect(usage.output).toBe(total === input + output + reasoning ? output + reasoning : output);
  if (told.cacheRead) expect(usage.cacheRead).toBe(Math.min(told.cacheRead, input));
  expect(usage.reasoning).toBe(reasoning);
  expect(usage.cacheRead + usage.cacheWrite).toBeLessThanOrEqual(usage.input);
}

function expectContent(response: ChatResponse, digest: Digest): void {
  expect(textIn(response)).toBe(digest.text);
  expect(thinkingIn(response)).toBe(digest.thinking);
  if (digest.finish !== 'function_call') {
    const calls = callsIn(response).map(({ input, ...call }) => ({ ...call, arguments: JSON.parse(input || '{}') }));
    expect(calls).toEqual(digest.toolCalls);
  }
  expect(response.reason.kind).toBe(expectedKind(digest, response));
  if (digest.usage) expectUsage(response.usage, digest.usage);
}

describe.runIf(shared)('recorded answers', () => {
  test('there are whole and streamed ones of many providers', () => {
    expect(answers.length).toBeGreaterThan(150);
    expect(streams.length).toBeGreaterThan(50);
    expect(new Set(answers.map((recording) => recording.provider)).size).toBeGreaterThan(15);
  });

  test.each(named(answers))('%s says what its digest says', (_, recording) => {
    expectContent(foldAll(eventsIn(recording)), recording.digest);
  });

  test.each(named(streams))('%s gives the same events however its bytes are cut', (_, recording) => {
    const whole = decoded([sseBytes(recording)]);
    for (const sizes of [[1], [37], [3, 91, 1, 700]]) expect(decoded(cut(sseBytes(recording), sizes))).toEqual(whole);
  });

  test.each(named(streams))('%s opens one part at a time and closes each', (_, recording) => {
    let open: number | undefined;
    for (const event of decoded([sseBytes(recording)])) {
      if (event.type === 'part-start') {
        expect(open).toBeUndefined();
        open = event.index;
      } else if (event.type === 'part-delta') expect(event.index).toBe(open);
      else if (event.type === 'part-end') {
        expect(event.index).toBe(open);
        open = undefined;
      }
    }
    expect(open).toBeUndefined();
  });

  test.each(named(answers))('%s can be glanced at', (_, recording) => {
    const { sse, body } = recording.response;
    const glance =
      sse === undefined
        ? openaiChat.glance(Buffer.from(JSON.stringify(body)), 'json')
        : openaiChat.glance(sseBytes(recording), 'sse');
    const response = foldAll(eventsIn(recording));
    expect(glance.complete).toBe(true);
    expect(glance.error).toBeUndefined();
    if (recording.digest.usage?.input) expect(glance.usage).toEqual(response.usage);
    if (recording.digest.finish) expect(glance.reason?.raw?.word).toBe(recording.digest.finish);
  });

  test.each(named(streams))('%s without its end is an error', (_, recording) => {
    const text = recording.response.sse ?? '';
    const first = text.slice(0, text.indexOf('\n\n', text.indexOf('data:')) + 2);
    if (/"finish_reason":\s*"\w/.test(first)) return;
    expect(() => decoded([Buffer.from(first)])).toThrow(GatewayError);
    expect(openaiChat.glance(Buffer.from(first), 'sse').complete).toBe(false);
  });
});

describe.runIf(shared)('recorded failures', () => {
  const inStream = failures.filter(({ status }) => status === 200);
  const statuses = failures.filter(({ status }) => status !== 200);

  test.each(named(statuses))('%s keeps its status and its words', (_, { response, status, digest }) => {
    const text = response.text ?? JSON.stringify(response.body);
    const error = openaiChat.decodeError(status, text, response.headers);
    expect(error.details.status).toBe(digest.error?.status);
    if (response.text === undefined) expect(digest.error?.message).toContain(error.message);
    else expect(error.message).toBe('upstream answered 502 with an HTML page: 502 Bad Gateway');
  });

  test.each(named(inStream))('%s is an error in mid-stream', (_, recording) => {
    expect(() => decoded([sseBytes(recording)])).toThrow(GatewayError);
    expect(() => decoded([sseBytes(recording)])).toThrow(recording.digest.error?.message.slice(0, 60));
    const glance = openaiChat.glance(sseBytes(recording), 'sse');
    expect(glance.complete).toBe(false);
    expect(glance.error?.message).toContain(recording.digest.error?.message.slice(0, 60));
  });
});

/** The official SDK, reading what we would send to a client. */
function sdkReading(contentType: string, body: string): OpenAI {
  return new OpenAI({
    apiKey: 'none',
    maxRetries: 0,
    fetch: async () => new Response(body, { headers: { 'content-type': contentType } }),
  });
}

describe.runIf(shared)('what a client reads', () => {
  const question = { model: 'asked/for', messages: [{ role: 'user' as const, content: 'x' }] };

  test.each(named(answers))('%s reaches the openai SDK as a stream', async (_, recording) => {
    const write = openaiChat.encodeStream({ model: 'asked/for', createdAtMs: 5_000, id: 'stand-in' });
    const text = eventsIn(recording).map(write).join('');
    const client = sdkReading('text/event-stream', text);
    const read = await client.chat.completions.stream(question).finalChatCompletion();
    expectRead(read, foldAll(eventsIn(recording)), recording.digest);
  });

  test.each(named(answers))('%s reaches the openai SDK as a whole', async (_, recording) => {
    const response = foldAll(eventsIn(recording));
    const body = openaiChat.encodeResponse(response, { model: 'asked/for', createdAtMs: 5_000, id: 'stand-in' });
    const client = sdkReading('application/json', JSON.stringify(body));
    expectRead(await client.chat.completions.create(question), response, recording.digest);
  });

  test.each(named(answers))('%s comes back from our own words unchanged', (_, recording) => {
    const response = foldAll(eventsIn(recording));
    const body = openaiChat.encodeResponse(response, { model: response.model });
    const again = openaiChat.decodeResponse(body);
    expectContent(again, recording.digest);
    expect(again.usage).toEqual(response.usage);
  });

  function expectRead(read: OpenAI.ChatCompletion, response: ChatResponse, digest: Digest): void {
    const [choice] = read.choices;
    expect(read.model).toBe('asked/for');
    expect(read.created).toBeGreaterThan(0);
    expect(read.id).not.toBe('');
    expect(choice?.message.content ?? '').toBe(digest.text);
    expect(choice?.message.refusal ?? '').toBe(refusalIn(response));
    const calls = (choice?.message.tool_calls ?? []).map((call) =>
      call.type === 'function'
        ? { id: call.id, name: call.function.name, arguments: JSON.parse(call.function.arguments) }
        : call,
    );
    expect(calls).toEqual(digest.toolCalls);
    expect(read.usage?.prompt_tokens).toBe(response.usage.input);
    expect(choice?.finish_reason).toBe(expectedWord(digest));
    if (digest.finish === 'function_call') expect(choice?.message.function_call?.name).toBe(callsIn(response)[0]?.name);
  }

  function expectedWord({ finish, toolCalls }: Digest): string {
    if (finish === 'function_call') return finish;
    if (toolCalls?.length) return 'tool_calls';
    return finish === 'length' ? finish : 'stop';
  }
});
