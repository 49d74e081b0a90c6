import { describe, expect, test } from 'vitest';
import { anthropicMessages } from '../../../src/codecs/anthropic-messages/index.ts';
import { type ErrorDetails, type ErrorKind, GatewayError } from '../../../src/model/errors.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import { dataOf } from './support.ts';

const { decodeError, encodeError, encodeStreamError } = anthropicMessages;

const wire = (type: string, message = 'words'): JsonObject => ({ type: 'error', error: { type, message } });

describe('reading an error', () => {
  const KINDS: readonly (readonly [number, string, ErrorKind])[] = [
    [400, 'invalid_request_error', 'invalid-request'],
    [401, 'authentication_error', 'authentication'],
    [402, 'billing_error', 'billing'],
    [403, 'permission_error', 'permission'],
    [404, 'not_found_error', 'not-found'],
    [413, 'request_too_large', 'too-large'],
    [429, 'rate_limit_error', 'rate-limit'],
    [500, 'api_error', 'overloaded'],
    [504, 'timeout_error', 'timeout'],
    [529, 'overloaded_error', 'overloaded'],
    [418, 'teapot_error', 'invalid-request'],
    [599, 'teapot_error', 'overloaded'],
  ];

  test.each(KINDS)('E9 %i %s is %s, and goes on as it came', (status, type, kind) => {
    const body = { ...wire(type), request_id: 'req_1' };
    const error = decodeError(status, JSON.stringify(body), {});
    expect(error).toMatchObject({ kind, message: 'words', details: { status, type, upstreamRequestId: 'req_1' } });
    expect(encodeError(error).status).toBe(status);
    if (type !== 'teapot_error') expect(encodeError(error).body).toEqual(body);
  });

  test('what it says in its details goes on: clients of message threads act on it', () => {
    const details = { error_code: 'thread_not_found' };
    const body = { type: 'error', error: { type: 'not_found_error', message: 'gone', details } };
    expect(encodeError(decodeError(404, JSON.stringify(body), {})).body).toEqual(body);
  });

  const HTML = '<html>\n<head><title>502 Bad\n Gateway</title></head><body><h1>x</h1></body></html>';
  const SHAPES: readonly (readonly [string, string, string])[] = [
    ["OpenAI's", '{"error":{"message":"words","type":"server_error","code":null}}', 'words'],
    ['a string', '{"error":"words"}', 'words'],
    ['a message', '{"message":"words"}', 'words'],
    ['a detail', '{"detail":"words"}', 'words'],
    ['a bare string', '"words"', 'words'],
    ['plain text', 'words\n', 'words'],
    ['JSON that says nothing', '{"ok":false}', 'upstream answered 502: {"ok":false}'],
    ['a page', HTML, 'upstream answered 502 with an HTML page: 502 Bad Gateway'],
    ['a page without a title', '<!DOCTYPE html><p>', 'upstream answered 502 with an HTML page'],
    ['nothing', '', 'upstream answered 502 with an empty body'],
  ];

  test.each(SHAPES)('E9 %s as a body', (_what, text, message) => {
    const error = decodeError(502, text, { 'request-id': 'req_2' });
    expect(error).toMatchObject({ kind: 'overloaded', message, details: { status: 502, upstreamRequestId: 'req_2' } });
    expect(encodeError(error).body).toMatchObject({ type: 'error', error: { type: 'overloaded_error', message } });
  });

  test('a long text is cut', () => {
    expect(decodeError(500, 'x'.repeat(10_000), {}).message).toBe(`${'x'.repeat(500)}…`);
  });

  const WAITS: readonly (readonly [Record<string, string>, number | undefined, string | undefined])[] = [
    [{ 'retry-after': '13' }, 13_000, '13'],
    [{ 'retry-after-ms': '1500', 'retry-after': '9' }, 1_500, '2'],
    [{ 'retry-after': 'Fri, 02 Jan 2026 00:00:30 GMT', date: 'Fri, 02 Jan 2026 00:00:00 GMT' }, 30_000, '30'],
    [{ 'retry-after': 'Fri, 02 Jan 2026 00:00:30 GMT' }, undefined, undefined],
    [{ 'retry-after': 'soon' }, undefined, undefined],
    [{}, undefined, undefined],
  ];

  test.each(WAITS)('%j is a wait of %s ms', (headers, retryAfterMs, header) => {
    const error = decodeError(429, '', headers);
    expect(error.details.retryAfterMs).toBe(retryAfterMs);
    expect(encodeError(error).headers?.['retry-after']).toBe(header);
  });
});

