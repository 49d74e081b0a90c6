import { once } from 'node:events';
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { asDirectResponse, type DirectResponse } from '../../src/providers/direct-response.ts';
import { createNetwork, type Network } from '../../src/providers/fetch.ts';
import { certificate } from '../support/certificate.ts';
import { type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { startTlsFront } from '../support/tls-front.ts';
import { json, startUpstream } from '../support/upstream.ts';

type Answer = (response: Http2ServerResponse, request: Http2ServerRequest, body: string) => void;

let network: Network;
let server: Http2SecureServer;
let url: string;
let answer: Answer;
/** The protocol of each request that came. */
let versions: string[];
let sessions: ServerHttp2Session[];

beforeEach(async () => {
  network = createNetwork();
  versions = [];
  sessions = [];
  answer = (response) => void response.end('{}');
  server = createSecureServer({ ...certificate, allowHTTP1: true }, async (request, response) => {
    versions.push(request.httpVersion);
    let body = '';
    for await (const piece of request) body += piece;
    answer(response, request, body);
  });
  server.on('session', (session) => sessions.push(session));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // a listening server has an address
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  await network.close();
  for (const session of sessions) session.destroy();
  await new Promise((resolve) => server.close(resolve));
});

const OPTIONS = { maxConnections: 10, insecureSkipVerify: false, caCertPem: certificate.cert };

const ask = async (init: RequestInit = {}, http2 = true, at = url): Promise<DirectResponse> =>
  asDirectResponse(await network.fetchWith({ ...OPTIONS, http2 })(`${at}/v1/things?limit=2`, init));

async function readAll({ stream }: DirectResponse): Promise<string> {
  let text = '';
  for (let bytes = await stream?.read(); bytes; bytes = await stream?.read()) text += bytes.toString();
  return text;
}

test('a whole answer comes over HTTP/2, its status and headers as ever', async () => {
  answer = (response, request, body) => {
    response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '7', 'set-cookie': ['a=1', 'b=2'] });
    response.end(JSON.stringify({ path: request.url, body, key: request.headers['x-key'] }));
  };
  const response = await ask({ method: 'POST', body: '{"a":1}', headers: { 'x-key': 'k' } });
  expect(versions).toEqual(['2.0']);
  expect(response).toMatchObject({ status: 429, ok: false });
  expect(response.headers.get('retry-after')).toBe('7');
  expect(Object.keys(response.headers.record).filter((name) => name.startsWith(':'))).toEqual([]);
  expect(await response.json()).toEqual({ path: '/v1/things?limit=2', body: '{"a":1}', key: 'k' });
});

test('it is spoken only where it is asked for', async () => {
  await ask({}, false);
  expect(versions).toEqual(['1.1']);
});

test('a provider that has no HTTP/2 is asked as it can be', async () => {
  const upstream = await startUpstream(json({ ok: true }));
  const front = await startTlsFront(Number(new URL(upstream.url).port));
  try {
    const response = await ask({}, true, `https://127.0.0.1:${front.port}`);
    expect(await response.json()).toEqual({ ok: true });
  } finally {
    await front.close();
    await upstream.close();
  }
});

test('a stream flows as it grows', async () => {
  let goOn = (): void => {};
  answer = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: 1\n\n');
    goOn = () => void response.end('data: 2\n\n');
  };
  const response = await ask({ method: 'POST', body: '{}' });
  expect((await response.stream?.read())?.toString()).toBe('data: 1\n\n');
  goOn();
  expect(await readAll(response)).toBe('data: 2\n\n');
});

test('a stream that is cut is an error, and the next request works', async () => {
  answer = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: 1\n\n', () => response.stream.close(2));
  };
  const cut = await ask({ method: 'POST', body: '{}' });
  await expect(readAll(cut)).rejects.toMatchObject({ kind: 'network' });
  answer = (response) => void response.end('{"ok":true}');
  expect(await (await ask()).json()).toEqual({ ok: true });
});

test('who leaves a stream ends it at the provider, too', async () => {
  let left: Promise<unknown> = Promise.resolve();
  answer = (response) => {
    left = once(response, 'close');
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: 1\n\n');
  };
  const controller = new AbortController();
  const response = await ask({ method: 'POST', body: '{}', signal: controller.signal });
  expect((await response.stream?.read())?.toString()).toBe('data: 1\n\n');
  controller.abort();
  await left;
  await expect(readAll(response)).rejects.toMatchObject({ name: 'AbortError' });
});

test('a large answer waits for who reads it, and arrives whole', async () => {
  const piece = 'x'.repeat(100_000);
  answer = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let at = 0; at < 30; at++) response.write(piece);
    response.end();
  };
  expect((await readAll(await ask({ method: 'POST', body: '{}' }))).length).toBe(3_000_000);
});

test('many at once all get their own answer', async () => {
  answer = (response, _request, body) => void response.end(JSON.stringify({ body }));
  const bodies = Array.from({ length: 40 }, (_, at) => `{"at":${at}}`);
  const answers = await Promise.all(bodies.map(async (body) => (await ask({ method: 'POST', body })).json()));
  expect(answers).toEqual(bodies.map((body) => ({ body })));
  expect(new Set(versions)).toEqual(new Set(['2.0']));
});

test('a session that the provider ended is opened anew', async () => {
  await ask();
  const [first] = sessions;
  const gone = first && once(first, 'close');
  first?.close();
  await gone;
  answer = (response) => void response.end('{"again":true}');
  expect(await (await ask()).json()).toEqual({ again: true });
});

test('enforce_http2 of a provider does it for whole answers and streams of the gateway', async () => {
  const choice = { index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' };
  const completion = { id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [choice] };
  answer = (response, _request, body) => {
    if (!JSON.parse(body).stream) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(completion));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const delta = { index: 0, delta: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' };
    const chunk = { ...completion, object: 'chat.completion.chunk', choices: [delta] };
    response.end(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`);
  };
  let gateway: Gateway | undefined;
  try {
    const { network_config, ...rest } = keyed(`${url}/v1`);
    const http2 = { enforce_http2: true, ca_cert_pem: certificate.cert };
    gateway = await startGatewayHere({
      providers: { groq: { ...rest, network_config: { ...network_config, ...http2 } } },
    });
    const chat = { model: 'groq/m', messages: [{ role: 'user', content: 'hi' }] };
    const whole = await post(`${gateway.url}/v1/chat/completions`, chat);
    expect(await whole.json()).toEqual(completion);
    const streamed = await post(`${gateway.url}/v1/chat/completions`, { ...chat, stream: true });
    expect(await streamed.text()).toContain('"content":"hi"');
    expect(versions).toEqual(['2.0', '2.0']);
  } finally {
    await gateway?.stop();
  }
});
