import { afterEach, describe, expect, test } from 'vitest';
import type { McpClients, McpClientsOptions } from '../../src/mcp/clients.ts';
import { heldBytes } from '../support/heap.ts';
import { callOf, clientConfig, firstText, type LogLine, newClients, nobody, until } from '../support/mcp-clients.ts';
import { type HttpServer, startHttpServer } from '../support/mcp-servers/http.mjs';

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

async function newServer(options: Parameters<typeof startHttpServer>[0] = {}): Promise<HttpServer> {
  const server = await startHttpServer(options);
  opened.push(server);
  return server;
}

type Type = 'http' | 'sse';

const urlOf = (port: number, type: Type) => `http://127.0.0.1:${port}/${type === 'sse' ? 'sse' : 'mcp'}`;

async function connected(
  port: number,
  type: Type,
  input: Record<string, unknown> = {},
  options: Partial<McpClientsOptions> = {},
): Promise<McpClients> {
  const config = clientConfig({ name: 'web', connection_type: type, connection_string: urlOf(port, type), ...input });
  const { clients, lines } = newClients([config], options);
  opened.push(clients);
  logs.set(clients, lines);
  await clients.start();
  return clients;
}

const logs = new WeakMap<McpClients, LogLine[]>();

/** True once something was logged about a connection after this was asked for. */
function trouble(clients: McpClients): () => boolean {
  const lines = logs.get(clients) ?? [];
  const before = lines.length;
  return () => lines.length > before;
}

const echo = async (clients: McpClients, value: string) => firstText(await clients.call(callOf('web-echo', { value })));

describe.each<[string, Type, boolean]>([
  ['streamable HTTP, answers as event streams', 'http', false],
  ['streamable HTTP, answers as JSON', 'http', true],
  ['SSE', 'sse', false],
])('%s', (_, type, json) => {
  test('the server is dialled, listed and called', async () => {
    const { port } = await newServer({ json });
    const clients = await connected(port, type);
    expect(clients.statuses()).toMatchObject([{ state: 'healthy', serverInfo: { name: 'test' } }]);
    expect(await echo(clients, 'hello')).toBe('hello');
  });

  test('50 calls at once come back with their own results', async () => {
    const { port } = await newServer({ json });
    const clients = await connected(port, type);
    const values = Array.from({ length: 50 }, (_each, index) => `value ${index}`);
    expect(await Promise.all(values.map((value) => echo(clients, value)))).toEqual(values);
  });

  test('the configured headers go with every request, and the caller’s where they are allowed', async () => {
    const { port, requests } = await newServer({ json });
    const clients = await connected(port, type, {
      headers: { Authorization: 'Bearer configured', 'x-team': 'ours' },
      allowed_extra_headers: ['x-user', 'x-team', 'cookie'],
    });
    const callers = ['ann', 'bob', 'cid'].map((user) => ({
      ...nobody,
      mcpHeaders: { 'x-user': user, 'x-team': 'theirs', 'x-other': 'no', cookie: 'no' },
    }));
    const results = await Promise.all(callers.map((caller) => clients.call(callOf('web-headers', {}, { caller }))));
    const seen = results.map((result) => JSON.parse(firstText(result)));
    const common = { authorization: 'Bearer configured', 'x-team': 'ours' };
    expect(seen).toMatchObject([
      { ...common, 'x-user': 'ann' },
      { ...common, 'x-user': 'bob' },
      { ...common, 'x-user': 'cid' },
    ]);
    for (const headers of seen) for (const kept of ['x-other', 'cookie']) expect(headers).not.toHaveProperty(kept);
    expect(requests.every(({ headers }) => headers.authorization === 'Bearer configured')).toBe(true);
  });

  test('G2 a server that forgot the session gets a new one, once for all calls that noticed', async () => {
    const server = await newServer({ json });
    const clients = await connected(server.port, type);
    server.forgetSessions();
    const values = Array.from({ length: 10 }, (_each, index) => `value ${index}`);
    expect(await Promise.all(values.map((value) => echo(clients, value)))).toEqual(values);
    expect(server.requests.filter(({ rpc }) => rpc === 'initialize')).toHaveLength(2);
    expect(clients.statuses()).toMatchObject([{ state: 'healthy', restarts: 1 }]);
  });

  test('a cut connection fails the call in flight at once, and not the next one', async () => {
    const server = await newServer({ json });
    const clients = await connected(server.port, type);
    const call = clients.call(callOf('web-hang'));
    const failure = expect(call).rejects.toMatchObject({
      kind: 'network',
      message: expect.stringMatching(/^MCP tool call failed for web-hang: /),
    });
    await until(() => server.requests.some(({ rpc }) => rpc === 'tools/call'));
    server.cutConnections();
    await failure;
    expect(server.requests.filter(({ rpc }) => rpc === 'tools/call')).toHaveLength(1);
    expect(await echo(clients, 'next')).toBe('next');
  });

  test('a server that starts late is found', async () => {
    const { port, close } = await startHttpServer({ json });
    await close();
    const clients = await connected(port, type);
    expect(clients.statuses()).toMatchObject([{ state: 'unstable', tools: [], lastFailure: { stage: 'connect' } }]);
    await newServer({ json, port });
    await until(() => clients.statuses()[0]?.state === 'healthy');
    expect(await echo(clients, 'late')).toBe('late');
  });

  test('a server that was replaced by a new one is called as if nothing happened', async () => {
    const server = await startHttpServer({ json });
    const clients = await connected(server.port, type);
    const isNoticed = trouble(clients);
    await server.close();
    await until(isNoticed);
    await newServer({ json, port: server.port });
    expect(await echo(clients, 'again')).toBe('again');
  });

  test('G1 progress comes through', async () => {
    const { port } = await newServer({ json });
    const clients = await connected(port, type, { tool_execution_timeout: '600ms' });
    const seen: number[] = [];
    const onProgress = ({ progress }: { progress: number }) => seen.push(progress);
    const request = callOf('web-progress', { steps: 3, everyMs: 20 }, { onProgress });
    expect(firstText(await clients.call(request))).toBe('done');
    // A server that answers as JSON sends notifications on the stream beside, if it sends them at all.
    if (!json) expect(seen).toEqual([1, 2, 3]);
  });

  test('a cancelled call tells the server and lets go of it', async () => {
    const server = await newServer({ json });
    const clients = await connected(server.port, type);
    const controller = new AbortController();
    const call = clients.call(callOf('web-hang', {}, { signal: controller.signal }));
    const failure = expect(call).rejects.toMatchObject({ kind: 'cancelled' });
    await until(() => server.requests.some(({ rpc }) => rpc === 'tools/call'));
    controller.abort();
    await failure;
    await until(() => server.requests.some(({ rpc }) => rpc === 'notifications/cancelled'));
  });

  test('G10 tools that appear later are found without a restart', async () => {
    const { port } = await newServer({ json });
    const clients = await connected(port, type);
    const { version } = clients.catalog;
    await clients.call(callOf('web-add_tool', { name: 'brand_new' }));
    await until(() => clients.catalog.byName.has('web-brand_new'));
    expect(clients.catalog.version).toBe(version + 1);
  });
});

