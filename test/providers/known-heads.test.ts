import { createServer, type Server } from 'node:net';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { GatewayError } from '../../src/model/errors.ts';
import { anthropicErrors } from '../../src/providers/anthropic.ts';
import { Cancellation } from '../../src/providers/cancellation.ts';
import { createNetwork, type Fetch, type Network } from '../../src/providers/fetch.ts';
import { headsOf, KnownHeads } from '../../src/providers/known-heads.ts';
import { openAiErrors } from '../../src/providers/openai.ts';
import { throughSdk } from '../../src/providers/sdk-upstream.ts';
import { WireHead } from '../../src/providers/wire-head.ts';

let network: Network;
let server: Server;
let origin: string;
let received: string[];
/** Undefined: the connection is cut. */
let answer: string | undefined;

/** Answers `{}` to whatever comes and keeps the bytes of each request. */
beforeEach(async () => {
  received = [];
  answer = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}';
  server = createServer((socket) => {
    socket.on('data', (bytes) => {
      received.push(bytes.toString('latin1'));
      if (answer === undefined) socket.destroy();
      else socket.write(answer);
    });
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  network = createNetwork();
});

afterEach(async () => {
  await network.close();
  await new Promise((resolve) => server.close(resolve));
});

const fetchOf = () => network.fetchWith({ maxConnections: 1, insecureSkipVerify: false });

const common = (fetch: Fetch) => ({
  apiKey: 'sk-test',
  maxRetries: 0,
  timeout: 30_000,
  logLevel: 'off' as const,
  fetch,
  defaultHeaders: { 'x-extra': 'yes' },
});

const vendors = {
  openai: (fetch: Fetch) => {
    const client = new OpenAI({ ...common(fetch), baseURL: `${origin}/v1` });
    return { client, heads: headsOf(client), errors: openAiErrors };
  },
  anthropic: (fetch: Fetch) => {
    const client = new Anthropic({ ...common(fetch), baseURL: origin, openTelemetry: false });
    return { client, heads: headsOf(client), errors: anthropicErrors };
  },
};

/** The upstream behind a client, how often the client has built a head, and how often it has sent by itself. */
function scene(vendor: keyof typeof vendors) {
  const fetch = fetchOf();
  const { client, heads, errors } = vendors[vendor](fetch);
  const target = { provider: vendor, sdk: vendor, baseUrl: origin, headers: {}, timeoutMs: 30_000 } as const;
  const network = { maxConnections: 1, insecureSkipVerify: false };
  const upstream = throughSdk((path) => ({ client, path, heads }), errors, { ...target, ...network }, fetch);
  return { upstream, sends: vi.spyOn(client, 'fetchWithTimeout'), client };
}

const cancellable = (headers: Record<string, string>) => ({ headers, cancellation: new Cancellation() });

const body = Buffer.from('{"model":"m","messages":[{"role":"user","content":"grüße"}]}');
const headers = { 'content-type': 'application/json' };
const cases = [
  ['bytes', body, headers],
  ['text', body.toString(), headers],
  ['forwarded headers', body, { ...headers, 'anthropic-beta': 'a,b', 'anthropic-version': '2023-06-01' }],
  ['another default header', body, { ...headers, 'x-extra': 'no' }],
] as const;

describe.each(['openai', 'anthropic'] as const)('%s', (vendor) => {
  test.each(cases)('what goes out under a known head is what the SDK sends: %s', async (_name, sent, given) => {
    const { client, upstream, sends } = scene(vendor);
    await client.post('/chat', { body: sent, headers: given }).asResponse();
    for (let time = 0; time < 3; time++) await upstream.post('/chat', sent, cancellable(given));
    const [expected, ...same] = received;
    expect(expected).toContain('authorization: Bearer sk-test');
    expect(same).toEqual([expected, expected, expected]);
    expect(sends).toHaveBeenCalledTimes(1);
  });

  test('the SDK is asked once for a path and its headers', async () => {
    const { upstream, sends } = scene(vendor);
    for (const path of ['/a', '/a', '/b', '/a']) await upstream.post(path, body, cancellable(headers));
    await upstream.post('/a', body, cancellable({ ...headers, 'x-other': '1' }));
    expect(sends).toHaveBeenCalledTimes(3);
    expect(received.map((text) => text.split(' ')[1]?.replace('/v1', ''))).toEqual(['/a', '/a', '/b', '/a', '/a']);
  });

  test('what is out of the ordinary goes the own way of the SDK', async () => {
    const { client, upstream, sends } = scene(vendor);
    await upstream.post('/a', body, cancellable(headers));
    await upstream.post('/a', body, { headers, signal: new AbortController().signal });
    await upstream.post('/a', body, { ...cancellable(headers), wishes: { answerMode: 'streamed' } });
    await upstream.get('/models', cancellable(headers));
    await client.post('/a', { body, headers, query: { beta: 'true' } }).asResponse();
    await client.post('/a', { body: { plain: 'object' } }).asResponse();
    expect(sends).toHaveBeenCalledTimes(6);
  });

  test('a head that the SDK built for a call of another kind is not taken for a known one', async () => {
    const { client, upstream } = scene(vendor);
    await client.post('/a', { body, headers, query: { beta: 'true' } }).asResponse();
    await client.post('/a', { body: { plain: 'object' }, headers }).asResponse();
    await upstream.post('/a', body, cancellable(headers));
    expect(received.map((text) => text.split(' ')[1]?.replace('/v1', ''))).toEqual(['/a?beta=true', '/a', '/a']);
    expect(received[2]).toContain('grÃ¼Ã\u009fe');
  });

  test('a refusal under a known head is an answer, with its status and body', async () => {
    const { upstream } = scene(vendor);
    await upstream.post('/a', body, cancellable(headers));
    answer = 'HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 4\r\n\r\nlate';
    const refused = await upstream.post('/a', body, cancellable(headers));
    expect([refused.status, refused.headers.get('retry-after'), await refused.text()]).toEqual([429, '7', 'late']);
  });

  test('a broken connection and a cancelled call are told as they are behind the SDK', async () => {
    const { upstream } = scene(vendor);
    await upstream.post('/a', body, cancellable(headers));
    answer = undefined;
    await expect(upstream.post('/a', body, cancellable(headers))).rejects.toMatchObject({
      kind: 'network',
      details: { provider: vendor },
    });
    const cancelled = cancellable(headers);
    cancelled.cancellation.fire(new GatewayError('cancelled', 'nobody listens'));
    await expect(upstream.post('/a', body, cancelled)).rejects.toMatchObject({ kind: 'cancelled' });
  });
});

test('no more heads are kept than a client makes of its paths and forwarded headers', async () => {
  const heads = new KnownHeads();
  const head = { url: origin, headers: new WireHead({}) };
  for (let place = 0; place < 65; place++) heads.keep(`/${place}`, headers, head);
  expect(heads.sent('/0', body, cancellable(headers), fetchOf())).toBeUndefined();
  expect(await heads.sent('/64', body, cancellable({ ...headers }), fetchOf())).toMatchObject({ status: 200 });
});
