import type { ServerResponse } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/model/errors.ts';
import { asDirectResponse, type DirectResponse } from '../../src/providers/direct-response.ts';
import { createNetwork, type Network } from '../../src/providers/fetch.ts';
import { hangUp, json, silence, sse, startUpstream, type Upstream } from '../support/upstream.ts';

let network: Network;
let upstream: Upstream;

beforeEach(async () => {
  network = createNetwork();
  upstream = await startUpstream();
});

afterEach(async () => {
  await network.close();
  await upstream.close();
});

const get = async (url: string, init: RequestInit = {}): Promise<DirectResponse> =>
  asDirectResponse(await network.fetchWith({ maxConnections: 10, insecureSkipVerify: false })(url, init));

async function readAll({ stream }: DirectResponse): Promise<string> {
  let text = '';
  for (let bytes = await stream?.read(); bytes; bytes = await stream?.read()) text += bytes.toString();
  return text;
}

test('a whole answer is collected, with its status and headers', async () => {
  upstream.answers(json({ ok: true }, { status: 201, headers: { 'x-request-id': 'r1', 'set-cookie': 'a=b' } }));
  const answer = await get(`${upstream.url}/v1/things?limit=2`, { method: 'POST', body: '{"a":1}' });
  expect(answer).toMatchObject({ status: 201, ok: true, statusText: 'Created', stream: undefined });
  expect(await answer.json()).toEqual({ ok: true });
  expect(answer.headers.get('X-Request-Id')).toBe('r1');
  expect(upstream.requests[0]).toMatchObject({ method: 'POST', path: '/v1/things?limit=2' });
  expect(upstream.requests[0]?.body.toString()).toBe('{"a":1}');
});

test.each([
  ['102 Processing', (response: ServerResponse) => response.writeProcessing()],
  ['103 Early Hints', (response: ServerResponse) => response.writeEarlyHints({ link: '</style.css>; rel=preload' })],
])('an answer behind %s, once or twice, is read as if there were none', async (_, writeEarly) => {
  upstream.answers(async (response, request) => {
    writeEarly(response);
    writeEarly(response);
    await json({ ok: true })(response, request);
  });
  const answer = await get(upstream.url, { method: 'POST', body: '{}' });
  expect([answer.status, await answer.json()]).toEqual([200, { ok: true }]);
});

test('an unasked 100 Continue, which ends the connection, is told as such', async () => {
  upstream.answers((response) => {
    response.writeContinue();
    response.end('{}');
  });
  await expect(get(upstream.url, { method: 'POST', body: '{}' })).rejects.toMatchObject({
    kind: 'network',
    message: expect.stringMatching(/^could not reach http:\/\/127\.0\.0\.1:\d+: it sent "100 Continue", which nobody/),
  });
});

test('an event stream is handed over as it grows', async () => {
  upstream.answers(sse(['data: 1\n\n', 'data: 2\n\n']));
  const answer = await get(upstream.url);
  expect(answer.stream).toBeDefined();
  expect(await readAll(answer)).toBe('data: 1\n\ndata: 2\n\n');
});

test.each([
  ['text/plain', 'data: {}\n\n'],
  ['application/json', 'event: message_start\ndata: {}\n\n'],
  [undefined, ': waiting\n\ndata: {}\n\n'],
])('events that come as %s are a stream all the same', async (type, events) => {
  upstream.answers((response) => {
    response.writeHead(200, type === undefined ? {} : { 'content-type': type }).end(events);
  });
  const answer = await get(upstream.url);
  expect(answer.stream).toBeDefined();
  expect(await readAll(answer)).toBe(events);
});

test('an event stream with an error status is collected like any other error', async () => {
  upstream.answers((response) => {
    response.writeHead(500, { 'content-type': 'text/event-stream' }).end('event: error\n\n');
  });
  const answer = await get(upstream.url);
  expect(answer.stream).toBeUndefined();
  expect(await answer.text()).toBe('event: error\n\n');
});

test('chunks that wait are read as one piece', async () => {
  upstream.answers(sse(['a', 'b', 'c']));
  const { stream } = await get(upstream.url);
  await upstream.requests[0]?.closed;
  // what stands in the sockets is read in one turn of the event loop; nothing else tells when it has been
  for (let turn = 0; turn < 20; turn += 1) await new Promise((next) => setImmediate(next));
  expect((await stream?.read())?.toString()).toBe('abc');
  expect(await stream?.read()).toBeUndefined();
});

