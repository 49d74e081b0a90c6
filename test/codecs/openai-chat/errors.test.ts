import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { openaiChat } from '../../../src/codecs/openai-chat/index.ts';
import { type ErrorDetails, type ErrorKind, GatewayError } from '../../../src/model/errors.ts';
import { chunk, sseOf } from './answers.ts';

const decoded = (status: number, body: unknown, headers: Record<string, string> = {}): GatewayError =>
  openaiChat.decodeError(status, typeof body === 'string' ? body : JSON.stringify(body), headers);

describe('an error of a provider', () => {
  test.each<[string, number, unknown, ErrorKind, string]>([
    ['OpenAI', 400, { error: { message: 'bad', type: 'invalid_request_error' } }, 'invalid-request', 'bad'],
    ['xAI', 400, { code: 'x', error: 'no such key' }, 'invalid-request', 'no such key'],
    ['a plain message', 404, { message: 'no route' }, 'not-found', 'no route'],
    ['FastAPI', 422, { detail: [{ msg: 'field required' }] }, 'invalid-request', '[{"msg":"field required"}]'],
    ['a list', 429, [{ error: { message: 'slow down', code: 429 } }], 'rate-limit', 'slow down'],
    [
      'OpenRouter',
      502,
      { error: { message: 'Provider returned error', metadata: { raw: 'busy' } } },
      'overloaded',
      'Provider returned error: busy',
    ],
    [
      'an HTML page',
      502,
      '<html><title>Bad gateway</title></html>',
      'overloaded',
      'upstream answered 502 with an HTML page: Bad gateway',
    ],
    ['nothing', 503, '', 'overloaded', 'upstream answered 503 with an empty body'],
    ['text', 500, 'oops', 'overloaded', 'oops'],
  ])('in the form of %s is understood', (_, status, body, kind, message) => {
    expect(decoded(status, body)).toMatchObject({ kind, message, details: { status } });
  });

  test.each<[number, string, ErrorKind]>([
    [400, 'context_length_exceeded', 'invalid-request'],
    [429, 'insufficient_quota', 'billing'],
    [400, 'content_filter', 'content-policy'],
    [400, 'model_not_found', 'not-found'],
    [400, 'tool_use_failed', 'bad-response'],
    [429, 'rate_limit_exceeded', 'rate-limit'],
    [401, 'invalid_api_key', 'authentication'],
    [402, '', 'billing'],
    [529, '', 'overloaded'],
  ])('%i with code "%s" is of kind %s', (status, code, kind) => {
    expect(decoded(status, { error: { message: 'm', code } }).kind).toBe(kind);
  });

  test('E9 status, type, code, param, retry-after and request id survive', () => {
    const body = { error: { message: 'm', type: 'tokens', code: 'rate_limit_exceeded', param: 'model' } };
    expect(decoded(429, body, { 'retry-after': '2', 'x-request-id': 'req_1' }).details).toEqual({
      status: 429,
      type: 'tokens',
      code: 'rate_limit_exceeded',
      param: 'model',
      retryAfterMs: 2_000,
      upstreamRequestId: 'req_1',
    });
  });

  test.each<[Record<string, string>, number | undefined]>([
    [{ 'retry-after-ms': '150', 'retry-after': '9' }, 150],
    [{ 'retry-after': '1.5' }, 1_500],
    [{ 'retry-after': 'Mon, 01 Jan 2029 00:00:10 GMT', date: 'Mon, 01 Jan 2029 00:00:00 GMT' }, 10_000],
    [{ 'retry-after': 'Mon, 01 Jan 2029 00:00:10 GMT' }, undefined],
    [{ 'retry-after': 'soon' }, undefined],
  ])('%j means to wait %s ms', (headers, expected) => {
    expect(decoded(429, '', headers).details.retryAfterMs).toBe(expected);
  });
});

describe('an error to a client', () => {
  const encoded = (kind: ErrorKind, details: ErrorDetails = {}) =>
    openaiChat.encodeError(new GatewayError(kind, 'what happened', details));

  test("of our own wears the original gateway's envelope", () => {
    expect(encoded('budget', { type: 'budget_exceeded' })).toEqual({
      status: 402,
      body: {
        type: 'budget_exceeded',
        is_bifrost_error: true,
        status_code: 402,
        error: { message: 'what happened', type: 'budget_exceeded', param: null, code: null },
      },
    });
  });

  test('of the upstream keeps its status, words and retry-after', () => {
    const details = { status: 429, type: 'tokens', code: 'rate_limit_exceeded', retryAfterMs: 1_200 };
    expect(encoded('rate-limit', details)).toEqual({
      status: 429,
      headers: { 'retry-after': '2' },
      body: {
        is_bifrost_error: false,
        status_code: 429,
        error: { message: 'what happened', type: 'tokens', param: null, code: 'rate_limit_exceeded' },
      },
    });
  });

  test('is read by the openai SDK', async () => {
    const { status, body } = encoded('not-found', { code: 'model_not_found', param: 'model' });
    const client = new OpenAI({
      apiKey: 'none',
      maxRetries: 0,
      fetch: async () =>
        new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } }),
    });
    await expect(client.chat.completions.create({ model: 'm', messages: [] })).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
      param: 'model',
      type: 'not_found_error',
      message: '404 what happened',
    });
  });
});

describe('a glance at the tail', () => {
  const glance = (text: string) => openaiChat.glance(Buffer.from(text), 'sse');
  const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };

  test('sees usage and finish, however long the answer was', () => {
    const long = Array.from({ length: 200 }, () => chunk({ content: 'word '.repeat(20) }));
    expect(glance(sseOf(...long, chunk({}, 'length'), { choices: [], usage }))).toEqual({
      usage: { input: 5, output: 2, cacheRead: 0, cacheWrite: 0, reasoning: 0 },
      reason: { kind: 'length', raw: { codec: 'openai-chat', word: 'length' } },
      complete: true,
    });
  });

  test('sees that a stream was cut or failed', () => {
    expect(glance(sseOf(chunk({ content: 'x' })).replace('data: [DONE]\n\n', ''))).toEqual({ complete: false });
    const failed = glance(sseOf(chunk({ content: 'x' }), { error: { message: 'gone', code: 500 } }));
    expect(failed).toMatchObject({ complete: false, error: { kind: 'overloaded', message: 'gone' } });
  });

  test('is not misled by words in the text', () => {
    const content = '"usage":{"prompt_tokens":99} "finish_reason":"stop" "error":{"message":"x"}';
    const body = { usage, choices: [{ message: { content: content.repeat(300) }, finish_reason: 'stop' }] };
    expect(openaiChat.glance(Buffer.from(JSON.stringify(body)), 'json')).toMatchObject({
      usage: { input: 5 },
      complete: true,
    });
    expect(glance(sseOf(chunk({ content }))).error).toBeUndefined();
  });

  test('of a whole body that was cut is incomplete', () => {
    expect(openaiChat.glance(Buffer.from('{"choices":[{"message"'), 'json')).toEqual({ complete: false });
  });
});
