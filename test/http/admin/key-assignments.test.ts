import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Gateway, post, startGatewayHere, testServer } from '../../support/gateway.ts';

let gateway: Gateway;

beforeAll(async () => {
  gateway = await startGatewayHere({
    version: 2,
    governance: {
      virtual_keys: [
        {
          id: 'vk1',
          name: 'team',
          value: 'sk-bf-team',
          mcp_configs: [{ mcp_client_name: 'one', tools_to_execute: ['echo'] }],
        },
        { id: 'vk2', name: 'others', value: 'sk-bf-others' },
      ],
    },
    mcp: {
      client_configs: [testServer('one', { client_id: 'c1' }), testServer('two', { client_id: 'c2' })],
      virtual_mcps: [{ id: 7, name: 'chosen', tools: [{ mcp_client_name: 'two', tool_names: ['echo'] }] }],
    },
  });
});

afterAll(() => gateway.stop());

interface Shown {
  readonly clients: readonly { readonly config: { readonly name: string }; readonly vk_configs: unknown }[];
}

const clientsAt = async (query = '') =>
  ((await (await fetch(`${gateway.url}/api/mcp/clients${query}`)).json()) as Shown).clients.map(
    ({ config, vk_configs }) => [config.name, vk_configs],
  );

const GIVEN = [{ virtual_key_id: 'vk1', virtual_key_name: 'team', tools_to_execute: ['echo'] }];

async function sent(method: string, path: string, body: unknown = {}) {
  const response = await fetch(`${gateway.url}/api/mcp/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const { error, ...rest } = (await response.json()) as { error?: { message: string } };
  return { status: response.status, message: error?.message, body: rest };
}

test('a client is shown with the keys that name it', async () => {
  expect(await clientsAt()).toEqual([
    ['one', GIVEN],
    ['two', []],
  ]);
});

test.each([
  ['vk1', [['one', GIVEN]]],
  ['team', [['one', GIVEN]]],
  ['vk2', []],
  ['vk2,vk1', [['one', GIVEN]]],
])('virtual_keys=%s', async (keys, found) => {
  expect(await clientsAt(`?virtual_keys=${keys}`)).toEqual(found);
});

test.each([
  ['as they are', GIVEN, 200, undefined],
  ['an unknown key', [{ virtual_key_id: 'vk9' }], 400, 'virtual key not found: vk9'],
  ['no id', [{ tools_to_execute: ['*'] }], 400, 'virtual_key_id must not be empty'],
  ['one twice', [...GIVEN, ...GIVEN], 400, 'duplicate virtual_key_id in vk_configs: vk1'],
  ['no list', 'vk1', 400, 'vk_configs must be a list'],
  ['others', [{ virtual_key_id: 'vk1', tools_to_execute: ['*'] }], 400, 'virtual keys are kept in the config file'],
  ['fewer', [], 400, "change mcp_configs of virtual key 'team' under governance.virtual_keys there"],
])('vk_configs of a client that is changed: %s', async (_, given, status, message) => {
  const answer = await sent('PUT', 'client/c1', { vk_configs: given });
  expect(answer.status).toBe(status);
  expect(answer.message ?? '').toContain(message ?? '');
});

test('vk_configs of a new client are not lost silently', async () => {
  const given = [{ virtual_key_id: 'vk2', tools_to_execute: ['*'] }];
  const client = { name: 'three', connection_type: 'http', connection_string: 'http://127.0.0.1:1/mcp' };
  expect(await sent('POST', 'client', { ...client, vk_configs: given })).toMatchObject({
    status: 400,
    message: expect.stringContaining("change mcp_configs of virtual key 'others'"),
  });
});

async function toolsOf(key: string): Promise<string[]> {
  const response = await post(
    `${gateway.url}/mcp`,
    { jsonrpc: '2.0', id: 1, method: 'tools/list' },
    { accept: 'application/json', 'x-bf-vk': key },
  );
  const { result } = (await response.json()) as { result: { tools: { name: string }[] } };
  return result.tools.map(({ name }) => name);
}

test('a virtual MCP is attached to a key and taken from it', async () => {
  expect(await toolsOf('sk-bf-others')).toEqual([]);
  expect(await sent('POST', 'virtual-mcps/7/virtual-keys/vk2')).toMatchObject({
    status: 200,
    body: { virtual_mcp: { virtual_key_ids: ['vk2'] } },
  });
  expect(await toolsOf('sk-bf-others')).toEqual(['two-echo']);
  expect(await sent('DELETE', 'virtual-mcps/7/virtual-keys/vk2')).toMatchObject({ status: 200 });
  expect(await toolsOf('sk-bf-others')).toEqual([]);
  expect(await sent('PUT', 'virtual-mcps/7', { virtual_key_ids: ['vk2'] })).toMatchObject({ status: 200 });
  expect(await toolsOf('sk-bf-others')).toEqual(['two-echo']);
});

test.each([
  ['POST', 'virtual-mcps/7/virtual-keys/vk9', {}, 404],
  ['POST', 'virtual-mcps/8/virtual-keys/vk1', {}, 404],
  ['PUT', 'virtual-mcps/7', { virtual_key_ids: ['vk9'] }, 400],
  ['POST', 'virtual-mcps', { name: 'new', virtual_key_ids: ['vk9'] }, 400],
])('%s %s of a key that is not there', async (method, path, body, status) => {
  expect((await sent(method, path, body)).status).toBe(status);
});
