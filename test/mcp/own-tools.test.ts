import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ListRootsRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { eventually, type Gateway, startGatewayHere, testServer } from '../support/gateway.ts';

let gateway: Gateway;
const open: Client[] = [];

beforeAll(async () => {
  gateway = await startGatewayHere({
    mcp: { client_configs: [testServer('ref', { tools_to_execute: ['echo', 'add_tool', 'mine'] })] },
  });
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()));
});
afterAll(() => gateway.stop());

/** A client that has roots, and so gets a server of its own at the address of one server. */
async function connected() {
  const client = new Client({ name: 'test', version: '1' }, { capabilities: { roots: {} } });
  open.push(client);
  let changes = 0;
  client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [] }));
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    changes += 1;
  });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp/ref`)));
  return {
    names: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name: string, args = {}) => client.callTool({ name, arguments: args }),
    changes: async () => changes,
  };
}

test('G10 tools that a server adds for one client session are listed and called by that alone', async () => {
  const [ann, bob] = [await connected(), await connected()];
  expect(await ann.names()).toEqual(['add_tool', 'echo']);
  await bob.call('echo', { value: 'a server of his own' });
  await ann.call('add_tool', { name: 'mine' });
  await eventually(ann.changes, (count) => count > 0);
  expect(await ann.names()).toEqual(['add_tool', 'echo', 'mine']);
  expect(await ann.call('mine')).toEqual({ content: [{ type: 'text', text: 'extra mine' }] });

  expect(await bob.names()).toEqual(['add_tool', 'echo']);
  expect((await bob.call('mine')).isError).toBe(true);
  expect(await bob.changes()).toBe(0);
});

test('G16 the rules of the client hold for such tools as well', async () => {
  const ann = await connected();
  await ann.call('add_tool', { name: 'other' });
  await ann.call('add_tool', { name: 'mine' });
  await eventually(ann.names, (names) => names.includes('mine'));
  expect(await ann.names()).toEqual(['add_tool', 'echo', 'mine']);
  expect((await ann.call('other')).isError).toBe(true);
});
