import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, expect, test } from 'vitest';
import { callerOf } from '../../src/http/caller.ts';
import { handleMcp, type McpEndpoint } from '../../src/http/mcp.ts';
import { originCheck } from '../../src/http/origin.ts';
import { McpServer } from '../../src/mcp/server/server.ts';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { LocalTools, textResult } from '../support/tool-source.ts';

const opened: { http: Server; mcp: McpServer }[] = [];

afterEach(async () => {
  for (const { http, mcp } of opened.splice(0)) {
    mcp.close();
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  }
});

async function endpointOf(tools: LocalTools, changes: Partial<McpEndpoint> = {}) {
  const mcp = new McpServer({ tools, version: '1.2.3' });
  const check = originCheck({ host: '127.0.0.1', port: 0, allowedOrigins: [] });
  const endpoint: McpEndpoint = { server: mcp, check, callerOf, maxBodyBytes: 1_000_000, ...changes };
  const http = createServer((request, response) => void handleMcp(request, response, endpoint));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  opened.push({ http, mcp });
  return { mcp, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp` };
}

const BOTH = 'application/json, text/event-stream';

const post = (url: string, body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: BOTH, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal && { signal }),
  });

const rpc = (method: string, params: object = {}, id: string | number = 1) => ({ jsonrpc: '2.0', id, method, params });

const INITIALIZE = rpc('initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
});

const sessionOf = async (url: string): Promise<string> =>
  (await post(url, INITIALIZE)).headers.get('mcp-session-id') ?? '';

async function resultOf(response: Response): Promise<JsonObject> {
  const answer = await response.json();
  if (isObject(answer) && isObject(answer.result)) return answer.result;
  throw new Error(`no result: ${JSON.stringify(answer)}`);
}

/** The JSON-RPC messages of an event stream that has ended. */
const eventsOf = (text: string) =>
  text
    .split('\n\n')
    .flatMap((event) => event.split('\n').filter((line) => /^data: \S/.test(line)))
    .map((line) => JSON.parse(line.slice(6)));

/** A promise and the function that fulfils it. */
function gate<Value = void>() {
  let open: (value: Value) => void = () => {};
  const opened = new Promise<Value>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

test('initialize opens a session, and the answer is plain JSON', async () => {
  const { url } = await endpointOf(new LocalTools());
  const response = await post(url, INITIALIZE);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(response.headers.get('mcp-session-id')).toMatch(/^[\x21-\x7e]{20,}$/);
  expect(await response.json()).toMatchObject({ id: 1, result: { serverInfo: { name: 'bifrost', version: '1.2.3' } } });
});

test('a client that starts anew may still show a session that is gone', async () => {
  const { url } = await endpointOf(new LocalTools());
  const response = await post(url, INITIALIZE, { 'mcp-session-id': 'lost' });
  expect(response.status).toBe(200);
  expect(response.headers.get('mcp-session-id')).not.toBe('lost');
});

test('requests without a session are answered', async () => {
  const { url } = await endpointOf(new LocalTools().add('a-b', () => textResult('ok')));
  const response = await post(url, rpc('tools/call', { name: 'a-b' }, 'x'));
  expect(await response.json()).toEqual({ jsonrpc: '2.0', id: 'x', result: textResult('ok') });
  expect(response.headers.has('mcp-session-id')).toBe(false);
});

test('H2 a session ends with DELETE; afterwards it is unknown, by the 404 on which clients start anew', async () => {
  const { url } = await endpointOf(new LocalTools());
  const headers = { 'mcp-session-id': await sessionOf(url) };
  expect((await post(url, rpc('ping'), headers)).status).toBe(200);
  expect((await fetch(url, { method: 'DELETE', headers })).status).toBe(204);
  for (const method of ['DELETE', 'GET']) expect((await fetch(url, { method, headers })).status).toBe(404);
  const refused = await post(url, rpc('ping'), headers);
  expect(refused.status).toBe(404);
  expect(await refused.json()).toMatchObject({ id: null, error: { code: -32001 } });
  expect((await fetch(url, { method: 'DELETE' })).status).toBe(400);
});

test.each([
  ['a notification', { jsonrpc: '2.0', method: 'notifications/initialized' }],
  ['an unknown notification', { jsonrpc: '2.0', method: 'notifications/whatever' }],
  ['a response', { jsonrpc: '2.0', id: 4, result: {} }],
])('%s is accepted with 202 and an empty body', async (_, message) => {
  const { url } = await endpointOf(new LocalTools());
  const response = await post(url, message);
  expect([response.status, await response.text()]).toEqual([202, '']);
});

test.each([
  ['text that is not JSON', '{', {}, 400, -32700],
  ['a body that is no message', '"x"', {}, 400, -32600],
  ['no jsonrpc member', '{"id":1,"method":"ping"}', {}, 400, -32600],
  ['an empty batch', '[]', {}, 400, -32600],
  ['a batch where the version has none', '[]', { 'mcp-protocol-version': '2025-06-18' }, 400, -32600],
  ['another content type', '{}', { 'content-type': 'text/plain' }, 415, -32000],
  ['an accept header without JSON and events', '{}', { accept: 'text/html' }, 406, -32000],
  ['a protocol version that is not supported', rpc('ping'), { 'mcp-protocol-version': '1999-01-01' }, 400, -32000],
  ['a foreign origin', rpc('ping'), { origin: 'https://evil.example.com' }, 403, -32000],
  ['a body over the limit', `"${'x'.repeat(2_000)}"`, {}, 413, -32000],
])('%s is refused', async (_, body, headers, status, code) => {
  const { url } = await endpointOf(new LocalTools(), { maxBodyBytes: 1_000 });
  const response = await post(url, body, headers);
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ jsonrpc: '2.0', error: { code } });
});

test('a foreign Host is refused', async () => {
  const { url } = await endpointOf(new LocalTools());
  const response = await new Promise<IncomingMessage>((resolve) => {
    httpRequest(url, { method: 'POST', headers: { host: 'evil.example.com' } }, resolve).end('{}');
  });
  response.resume();
  expect(response.statusCode).toBe(403);
});

test.each([['PUT'], ['PATCH']])('%s is not served', async (method) => {
  const { url } = await endpointOf(new LocalTools());
  const response = await fetch(url, { method });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST, DELETE']);
});

test('a page of an allowed origin may ask first, and read its session', async () => {
  const { url } = await endpointOf(new LocalTools());
  const headers = { origin: 'http://localhost:6274' };
  const preflight = await fetch(url, { method: 'OPTIONS', headers });
  expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, headers.origin]);
  const response = await post(url, INITIALIZE, headers);
  expect(response.headers.get('access-control-allow-origin')).toBe(headers.origin);
  expect(response.headers.get('access-control-expose-headers')).toBe('mcp-session-id, www-authenticate');
  expect((await fetch(url, { method: 'OPTIONS', headers: { origin: 'http://evil.org' } })).status).toBe(403);
});

test.each([['*/*'], ['application/*'], ['application/json'], [undefined]])('accept "%s" gets JSON', async (accept) => {
  const { url } = await endpointOf(new LocalTools());
  const { port } = new URL(url);
  const headers = { 'content-type': 'application/json; charset=utf-8', ...(accept && { accept }) };
  const response = await new Promise<IncomingMessage>((resolve) => {
    httpRequest({ host: '127.0.0.1', port, path: '/mcp', method: 'POST', headers }, resolve).end(
      JSON.stringify(rpc('ping')),
    );
  });
  response.resume();
  expect([response.statusCode, response.headers['content-type']]).toEqual([200, 'application/json']);
});

test('a client that accepts nothing but events gets events', async () => {
  const { url } = await endpointOf(new LocalTools());
  const response = await post(url, rpc('ping'), { accept: 'text/event-stream' });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  expect(eventsOf(await response.text())).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }]);
});

test('a probe for a newer protocol gets -32601 with 200 at once, whatever version it names', async () => {
  const { url } = await endpointOf(new LocalTools());
  const response = await post(url, rpc('server/discover', {}, 'server-discover-probe-1'), {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'server/discover',
  });
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ id: 'server-discover-probe-1', error: { code: -32601 } });
});

test('a batch is answered as a batch, notifications aside', async () => {
  const { url } = await endpointOf(new LocalTools().add('a-b', () => textResult('ok')));
  const batch = [
    rpc('ping', {}, 1),
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    rpc('tools/call', { name: 'a-b' }, 2),
    rpc('initialize', {}, 3),
    { jsonrpc: '2.0', id: 4 },
  ];
  const response = await post(url, batch, { 'mcp-protocol-version': '2025-03-26' });
  expect(await response.json()).toMatchObject([
    { id: 1, result: {} },
    { id: 2, result: textResult('ok') },
    { id: 3, error: { code: -32600 } },
    { id: 4, error: { code: -32600 } },
  ]);
});

test('the include headers narrow what is listed', async () => {
  const { url } = await endpointOf(new LocalTools().add('a-b', () => textResult('')).add('c-d', () => textResult('')));
  const listed = async (headers: Record<string, string>) => {
    const { tools } = await resultOf(await post(url, rpc('tools/list'), headers));
    return Array.isArray(tools) && tools.map((tool) => isObject(tool) && tool.name);
  };
  expect(await listed({})).toEqual(['a-b', 'c-d']);
  expect(await listed({ 'x-bf-mcp-include-clients': 'c' })).toEqual(['c-d']);
  expect(await listed({ 'x-bf-mcp-include-clients': '' })).toEqual([]);
});

test('two requests with one id at once each get their own answer', async () => {
  const second = gate();
  const tools = new LocalTools().add('a-echo', async ({ arguments: { text } }) => {
    if (text === 'first') await second.opened;
    else second.open();
    return textResult(String(text));
  });
  const { url } = await endpointOf(tools);
  const headers = { 'mcp-session-id': await sessionOf(url) };
  const call = async (text: string) =>
    resultOf(await post(url, rpc('tools/call', { name: 'a-echo', arguments: { text } }, 1), headers));
  const [first, other] = await Promise.all([call('first'), call('second')]);
  expect([first, other]).toEqual([textResult('first'), textResult('second')]);
});

test('progress turns the answer into an event stream: the notifications, then the result', async () => {
  const tools = new LocalTools().add('a-slow', ({ onProgress }) => {
    for (const progress of [0, 50, 100]) onProgress?.({ progress, total: 100 });
    return textResult('done');
  });
  const { url } = await endpointOf(tools);
  const asked = rpc('tools/call', { name: 'a-slow', _meta: { progressToken: 'p' } });
  const response = await post(url, asked);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  expect(eventsOf(await response.text())).toEqual([
    ...[0, 50, 100].map((progress) => ({
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken: 'p', progress, total: 100 },
    })),
    { jsonrpc: '2.0', id: 1, result: textResult('done') },
  ]);
  const json = await post(url, asked, { accept: 'application/json' });
  expect(await json.json()).toMatchObject({ result: textResult('done') });
});

test('an answer that takes long becomes an event stream with keep-alives, for those who accept one', async () => {
  const finish = gate();
  const tools = new LocalTools().add('a-slow', async () => {
    await finish.opened;
    return textResult('done');
  });
  const { url } = await endpointOf(tools, { keepAliveMs: 10 });
  const json = post(url, rpc('tools/call', { name: 'a-slow' }, 2), { accept: 'application/json' });
  const response = await post(url, rpc('tools/call', { name: 'a-slow' }));
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString();
    if (text.split(': keep-alive').length > 3) finish.open();
  }
  expect(eventsOf(text)).toEqual([{ jsonrpc: '2.0', id: 1, result: textResult('done') }]);
  expect(await (await json).json()).toEqual({ jsonrpc: '2.0', id: 2, result: textResult('done') });
});

test('H5 notifications/cancelled aborts the call of its session, which ends without an answer', async () => {
  const started = gate();
  const tools = new LocalTools().add('a-wait', ({ signal }) => {
    started.open();
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  const { url } = await endpointOf(tools);
  const headers = { 'mcp-session-id': await sessionOf(url) };
  const call = post(url, rpc('tools/call', { name: 'a-wait' }, 9), headers);
  await started.opened;
  await post(url, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 9 } }, headers);
  expect([(await call).status, await (await call).text()]).toEqual([202, '']);
});

test('H5 a client that leaves aborts its calls', async () => {
  const started = gate();
  const aborted = gate();
  const tools = new LocalTools().add('a-wait', ({ signal }) => {
    started.open();
    return new Promise((_, reject) =>
      signal.addEventListener('abort', () => {
        aborted.open();
        reject(signal.reason);
      }),
    );
  });
  const { url } = await endpointOf(tools);
  const client = new AbortController();
  const call = post(url, rpc('tools/call', { name: 'a-wait' }), {}, client.signal);
  await started.opened;
  client.abort();
  await expect(call).rejects.toThrow();
  await aborted.opened;
});

test('GET is a stream of notifications, kept alive, whose session does not go idle', async () => {
  const tools = new LocalTools();
  const { url } = await endpointOf(tools, { keepAliveMs: 10 });
  const headers = { accept: 'text/event-stream', 'mcp-session-id': await sessionOf(url) };
  const response = await fetch(url, { headers });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString();
    if (text.includes('list_changed')) break;
    if (text.includes(': keep-alive')) tools.add('a-b', () => textResult(''));
  }
  expect(eventsOf(text)[0]).toEqual({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
});

test('GET for anything but events is refused', async () => {
  const { url } = await endpointOf(new LocalTools());
  expect((await fetch(url, { headers: { accept: 'text/html' } })).status).toBe(406);
});

test('the official client lists, calls, hears progress and changes, and says goodbye', async () => {
  const tools = new LocalTools().add('a-slow', ({ onProgress }) => {
    onProgress?.({ progress: 1 });
    return { ...textResult('done'), structuredContent: { ok: true } };
  });
  const { url, mcp } = await endpointOf(tools);
  const client = new Client({ name: 'test', version: '1' });
  const changed = gate();
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => changed.open());
  const transport = new StreamableHTTPClientTransport(new URL(url));
  await client.connect(transport);
  expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(['a-slow']);
  const progress: number[] = [];
  const result = await client.callTool({ name: 'a-slow' }, undefined, { onprogress: (p) => progress.push(p.progress) });
  expect(result).toMatchObject({ content: [{ text: 'done' }], structuredContent: { ok: true } });
  expect(progress).toEqual([1]);
  // The client opens its stream in the background: until it is there, a change is news to nobody.
  const poll = setInterval(() => tools.add('a-new', () => textResult('')), 5);
  await changed.opened;
  clearInterval(poll);
  await transport.terminateSession();
  await client.close();
  expect(mcp.sessions.size).toBe(0);
});