test.each([401, 405, 500])(
  'G13 a server that answers the stream of its messages with %d is used without it',
  async (status) => {
    const server = await newServer();
    server.refuseStreams(status);
    const clients = await connected(server.port, 'http');
    expect(clients.statuses()).toMatchObject([{ state: 'healthy' }]);
    expect(await echo(clients, 'hello')).toBe('hello');
  },
);

describe('sessions', () => {
  const initialized = (server: HttpServer) => server.requests.filter(({ rpc }) => rpc === 'initialize').length;

  test('G4 G8 all calls share one session, however many come', async () => {
    const server = await newServer();
    const clients = await connected(server.port, 'http');
    await Promise.all(Array.from({ length: 20 }, (_, index) => echo(clients, `value ${index}`)));
    expect(initialized(server)).toBe(1);
  });

  test('without stickiness each call has a session of its own, which ends with it', async () => {
    const server = await newServer();
    const clients = await connected(server.port, 'http', { client_id: 'web', needs_session_stickiness: false });
    expect(clients.statuses()).toMatchObject([{ state: 'healthy', restarts: 0 }]);
    const values = Array.from({ length: 5 }, (_, index) => `value ${index}`);
    expect(await Promise.all(values.map((value) => echo(clients, value)))).toEqual(values);
    // one more for the list of its tools
    expect(initialized(server)).toBe(6);
    await until(() => server.requests.filter(({ method }) => method === 'DELETE').length === 6);
    await expect(clients.reconnect(idOf(clients))).rejects.toMatchObject({
      kind: 'invalid-request',
      message: 'cannot reconnect an MCP client that connects for each call (needs_session_stickiness is false)',
    });
  });

  test('a call on a session of its own that the server does not know is made on another', async () => {
    const server = await newServer();
    const clients = await connected(server.port, 'http', { needs_session_stickiness: false });
    expect(await echo(clients, 'first')).toBe('first');
    await server.close();
    await expect(echo(clients, 'nobody')).rejects.toMatchObject({ kind: 'network' });
    await newServer({ port: server.port });
    expect(await echo(clients, 'again')).toBe('again');
  });

  test('stickiness may change while the gateway runs', async () => {
    const server = await newServer();
    const clients = await connected(server.port, 'http', { client_id: 'web' });
    await clients.update('web', { needs_session_stickiness: false });
    await until(() => server.requests.some(({ method }) => method === 'DELETE'));
    const before = initialized(server);
    await echo(clients, 'alone');
    expect(initialized(server)).toBe(before + 1);
  });

  test.each(['sse', 'stdio'])('a connection by %s cannot be one for each call', (type) => {
    const config = { name: 'x', connection_string: 'http://x', stdio_config: { command: 'x' } };
    expect(() => clientConfig({ ...config, connection_type: type, needs_session_stickiness: false })).toThrow(
      `needs_session_stickiness cannot be false for connection_type \\"${type}\\": only 'http' supports`,
    );
  });

  test('G7 sessions that were replaced leave nothing in memory', async () => {
    const { port } = await newServer();
    const clients = await connected(port, 'http', { client_id: 'web' });
    const reconnect = async (times: number) => {
      for (let time = 0; time < times; time += 1) await clients.reconnect(idOf(clients));
    };
    await reconnect(30);
    const before = heldBytes();
    await reconnect(60);
    await expect.poll(() => (heldBytes() - before) / 60).toBeLessThan(40_000);
  });
});