describe('writing an error', () => {
  const ROWS: readonly (readonly [ErrorKind, ErrorDetails, number, string])[] = [
    ['invalid-request', {}, 400, 'invalid_request_error'],
    ['authentication', {}, 401, 'authentication_error'],
    ['permission', {}, 403, 'permission_error'],
    ['billing', {}, 402, 'billing_error'],
    ['budget', {}, 402, 'billing_error'],
    ['not-found', {}, 404, 'not_found_error'],
    ['too-large', {}, 413, 'request_too_large'],
    ['rate-limit', {}, 429, 'rate_limit_error'],
    ['content-policy', {}, 400, 'invalid_request_error'],
    ['overloaded', {}, 503, 'overloaded_error'],
    ['overloaded', { status: 529 }, 529, 'overloaded_error'],
    ['overloaded', { status: 500, type: 'server_error' }, 500, 'api_error'],
    // OpenAI's one word for every refusal
    ['authentication', { status: 401, type: 'invalid_request_error' }, 401, 'authentication_error'],
    ['permission', { status: 403, type: 'invalid_request_error' }, 403, 'permission_error'],
    ['not-found', { status: 404, type: 'invalid_request_error' }, 404, 'not_found_error'],
    ['invalid-request', { status: 422, type: 'invalid_request_error' }, 422, 'invalid_request_error'],
    ['timeout', { status: 504, type: 'api_error' }, 504, 'api_error'],
    ['timeout', {}, 504, 'timeout_error'],
    ['network', {}, 502, 'api_error'],
    ['bad-response', {}, 502, 'api_error'],
    ['cancelled', {}, 499, 'api_error'],
    ['internal', {}, 500, 'api_error'],
  ];

  test.each(ROWS)('%s with %j is %i %s', (kind, details, status, type) => {
    const { status: given, body } = encodeError(new GatewayError(kind, 'words', details));
    expect([given, body]).toEqual([status, wire(type)]);
  });

  const CONTEXT = [
    'prompt is too long: 3333404 tokens > 200000 maximum',
    "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.",
    'The input token count (1250074) exceeds the maximum number of tokens allowed (1048576).',
  ];

  test.each(CONTEXT)('F8 "%s" keeps its words and status 400', (message) => {
    const error = decodeError(400, JSON.stringify({ error: { message, type: 'invalid_request_error' } }), {});
    expect(encodeError(error)).toMatchObject({ status: 400, body: { error: { message } } });
  });

  test("OpenAI's words for too many tokens become those that Claude Code acts on", () => {
    const message =
      'max_tokens is too large: 32000. This model supports at most 16384 completion tokens, whereas you provided 32000.';
    const error = decodeError(400, JSON.stringify({ error: { message, type: 'invalid_request_error' } }), {});
    expect(encodeError(error)).toMatchObject({
      status: 400,
      body: {
        error: {
          type: 'invalid_request_error',
          message: expect.stringMatching(
            /^max_tokens: 32000 > 16384, which is the maximum allowed number of output tokens for \S/,
          ),
        },
      },
    });
  });

  const IN_STREAM: readonly (readonly [ErrorKind, ErrorDetails, string])[] = [
    ['overloaded', { type: 'api_error', status: 500 }, 'overloaded_error'],
    ['network', {}, 'overloaded_error'],
    ['timeout', {}, 'overloaded_error'],
    ['bad-response', {}, 'overloaded_error'],
    ['internal', {}, 'overloaded_error'],
    ['rate-limit', {}, 'rate_limit_error'],
    ['budget', {}, 'billing_error'],
    ['invalid-request', {}, 'invalid_request_error'],
  ];

  test.each(IN_STREAM)('C7 %s with %j ends a stream as %s', (kind, details, type) => {
    const text = encodeStreamError(new GatewayError(kind, 'words', details));
    expect(text.startsWith('event: error\ndata: ')).toBe(true);
    expect(dataOf(text)).toEqual([wire(type)]);
  });
});
