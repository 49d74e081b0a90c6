import { afterEach, describe, expect, test } from 'vitest';
import type { McpClients } from '../../src/mcp/clients.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { callOf, clientConfig, startedClients, until } from '../support/mcp-clients.ts';
import { type PlainServer, startPlainServer } from '../support/mcp-servers/plain-http.ts';

const start = startedClients();
const open: PlainServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function serving(name: string, options: Parameters<typeof startPlainServer>[1] = {}): Promise<PlainServer> {
  const server = await startPlainServer(() => [{ name }], options);
  open.push(server);
  return server;
}

const names = (clients: McpClients): string[] => clients.catalog.tools.map(({ name }) => name);

async function connected(url: string, more: object = {}): Promise<McpClients> {
  const config = clientConfig({ name: 'web', connection_type: 'http', connection_string: url, ...more });
  const { clients } = await start([config]);
  expect(names(clients)).toEqual(['web-old']);
  return clients;
}

/** Ends the server and puts another in its place, as a deployment does. */
async function deployed(old: PlainServer, name: string, options: Parameters<typeof startPlainServer>[1] = {}) {
  await old.close();
  return serving(name, { port: old.port, ...options });
}

describe('a server without sessions that was replaced by another', () => {
  test.each<[string, JsonObject]>([
    ['an error', { error: { code: -32602, message: 'Unknown tool: old' } }],
    ['an error about the method', { error: { code: -32601, message: 'no such thing' } }],
    [
      'a result',
      { result: { isError: true, content: [{ type: 'text', text: 'MCP error -32602: Tool old not found' }] } },
    ],
  ])('is listed anew after it denies a tool by %s', async (_, denied) => {
    const old = await serving('old');
    const clients = await connected(old.url);
    await deployed(old, 'new', { deny: (name) => (name === 'old' ? denied : undefined) });
    await clients.call(callOf('web-old')).catch(() => undefined);
    await until(() => names(clients).join() === 'web-new');
  });

  test('is listed anew where each call has a session of its own', async () => {
    const old = await serving('old');
    const clients = await connected(old.url, { needs_session_stickiness: false });
    await deployed(old, 'new', { deny: () => ({ error: { code: -32602, message: 'unknown tool' } }) });
    await clients.call(callOf('web-old')).catch(() => undefined);
    await until(() => names(clients).join() === 'web-new');
  });

  test('is looked for after a call that found nobody there, and listed anew once it is back', async () => {
    const old = await serving('old');
    const clients = await connected(old.url);
    await old.close();
    await expect(clients.call(callOf('web-old'))).rejects.toThrow();
    await until(() => clients.statuses()[0]?.state === 'unstable');
    expect(names(clients)).toEqual(['web-old']);
    await serving('new', { port: old.port });
    await until(() => names(clients).join() === 'web-new');
  });
});

test('arguments that a server refuses are no reason to ask for its list', async () => {
  let listed = 0;
  const refusing: JsonObject = { error: { code: -32602, message: 'Invalid arguments: city is required' } };
  const server = await startPlainServer(
    () => {
      listed += 1;
      return [{ name: 'old' }];
    },
    { deny: () => refusing },
  );
  open.push(server);
  const clients = await connected(server.url);
  const before = listed;
  for (let count = 0; count < 5; count += 1) await expect(clients.call(callOf('web-old'))).rejects.toThrow('city');
  // each of the calls
  expect(listed).toBe(before + 5);
});
