import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent } from 'undici';
import { afterEach, expect, test } from 'vitest';
import { fetchThrough } from '../../src/mcp/light-fetch.ts';

let server: Server | undefined;
let agent: Agent | undefined;

afterEach(async () => {
  await agent?.destroy();
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
});

/** What the light fetch asks `listener` by POST. */
async function asking(listener: RequestListener) {
  const listening = createServer(listener);
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  agent = new Agent();
  const fetch = fetchThrough(agent);
  const url = `http://127.0.0.1:${(listening.address() as AddressInfo).port}/mcp`;
  const headers = { 'content-type': 'application/json' };
  return (init: RequestInit = {}) => fetch(url, { method: 'POST', body: '{"id":1}', headers, ...init });
}

test('a JSON answer has its status, headers and value', async () => {
  const ask = await asking((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'one' }).end('{"id":1}');
  });
  const response = await ask();
  expect([response.ok, response.status, response.headers.get('mcp-session-id')]).toEqual([true, 200, 'one']);
  expect(await response.json()).toEqual({ id: 1 });
});

test('a redirect is followed with the body, unless it is to be seen', async () => {
  const ask = await asking((request, response) => {
    if (request.url === '/mcp') response.writeHead(307, { location: '/mcp/' }).end();
    else request.pipe(response.writeHead(200, { 'content-type': 'application/json' }));
  });
  expect(await (await ask()).json()).toEqual({ id: 1 });
  expect((await ask({ redirect: 'manual' })).status).toBe(307);
});

test('an event stream is read as it comes, and its server hears when nobody reads on', async () => {
  let left: () => void = () => undefined;
  const hasLeft = new Promise<void>((resolve) => {
    left = resolve;
  });
  const ask = await asking((_, response) => {
    response.once('close', left);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
  });
  const reader = (await ask()).body?.getReader();
  const piece = await reader?.read();
  expect(Buffer.from(piece?.value ?? []).toString()).toBe('data: 1\n\n');
  await reader?.cancel();
  await hasLeft;
});

test.each([204, 202, 404, 500])('a status %i without JSON is a response like any other', async (status) => {
  const ask = await asking((_, response) => response.writeHead(status).end());
  const response = await ask();
  expect([response.status, await response.text()]).toEqual([status, '']);
});

test('a cancelled request fails for the reason of its signal', async () => {
  const ask = await asking(() => undefined);
  const stop = new AbortController();
  const asked = ask({ signal: stop.signal });
  stop.abort(new Error('nobody wants it'));
  await expect(asked).rejects.toThrow('nobody wants it');
});
