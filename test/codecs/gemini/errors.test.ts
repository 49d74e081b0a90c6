import { describe, expect, test } from 'vitest';
import { gemini } from '../../../src/codecs/gemini/index.ts';
import { GatewayError } from '../../../src/model/errors.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import { dataOf } from './support.ts';

const decoded = (status: number, body: JsonObject | JsonObject[] | string, headers = {}): GatewayError =>
  gemini.decodeError(status, typeof body === 'string' ? body : JSON.stringify(body), headers);

const wire = (code: number, status: string, details?: JsonObject[]): JsonObject => ({
  error: { code, message: 'why', status, ...(details && { details }) },
});

describe('an error of a provider', () => {
  test.each([
    [400, 'INVALID_ARGUMENT', 'invalid-request'],
    [400, 'FAILED_PRECONDITION', 'invalid-request'],
    [401, 'UNAUTHENTICATED', 'authentication'],
    [403, 'PERMISSION_DENIED', 'permission'],
    [404, 'NOT_FOUND', 'not-found'],
    [429, 'RESOURCE_EXHAUSTED', 'rate-limit'],
    [500, 'INTERNAL', 'overloaded'],
    [503, 'UNAVAILABLE', 'overloaded'],
    [504, 'DEADLINE_EXCEEDED', 'timeout'],
    [418, 'A_NEW_WORD', 'invalid-request'],
  ])('%i %s is %s', (code, status, kind) => {
    expect(decoded(code, wire(code, status))).toMatchObject({
      kind,
      message: 'why',
      details: { status: code, type: status },
    });
  });

  test('a wrong key is a 400 that says so in its details', () => {
    const info = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' };
    expect(decoded(400, wire(400, 'INVALID_ARGUMENT', [info])).kind).toBe('authentication');
  });

  test.each([
    ['a RetryInfo', wire(429, 'RESOURCE_EXHAUSTED', [{ retryDelay: '48.9s' }]), {}, 48_900],
    ['its message', { error: { message: 'Please retry in 1.5s.' } }, {}, 1_500],
    ['a header', wire(503, 'UNAVAILABLE'), { 'retry-after': '7' }, 7_000],
    ['nothing', wire(503, 'UNAVAILABLE'), {}, undefined],
  ])('says in %s when to try again', (_where, body, headers, ms) => {
    expect(decoded(429, body, headers).details.retryAfterMs).toBe(ms);
  });

  test.each([
    ['a list, as streams give it', [wire(503, 'UNAVAILABLE')], 'why'],
    ['a page', '<html><title>Bad Gateway</title></html>', 'upstream answered 502 with an HTML page: Bad Gateway'],
    ['text', 'no route', 'no route'],
    ['nothing', '', 'upstream answered 502 with an empty body'],
  ])('is read from %s', (_what, body, message) => {
    expect(decoded(502, body)).toMatchObject({ message, details: { status: 502 } });
  });
});

describe('an error for a client', () => {
  test.each([
    ['invalid-request', 400, 'INVALID_ARGUMENT'],
    ['authentication', 401, 'UNAUTHENTICATED'],
    ['permission', 403, 'PERMISSION_DENIED'],
    ['not-found', 404, 'NOT_FOUND'],
    ['rate-limit', 429, 'RESOURCE_EXHAUSTED'],
    ['overloaded', 503, 'UNAVAILABLE'],
    ['timeout', 504, 'DEADLINE_EXCEEDED'],
    ['internal', 500, 'INTERNAL'],
  ] as const)('%s is %i %s', (kind, status, word) => {
    expect(gemini.encodeError(new GatewayError(kind, 'why'))).toEqual({
      status,
      body: { error: { code: status, message: 'why', status: word } },
    });
  });

  test('tells when to try again, and comes back the same', () => {
    const error = new GatewayError('rate-limit', 'slow down', { status: 429, retryAfterMs: 1_500 });
    const { status, body, headers } = gemini.encodeError(error);
    expect(headers).toEqual({ 'retry-after': '2' });
    expect(decoded(status, body)).toMatchObject({ kind: 'rate-limit', details: { status: 429, retryAfterMs: 1_500 } });
  });

  test('in a stream is a chunk', () => {
    const text = gemini.encodeStreamError(new GatewayError('network', 'gone'));
    expect(dataOf(text)).toEqual([{ error: { code: 502, message: 'gone', status: 'UNAVAILABLE' } }]);
  });
});
