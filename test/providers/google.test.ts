import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GatewayError } from '../../src/model/errors.ts';
import { fixture } from '../codecs/gemini/support.ts';
import { hangUp, json, type ReceivedRequest, silence, sse, startUpstream, type Upstream } from '../support/upstream.ts';
import { contextOf, framesFor, heard, openScene, providerAt, requestOf, type Scene } from './scene.ts';

const STREAM = fixture('thinking-and-calls.sse');
const ANSWER = fixture('answer.json');
const ASKED = { model: 'gemini/m', messages: [{ role: 'user', content: 'Hi' }] };

let scene: Scene;
let upstream: Upstream;

beforeAll(async () => {
  scene = openScene();
  upstream = await startUpstream();
});

afterAll(async () => {
  await scene.close();
  await upstream.close();
});

const asked = (network: object = {}, more: object = {}, context = contextOf('openai-chat'), stream = true) => {
  const request = requestOf('openai-chat', { ...ASKED, stream });
  return framesFor(scene, { provider: providerAt('gemini', upstream.url, network, more), request, context });
};
const lastRequest = (): ReceivedRequest | undefined => upstream.requests.at(-1);
const errorIn = async (frames: ReturnType<typeof asked>) => (await heard(frames)).error as GatewayError;

describe('a call through the google SDK', () => {
  test('names the model in the path and shows the key and extra headers', async () => {
    upstream.answers(sse([STREAM]));
    const { response } = await heard(asked({ extra_headers: { 'x-team': 'a' } }));
    expect(response.reason.kind).toBe('tool-calls');
    expect(lastRequest()).toMatchObject({
      method: 'POST',
      path: '/v1beta/models/m-up:streamGenerateContent?alt=sse',
      headers: {
        'x-goog-api-key': 'sk-secret',
        'x-team': 'a',
        'content-type': 'application/json',
        'accept-encoding': 'identity',
      },
    });
  });

  test('says the same when it is asked again, under the head that the SDK made', async () => {
    const provider = providerAt('gemini', upstream.url, { extra_headers: { 'x-team': 'again' } });
    const request = requestOf('openai-chat', { ...ASKED, stream: true });
    for (let time = 0; time < 3; time++) {
      upstream.answers(sse([STREAM]));
      await heard(framesFor(scene, { provider, request, context: contextOf('openai-chat') }));
    }
    const [first, ...again] = upstream.requests.slice(-3);
    expect(first?.headers['x-goog-api-key']).toBe('sk-secret');
    expect(again).toEqual([first, first]);
  });

  test('asks for a whole answer by another verb', async () => {
    upstream.answers(json(ANSWER));
    const { response } = await heard(asked({}, {}, contextOf('openai-chat'), false));
    expect(response.parts.map(({ type }) => type)).toContain('tool-call');
    expect(lastRequest()?.path).toBe('/v1beta/models/m-up:generateContent');
  });

  test('keeps status, words and pause of a refusal', async () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '3s' }];
    upstream.answers(
      json({ error: { code: 429, message: 'slow down', status: 'RESOURCE_EXHAUSTED', details } }, { status: 429 }),
    );
    expect(await errorIn(asked())).toMatchObject({
      kind: 'rate-limit',
      message: 'slow down',
      details: { status: 429, retryAfterMs: 3_000 },
    });
  });

  test('tells an HTML page apart', async () => {
    upstream.answers(
      json('<html><title>Bad Gateway</title></html>', { status: 502, headers: { 'content-type': 'text/html' } }),
    );
    expect(await errorIn(asked())).toMatchObject({ kind: 'overloaded', details: { status: 502 } });
  });

  test('that is not answered in time is a timeout', async () => {
    upstream.answers(silence);
    const error = await errorIn(asked({ default_request_timeout_in_seconds: 0.05 }));
    expect(error).toMatchObject({
      kind: 'timeout',
      message: expect.stringContaining('gemini did not answer within 0.05 s'),
    });
    expect(await lastRequest()?.closed).toBe('cut');
  });

  test('whose connection breaks is told, without the key', async () => {
    upstream.answers(hangUp);
    const error = await errorIn(asked());
    expect(error.kind).toBe('network');
    expect(error.message).not.toContain('sk-secret');
  });

  test('C17 ends upstream when the client leaves before the headers', async () => {
    upstream.answers(silence);
    const abort = new AbortController();
    const before = upstream.requests.length;
    const error = errorIn(asked({}, {}, contextOf('openai-chat', { signal: abort.signal })));
    while (upstream.requests.length === before) await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    expect(await error).toMatchObject({ kind: 'cancelled' });
    expect(await lastRequest()?.closed).toBe('cut');
  });

  test('C17 ends upstream when whoever reads stops reading', async () => {
    upstream.answers(sse([STREAM], 'open'));
    for await (const _ of asked()) break;
    expect(await lastRequest()?.closed).toBe('cut');
  });

  test('goes to a custom provider that speaks the same', async () => {
    upstream.answers(json(ANSWER));
    const custom_provider_config = { base_provider_type: 'gemini', is_key_less: true };
    const provider = providerAt('my-google', `${upstream.url}/v1beta`, {}, { keys: [], custom_provider_config });
    const request = requestOf('openai-chat', ASKED);
    await heard(framesFor(scene, { provider, request, context: contextOf('openai-chat'), model: 'tunedModels/x y' }));
    expect(lastRequest()?.path).toBe('/v1beta/tunedModels/x%20y:generateContent');
    expect(lastRequest()?.headers['x-goog-api-key']).toBeUndefined();
  });
});
