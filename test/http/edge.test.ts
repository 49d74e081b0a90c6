import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { chat, dialects } from '../support/dialects.ts';
import { type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';

let upstream: ChatUpstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await startChatUpstream(() => ({ text: 'fine' }));
  gateway = await startGatewayHere({
    providers: { openai: keyed(upstream.url) },
    client: { allowed_origins: ['https://*.example.com'] },
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

interface Raw {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** A request with headers that `fetch` would not send. */
const raw = (method: string, path: string, headers: Record<string, string>, body = ''): Promise<Raw> =>
  new Promise((resolve, reject) => {
    const outgoing = request(`${gateway.url}${path}`, { method, headers }, (incoming) => {
      let text = '';
      incoming.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });

describe.each(dialects)('$name: pages and programs', (dialect) => {
  const body = JSON.stringify(dialect.question('openai/gpt-4o'));
  const ask = (headers: Record<string, string>) => raw('POST', dialect.path, headers, body);

  test.each([
    ['a foreign page', { origin: 'https://evil.test' }, /Origin 'https:\/\/evil\.test' is not allowed; add it to/],
    ['a page whose name was pointed here', { host: 'evil.test' }, /Host 'evil\.test' is not this gateway/],
    ['a sandboxed page', { origin: 'null' }, /Origin 'null' is not allowed/],
  ])('%s is refused', async (_, headers, message) => {
    const seen = upstream.bodies.length;
    const answer = await ask(headers);
    expect(answer.status).toBe(403);
    expect(dialect.errorOf(JSON.parse(answer.text)).message).toMatch(message);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(upstream.bodies).toHaveLength(seen);
  });

  test.each([
    ['a program', {}],
    ['an allowed page', { origin: 'https://app.example.com' }],
    ['a page on this machine', { origin: 'http://localhost:5173' }],
    ['a program that says localhost', { host: 'localhost:8080' }],
  ])('%s is served', async (_, headers) => {
    const answer = await ask(headers);
    expect(dialect.textOf(JSON.parse(answer.text))).toBe('fine');
    if ('origin' in headers) expect(answer.headers['access-control-allow-origin']).toBe(headers.origin);
  });

  test('the preflight of an allowed page is answered, that of a foreign one refused', async () => {
    const asked = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-api-key' };
    const allowed = await raw('OPTIONS', dialect.path, { origin: 'https://app.example.com', ...asked });
    expect([allowed.status, allowed.headers['access-control-allow-origin']]).toEqual([204, 'https://app.example.com']);
    expect(allowed.headers['access-control-allow-headers']).toBe('x-api-key');
    expect((await raw('OPTIONS', dialect.path, { origin: 'https://evil.test', ...asked })).status).toBe(403);
  });
});

test.each(['/anthropic', '/anthropic/api/hello', '/v1/nothing', '/nothing'])(
  'HEAD %s, as clients probe, is a 404 without a body',
  async (path) => {
    const answer = await raw('HEAD', path, {});
    expect([answer.status, answer.text]).toEqual([404, '']);
  },
);

test.each(['/v1/models', '/anthropic/v1/models', '/genai/v1beta/models'])(
  'HEAD %s is what GET is, without a body',
  async (path) => {
    const [head, get] = [await raw('HEAD', path, {}), await raw('GET', path, {})];
    expect([head.status, head.text]).toEqual([200, '']);
    expect(head.headers['content-length']).toBe(String(Buffer.byteLength(get.text)));
  },
);

test('telemetry that Claude Code sends is refused in its own dialect', async () => {
  const answer = await post(`${gateway.url}/anthropic/api/event_logging/batch`, { events: [] });
  expect(await answer.json()).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
});

const UPGRADE = [
  'GET /v1/responses HTTP/1.1',
  'host: localhost',
  'connection: upgrade',
  'upgrade: websocket',
  'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-version: 13',
].join('\r\n');

test('a WebSocket is refused at once, so that the client goes on over HTTP', async () => {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  socket.write(`${UPGRADE}\r\n\r\n`);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  expect(text).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n/);
});

test('an offer of HTTP/2 on the same connection, as Java clients make it, is passed over', async () => {
  const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAEAAEAAAAIAAAAA' };
  const answer = await raw('POST', chat.path, headers, JSON.stringify(chat.question('openai/gpt-4o')));
  expect([answer.status, chat.textOf(JSON.parse(answer.text))]).toEqual([200, 'fine']);
});

test('clients that reset their WebSocket attempt do no harm', async () => {
  const port = Number(new URL(gateway.url).port);
  for (let attempt = 0; attempt < 20; attempt++) {
    const socket = connect(port, '127.0.0.1');
    await new Promise<void>((done) => socket.write(`${UPGRADE}\r\n\r\n`, () => done()));
    socket.resetAndDestroy();
  }
  expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
});

test.each([
  ['no HTTP', 'hello\r\n\r\n'],
  ['a header without an end', `GET / HTTP/1.1\r\nx: ${'x'.repeat(100_000)}`],
])('%s on the port gets an error status, and the next request works', async (_, text) => {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.write(text);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk.toString();
  });
  await new Promise((closed) => socket.on('close', closed));
  expect(answer).toMatch(/^(HTTP\/1\.1 4\d\d|$)/);
  expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
});