describe('compressed answers are decoded although none was asked for', () => {
  const text = JSON.stringify({ text: 'x'.repeat(100_000) });
  test.each([
    ['gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['br', brotliCompressSync(text)],
  ])('%s', async (encoding, bytes) => {
    upstream.answers((response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': encoding }).end(bytes);
    });
    expect(await (await get(upstream.url)).text()).toBe(text);
  });

  test('gzip in a stream', async () => {
    upstream.answers((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
      response.end(gzipSync('data: 1\n\n'));
    });
    expect(await readAll(await get(upstream.url))).toBe('data: 1\n\n');
  });

  test('broken bytes are an error that says so', async () => {
    upstream.answers((response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('not gzip');
    });
    await expect(get(upstream.url)).rejects.toMatchObject({
      kind: 'bad-response',
      message: expect.stringContaining('gzip'),
    });
  });
});

describe('an answer without an end is let go of', () => {
  const limited = createNetwork(1_000_000);
  const ask = (): Promise<Response> =>
    limited.fetchWith({ maxConnections: 10, insecureSkipVerify: false })(upstream.url);

  test.each([
    ['that is good', 200],
    ['that tells an error', 500],
  ])('%s', async (_, status) => {
    let left: () => void = () => undefined;
    const hasLeft = new Promise<void>((resolve) => {
      left = resolve;
    });
    upstream.answers((response) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.on('close', left);
      const write = (): void => {
        while (!response.destroyed && response.write('a'.repeat(65_536)));
        response.once('drain', write);
      };
      write();
    });
    await expect(ask()).rejects.toThrow(
      /^http:\/\/127\.0\.0\.1:\d+ sent more than 1000000 bytes of an answer that is no stream/,
    );
    await hasLeft;
  });

  test('that is small until it is unpacked', async () => {
    upstream.answers((response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.end(gzipSync(Buffer.alloc(3_000_000)));
    });
    await expect(ask()).rejects.toMatchObject({ kind: 'bad-response' });
  });

  test('but not a stream, however long', async () => {
    upstream.answers(sse(Array.from({ length: 20 }, () => `data: ${'a'.repeat(100_000)}\n\n`)));
    expect(await readAll(asDirectResponse(await ask()))).toHaveLength(20 * 100_008);
  });
});

test('a slow reader makes the upstream wait', async () => {
  const total = 64 * 1_048_576;
  let written = 0;
  upstream.answers(async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const piece = Buffer.alloc(65_536, 'x');
    while (written < total) {
      const goesOn = response.write(piece);
      written += piece.length;
      if (!goesOn) await new Promise((resolve) => response.once('drain', resolve));
    }
    response.end();
  });
  const { stream } = await get(upstream.url);
  let before = -1;
  while (written !== before) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  // what stays under way fits into the sockets' buffers
  expect(written).toBeLessThan(total / 2);
  let read = 0;
  for (let bytes = await stream?.read(); bytes; bytes = await stream?.read()) read += bytes.length;
  expect(read).toBe(total);
});

describe('cancelling', () => {
  test('C17 the signal ends the upstream request before its headers', async () => {
    upstream.answers(silence);
    const abort = new AbortController();
    const answer = get(upstream.url, { signal: abort.signal });
    answer.catch(() => undefined);
    await expect.poll(() => upstream.requests.length).toBe(1);
    abort.abort();
    await expect(answer).rejects.toThrow('aborted');
    expect(await upstream.requests[0]?.closed).toBe('cut');
  });

  test('C17 the signal ends a stream under way, behind what already came', async () => {
    upstream.answers(sse(['data: 1\n\n'], 'open'));
    const abort = new AbortController();
    const { stream } = await get(upstream.url, { signal: abort.signal });
    expect((await stream?.read())?.toString()).toBe('data: 1\n\n');
    const reading = stream?.read();
    abort.abort();
    await expect(reading).rejects.toThrow('aborted');
    expect(await upstream.requests[0]?.closed).toBe('cut');
  });

  test('a signal that has fired sends nothing', async () => {
    await expect(get(upstream.url, { signal: AbortSignal.abort() })).rejects.toThrow('aborted');
    expect(upstream.requests).toEqual([]);
  });
});

describe('connection faults name the origin and nothing else', () => {
  test('nobody listens', async () => {
    const closed = await startUpstream();
    await closed.close();
    const failure = get(`${closed.url}/v1/secret-path?key=sk-1`, { headers: { authorization: 'Bearer sk-1' } });
    await expect(failure).rejects.toMatchObject({
      kind: 'network',
      message: `could not reach ${closed.url}: ECONNREFUSED; is it running?`,
    });
    await expect(failure).rejects.toBeInstanceOf(GatewayError);
  });

  test('the connection breaks before an answer', async () => {
    upstream.answers(hangUp);
    await expect(get(upstream.url)).rejects.toMatchObject({
      kind: 'network',
      message: `could not reach ${upstream.url}: it closed the connection`,
    });
  });

  test('the connection breaks in the middle of a stream, behind what already came', async () => {
    upstream.answers(sse(['data: 1\n\n'], 'cut'));
    const { stream } = await get(upstream.url);
    expect((await stream?.read())?.toString()).toBe('data: 1\n\n');
    await expect(stream?.read()).rejects.toMatchObject({
      kind: 'network',
      message: expect.stringContaining('was cut'),
    });
  });
});
