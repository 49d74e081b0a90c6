import { createServer, request as httpRequest, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callerOf } from '../../src/http/caller.ts';
import { handleMcp } from '../../src/http/mcp.ts';
import { originCheck } from '../../src/http/origin.ts';
import { ModernServer } from '../../src/mcp/modern/server.ts';
import { McpServer } from '../../src/mcp/server/server.ts';
import { LocalTools, textResult } from '../support/tool-source.ts';

let mcp: McpServer;
let modern: ModernServer;
let http: Server;
let port: number;
let url: string;

beforeAll(async () => {
  mcp = new McpServer({
    tools: new LocalTools().add('a-b', () => textResult('ok')).add('a-big', () => textResult('x'.repeat(5_000_000))),
    version: '1.2.3',
  });
  modern = new ModernServer(mcp);
  const check = originCheck({ host: '127.0.0.1', port: 0, allowedOrigins: [] });
  const endpoint = { server: mcp, modern, check, callerOf, maxBodyBytes: 100_000 };
  http = createServer((request, response) => void handleMcp(request, response, endpoint));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  // a listening TCP server has an address
  port = (http.address() as AddressInfo).port;
  url = `http://127.0.0.1:${port}/mcp`;
});

afterAll(async () => {
  modern.close();
  mcp.close();
  http.closeAllConnections();
  await new Promise((resolve) => http.close(resolve));
});

const BOTH = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

const post = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', headers: { ...BOTH, ...headers }, body: body as string });

const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '1' } },
});
const newSession = async () => (await post(INITIALIZE)).headers.get('mcp-session-id') ?? '';
const fine = async () => expect((await post(PING)).status).toBe(200);

/** The status with the JSON-RPC error that stands in the body. */
async function refusal(response: Response) {
  const { jsonrpc, error, id } = (await response.json()) as { jsonrpc: string; error?: { code: number }; id: unknown };
  expect(jsonrpc).toBe('2.0');
  return { status: response.status, code: error?.code, id };
}

