import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Gateway, post, startGatewayHere, testServer } from '../support/gateway.ts';

let gateway: Gateway;

beforeAll(async () => {
  gateway = await startGatewayHere({
    mcp: {
      client_configs: [testServer('one'), testServer('two')],
      tool_groups: [
        {
          name: 'Chosen',
          description: 'Only what is needed.',
          tools: [
            { mcp_client_name: 'one', tool_names: ['echo'] },
            { mcp_client_name: 'two', tool_names: ['echo', 'fail'] },
          ],
        },
        { name: 'off', enabled: false, tools: [{ mcp_client_name: 'one', tool_names: ['*'] }] },
      ],
    },
  });
});

afterAll(() => gateway.stop());

async function connected(slug: string, headers: Record<string, string> = {}): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp/${slug}`), {
    requestInit: { headers },
  });
  await client.connect(transport as Parameters<Client['connect']>[0]);
  return client;
}

const namesOf = async (client: Client) => (await client.listTools()).tools.map(({ name }) => name);

test('a virtual MCP lists what was chosen, under the names of the gateway, and calls it', async () => {
  const client = await connected('chosen');
  expect(await namesOf(client)).toEqual(['one-echo', 'two-echo', 'two-fail']);
  expect(client.getInstructions()).toBe('Only what is needed.');
  expect(client.getServerVersion()?.name).toBe('Chosen');
  expect(await client.callTool({ name: 'two-echo', arguments: { value: 'hello' } })).toMatchObject({
    content: [{ type: 'text', text: expect.stringContaining('hello') }],
  });
  await client.close();
});

test('a slash behind the address is no other address', async () => {
  const list = (slug: string) =>
    post(
      `${gateway.url}/mcp/${slug}`,
      { jsonrpc: '2.0', id: 1, method: 'tools/list' },
      { accept: 'application/json' },
    ).then((answer) => answer.text());
  for (const slug of ['one', 'chosen']) {
    expect(await list(slug)).toContain('inputSchema');
    expect(await list(`${slug}/`)).toBe(await list(slug));
  }
  expect(await list('one//')).toContain('access_denied');
});

test('what was not chosen cannot be called there', async () => {
  const client = await connected('chosen');
  const answer = await client
    .callTool({ name: 'one-fail', arguments: {} })
    .catch((thrown: Error) => ({ thrown: thrown.message }));
  expect(JSON.stringify(answer)).toMatch(/not permitted|not available/);
  await client.close();
});

test('headers of the caller narrow further and never widen', async () => {
  const narrow = await connected('chosen', { 'x-bf-mcp-include-tools': 'two-*,one-fail' });
  expect(await namesOf(narrow)).toEqual(['two-echo', 'two-fail']);
  const byClient = await connected('chosen', { 'x-bf-mcp-include-clients': 'one' });
  expect(await namesOf(byClient)).toEqual(['one-echo']);
  await Promise.all([narrow.close(), byClient.close()]);
});

test.each([['off'], ['nobody']])('/mcp/%s is refused', async (slug) => {
  const answer = await post(
    `${gateway.url}/mcp/${slug}`,
    { jsonrpc: '2.0', id: 1, method: 'tools/list' },
    { accept: 'application/json' },
  );
  expect(answer.status).toBe(403);
  expect(await answer.text()).toContain('access_denied');
});

test('a change by API is seen by the next list', async () => {
  const made = await post(`${gateway.url}/api/mcp/virtual-mcps`, {
    name: 'later',
    tools: [{ mcp_client_name: 'two', tool_names: ['fail'] }],
  });
  const { virtual_mcp } = (await made.json()) as { virtual_mcp: { id: number } };
  const client = await connected('later');
  expect(await namesOf(client)).toEqual(['two-fail']);
  await fetch(`${gateway.url}/api/mcp/virtual-mcps/${virtual_mcp.id}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ tools: [{ mcp_client_name: 'one', tool_names: ['echo'] }] }),
  });
  expect(await namesOf(client)).toEqual(['one-echo']);
  await client.close();
});

test.each([[''], ['changing']])('clients at /mcp/%s hear that a virtual MCP was changed', async (path) => {
  const made = await post(`${gateway.url}/api/mcp/virtual-mcps`, {
    name: 'changing',
    tools: [{ mcp_client_name: 'two', tool_names: ['fail'] }],
  });
  const { virtual_mcp } = (await made.json()) as { virtual_mcp: { id: number } };
  const address = `${gateway.url}/api/mcp/virtual-mcps/${virtual_mcp.id}`;
  const client = await connected(path);
  const told = new Promise<void>((resolve) => {
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve());
  });
  // what is said before the client's stream stands is not heard: it is said again with each change
  let isTold = false;
  void told.then(() => {
    isTold = true;
  });
  await vi.waitFor(async () => {
    await fetch(address, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ tools: [{ mcp_client_name: 'one', tool_names: ['echo'] }] }),
    });
    expect(isTold).toBe(true);
  }, 5_000);
  await client.close();
  await fetch(address, { method: 'DELETE' });
});