describe('calls that may have been run', () => {
  test.each([
    ['read-only', 'peek', 2],
    ['idempotent', 'put', 2],
    ['destructive', 'destroy', 1],
    ['of which nothing is said', 'echo', 1],
  ])('a tool that is %s is sent so often when the connection breaks: %s %d', async (_, tool, times) => {
    const server = await newServer();
    const clients = await connected(server.port, 'http');
    server.cutCalls();
    await expect(clients.call(callOf(`web-${tool}`, {}))).rejects.toMatchObject({ kind: 'network' });
    expect(server.requests.filter(({ rpc }) => rpc === 'tools/call')).toHaveLength(times);
  });
});

test('a server that refuses us is an error with its reason, and the secret does not show in it', async () => {
  const server = await newServer();
  server.refuse(401, 'the key secret-value-123 is unknown');
  const clients = await connected(server.port, 'http', { headers: { 'x-api-key': 'secret-value-123' } });
  const [status] = clients.statuses();
  expect(status).toMatchObject({ state: 'error', lastFailure: { stage: 'connect' } });
  expect(status?.lastFailure?.message).toContain('the key *** is unknown');
});

const idOf = (clients: McpClients) => clients.statuses()[0]?.id ?? '';

test('G2 a session lost just after a reconnect mended things is replaced all the same', async () => {
  const server = await newServer();
  const clients = await connected(server.port, 'http', { needs_session_stickiness: true }, {
    timing: { backoffInitialMs: 10_000, backoffMaxMs: 10_000 },
  } as Partial<McpClientsOptions>);
  server.refuse(503);
  await expect(clients.reconnect(idOf(clients))).rejects.toThrow('Error POSTing to endpoint (HTTP 503)');
  server.refuse(0);
  await clients.reconnect(idOf(clients));
  server.forgetSessions();
  expect(await echo(clients, 'still there')).toBe('still there');
});

test('close tells a streamable HTTP server that the session is over', async () => {
  const server = await newServer();
  const clients = await connected(server.port, 'http');
  await clients.close();
  expect(server.requests.at(-1)?.method).toBe('DELETE');
});

test('the fetch that was given carries every request', async () => {
  const { port } = await newServer();
  const urls: string[] = [];
  const clients = await connected(
    port,
    'http',
    {},
    {
      fetch: (url, init) => {
        urls.push(String(url));
        return fetch(url, init);
      },
    },
  );
  expect(await echo(clients, 'through')).toBe('through');
  expect(urls.length).toBeGreaterThan(3);
});

test.each([
  ['no URL', 'not a url', 'connection_string of MCP client web is not an http(s) URL'],
  ['another scheme', 'file:///etc/passwd', 'connection_string of MCP client web is not an http(s) URL'],
  ['an unset variable', 'env.MCP_TEST_UNSET', 'environment variable MCP_TEST_UNSET is not set for MCP client web'],
])('an address that is %s is an error of that client', async (_, address, message) => {
  const clients = await connected(1, 'http', { connection_string: address });
  expect(clients.statuses()).toMatchObject([{ state: 'error', lastFailure: { message } }]);
});