describe('a body that is no message is refused in the words of JSON-RPC', () => {
  test.each<[what: string, body: string, status: number, code: number]>([
    ['nothing', '', 400, -32700],
    ['half of an object', '{"jsonrpc":"2.0","id":1,', 400, -32700],
    ['text', 'hello', 400, -32700],
    ['a zero byte', '\0', 400, -32700],
    ['null', 'null', 400, -32600],
    ['a number', '7', 400, -32600],
    ['a string', '"ping"', 400, -32600],
    ['an empty object', '{}', 400, -32600],
    ['no version', '{"id":1,"method":"ping"}', 400, -32600],
    ['an older version', '{"jsonrpc":"1.0","id":1,"method":"ping"}', 400, -32600],
    ['a method that is a number', '{"jsonrpc":"2.0","id":1,"method":7}', 400, -32600],
    ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"ping"}', 400, -32600],
    ['an id that is a list', '{"jsonrpc":"2.0","id":[1],"method":"ping"}', 400, -32600],
    ['an empty batch', '[]', 400, -32600],
    ['nesting without end', `${'['.repeat(50_000)}${']'.repeat(40_000)}`, 400, -32700],
  ])('%s', async (_, body, status, code) => {
    expect(await refusal(await post(body))).toMatchObject({ status, code, id: /"id":1,.*}$/.test(body) ? 1 : null });
    await fine();
  });

  test('bytes that are no UTF-8', async () => {
    const response = await post(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]));
    expect(await refusal(response)).toMatchObject({ status: 400, code: -32700 });
  });

  test.each([
    ['parameters that are a list', '{"jsonrpc":"2.0","id":9,"method":"tools/call","params":[1]}'],
    ['a tool without a name', '{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{}}'],
    ['a name that is a number', '{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":1}}'],
    [
      'arguments that are text',
      '{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"a-b","arguments":"x"}}',
    ],
    ['a tool called __proto__', '{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"__proto__"}}'],
    ['a method that nobody knows', '{"jsonrpc":"2.0","id":9,"method":"no/such"}'],
    ['a method called __proto__', '{"jsonrpc":"2.0","id":9,"method":"__proto__"}'],
    ['a method called constructor', '{"jsonrpc":"2.0","id":9,"method":"constructor"}'],
  ])('%s is an error with the id of the request', async (_, body) => {
    const response = await post(body);
    const { error, id, result } = (await response.json()) as {
      error?: { code: number };
      id: number;
      result?: { isError?: boolean };
    };
    expect(id).toBe(9);
    expect(error?.code ?? result?.isError).toSatisfy((given) =>
      [-32600, -32601, -32602, true].includes(given as number),
    );
    await fine();
  });

  test('a body that is too large', async () => {
    const big = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"${'y'.repeat(200_000)}"}}`;
    const response = await post(big);
    expect(await refusal(response)).toMatchObject({ status: 413, id: null });
    await fine();
  });

  test('a body that says that it is too large is not waited for', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const asked = httpRequest(url, { method: 'POST', headers: { ...BOTH, 'content-length': '999999999' } });
      asked.on('response', (response) => {
        resolve(response.statusCode);
        asked.destroy();
      });
      asked.on('error', reject);
      asked.flushHeaders();
    });
    expect(status).toBe(413);
    await fine();
  });
});

describe('headers that make no sense', () => {
  test.each<[what: string, headers: Record<string, string>, status: number]>([
    ['an Accept for images', { accept: 'image/png' }, 406],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['plain text', { 'content-type': 'text/plain' }, 415],
    ['an unknown version', { 'mcp-protocol-version': '1999-01-01' }, 400],
    ['a version that is none', { 'mcp-protocol-version': '../../etc' }, 400],
    ['an unknown session', { 'mcp-session-id': 'no-such-session' }, 404],
    ['a session of another kind', { 'mcp-session-id': '__proto__' }, 404],
    ['a foreign page', { origin: 'https://evil.example' }, 403],
    ['a page without an origin', { origin: 'null' }, 403],
    ['a page with a similar name', { origin: 'http://127.0.0.1.evil.example' }, 403],
  ])('%s', async (_, headers, status) => {
    expect((await refusal(await post(PING, headers))).status).toBe(status);
    await fine();
  });

  test.each(['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:80', ''])(
    'the Host %j leads nowhere, by every method',
    async (host) => {
      for (const method of ['POST', 'GET', 'DELETE', 'OPTIONS']) {
        const status = await new Promise<number>((resolve, reject) => {
          const socket = connect(port, '127.0.0.1', () => {
            socket.end(`${method} /mcp HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
          });
          socket.once('data', (data) => {
            resolve(Number(String(data).split(' ')[1]));
            socket.destroy();
          });
          socket.once('error', reject);
        });
        expect([403, 400]).toContain(status);
      }
    },
  );
});

describe('sessions', () => {
  test('a foreign session is not ended, listened to or used', async () => {
    const session = await newSession();
    const other = { 'mcp-session-id': session, authorization: 'Bearer sk-bf-somebody-else' };
    for (const method of ['DELETE', 'GET']) {
      expect((await fetch(url, { method, headers: { accept: 'text/event-stream', ...other } })).status).toBe(404);
    }
    expect((await post(PING, other)).status).toBe(404);
    expect((await post(PING, { 'mcp-session-id': session })).status).toBe(200);
  });

  test('H3 thousands that never say goodbye stay within the cap, and the newest works', async () => {
    let newest = '';
    for (let index = 0; index < 10_200; index += 1) {
      const entrance = mcp.enter(undefined, { forwardHeaders: {} });
      const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '1' } };
      const message = { kind: 'request' as const, id: 1, method: 'initialize', params };
      if (entrance) newest = mcp.initialize(message, entrance, undefined).session.id;
    }
    expect(mcp.sessions.size).toBeLessThanOrEqual(10_000);
    expect((await post(PING, { 'mcp-session-id': newest })).status).toBe(200);
  });

  test('more streams of one session than one: the newest is heard, and the others end', async () => {
    const session = await newSession();
    const headers = { accept: 'text/event-stream', 'mcp-session-id': session };
    const answers = await Promise.all(Array.from({ length: 5 }, () => fetch(url, { headers })));
    expect(answers.every(({ status }) => [200, 409].includes(status))).toBe(true);
    await Promise.all(answers.map(({ body }) => body?.cancel()));
    await fine();
  });
});

test('a client that reads nothing of a large answer keeps nobody waiting', async () => {
  const socket = connect(port, '127.0.0.1');
  const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a-big"}}';
  const head = `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  socket.pause();
  socket.write(head + body);
  await Promise.all(Array.from({ length: 20 }, fine));
  socket.destroy();
  await fine();
});
