import { createServer, type Server } from 'node:net';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createNetwork, type Network } from '../../src/providers/fetch.ts';
import { cacheHeads } from '../../src/providers/head-cache.ts';

let network: Network;
let server: Server;
let origin: string;
let received: string[];

/** Answers `{}` to whatever comes and keeps the bytes of each request. */
beforeEach(async () => {
  received = [];
  server = createServer((socket) => {
    socket.on('data', (bytes) => {
      received.push(bytes.toString('latin1'));
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}');
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

const common = () => ({
  apiKey: 'sk-test',
  maxRetries: 0,
  timeout: 30_000,
  logLevel: 'off' as const,
  fetch: network.fetchWith({ maxConnections: 1, insecureSkipVerify: false }),
  defaultHeaders: { 'x-extra': 'yes' },
});

const vendors = {
  openai: () => new OpenAI({ ...common(), baseURL: `${origin}/v1` }),
  anthropic: () => new Anthropic({ ...common(), baseURL: origin, openTelemetry: false }),
};

const cacheHeadsOf = (client: OpenAI | Anthropic): void =>
  client instanceof OpenAI ? cacheHeads(client) : cacheHeads(client);

const body = Buffer.from('{"model":"m","messages":[{"role":"user","content":"grüße"}]}');
const headers = { 'content-type': 'application/json' };
const cases = [
  ['bytes', { body, headers }],
  ['text', { body: body.toString(), headers }],
  ['forwarded headers', { body, headers: { ...headers, 'anthropic-beta': 'a,b', 'anthropic-version': '2023-06-01' } }],
  ['another default header', { body, headers: { ...headers, 'x-extra': 'no' } }],
] as const;

describe.each(['openai', 'anthropic'] as const)('%s', (vendor) => {
  test.each(cases)('bytes on the wire are the same with and without kept heads: %s', async (_name, options) => {
    const plain = vendors[vendor]();
    await plain.post('/chat', options).asResponse();
    const caching = vendors[vendor]();
    cacheHeadsOf(caching);
    for (let time = 0; time < 3; time++) await caching.post('/chat', options).asResponse();
    const [expected, ...same] = received;
    expect(expected).toContain('authorization: Bearer sk-test');
    expect(same).toEqual([expected, expected, expected]);
  });

  test('the head is built once for a path and its headers', async () => {
    const client = vendors[vendor]();
    const build = vi.spyOn(client, 'buildRequest');
    cacheHeadsOf(client);
    for (const path of ['/a', '/a', '/b', '/a']) await client.post(path, { body, headers }).asResponse();
    await client.post('/a', { body, headers: { ...headers, 'x-other': '1' } }).asResponse();
    expect(build).toHaveBeenCalledTimes(3);
    expect(received.map((text) => text.split(' ')[1]?.replace('/v1', ''))).toEqual(['/a', '/a', '/b', '/a', '/a']);
  });

  test('what is out of the ordinary goes the own way of the SDK', async () => {
    const client = vendors[vendor]();
    const build = vi.spyOn(client, 'buildRequest');
    cacheHeadsOf(client);
    for (let time = 0; time < 2; time++) {
      await client.post('/a', { body: { plain: 'object' } }).asResponse();
      await client.post('/a', { body, headers, query: { beta: 'true' } }).asResponse();
      await client.post('/a', { body, headers, timeout: 1_000 }).asResponse();
      await client.get('/models').asResponse();
    }
    expect(build).toHaveBeenCalledTimes(8);
  });
});
