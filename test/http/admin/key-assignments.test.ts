import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
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

const clientsAt = async (query = '', at = gateway): Promise<[string, unknown][]> =>
  ((await (await fetch(`${at.url}/api/mcp/clients${query}`)).json()) as Shown).clients.map(({ config, vk_configs }) => [
    config.name,
    vk_configs,
  ]);

const GIVEN = [{ virtual_key_id: 'vk1', virtual_key_name: 'team', tools_to_execute: ['echo'] }];

async function sent(method: string, path: string, body: unknown = {}, at = gateway) {
  const response = await fetch(`${at.url}/api/mcp/${path}`, {
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
  ['an unknown key', [{ virtual_key_id: 'vk9' }], 'virtual key not found: vk9'],
  ['no id', [{ tools_to_execute: ['*'] }], 'virtual_key_id must not be empty'],
  ['one twice', [...GIVEN, ...GIVEN], 'duplicate virtual_key_id in vk_configs: vk1'],
  ['no list', 'vk1', 'vk_configs must be a list'],
  [
    'a list that is none',
    [{ virtual_key_id: 'vk1', tools_to_execute: ['*', 'echo'] }],
    "invalid tools_to_execute for virtual key vk1: wildcard '*' cannot be used with other values in the whitelist",
  ],
])('vk_configs of a client that is changed, with %s: nothing changes', async (_, given, message) => {
  const answer = await sent('PUT', 'client/c1', {
    tools_to_execute: ['none'],
    tools_to_auto_execute: [],
    vk_configs: given,
  });
  expect([answer.status, answer.message]).toEqual([400, message]);
  expect(await toolsOf('sk-bf-team')).toEqual(['one-echo']);
});

async function toolsOf(key: string, at = gateway): Promise<string[]> {
  const response = await post(
    `${at.url}/mcp`,
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

describe('vk_configs of a PUT', () => {
  let own: Gateway;
  const stop = async () => own.stop();
  afterEach(stop);

  const only = (...tools: string[]) => ({ tools_to_execute: tools, tools_to_auto_execute: [] });

  const config = (more: object = {}) => ({
    version: 2,
    governance: {
      virtual_keys: [
        {
          id: 'vk1',
          name: 'team',
          value: 'sk-bf-team',
          mcp_configs: [
            { mcp_client_name: 'one', tools_to_execute: ['echo'] },
            { mcp_client_name: 'two', tools_to_execute: ['*'] },
          ],
        },
        { id: 'vk2', name: 'others', value: 'sk-bf-others' },
      ],
    },
    mcp: {
      client_configs: [
        testServer('one', { client_id: 'c1', ...only('echo', 'hang') }),
        testServer('two', { client_id: 'c2', ...only('echo') }),
      ],
    },
    ...more,
  });

  const put = (body: object, id = 'c1') => sent('PUT', `client/${id}`, body, own);
  const assigned = async () => Object.fromEntries(await clientsAt('', own));
  const seen = async () => [await toolsOf('sk-bf-team', own), await toolsOf('sk-bf-others', own)];

  test('takes the place of all assignments of the client, and of no other, at once and after a restart', async () => {
    own = await startGatewayHere(config());
    expect(await seen()).toEqual([['one-echo', 'two-echo'], []]);
    expect(await put({ vk_configs: [{ virtual_key_id: 'vk2', tools_to_execute: ['HANG'] }] })).toMatchObject({
      status: 200,
      body: { status: 'success', message: 'MCP client edited successfully' },
    });
    const after = {
      one: [{ virtual_key_id: 'vk2', virtual_key_name: 'others', tools_to_execute: ['HANG'] }],
      two: [{ virtual_key_id: 'vk1', virtual_key_name: 'team', tools_to_execute: ['*'] }],
    };
    expect(await assigned()).toEqual(after);
    expect(await seen()).toEqual([['two-echo'], ['one-hang']]);
    await restart();
    expect(await assigned()).toEqual(after);
    expect(await seen()).toEqual([['two-echo'], ['one-hang']]);
    await put({ vk_configs: [] });
    expect(await seen()).toEqual([['two-echo'], []]);
  });

  test('is left out: every assignment stays, also under a new name of the client', async () => {
    own = await startGatewayHere(config());
    expect((await put({ name: 'uno', ...only('echo') })).status).toBe(200);
    expect(await seen()).toEqual([['two-echo', 'uno-echo'], []]);
    await restart();
    expect(await seen()).toEqual([['two-echo', 'uno-echo'], []]);
  });

  test('a virtual MCP keeps what it has chosen of a client that gets a new name', async () => {
    const { mcp, ...rest } = config();
    const virtual_mcps = [{ id: 7, name: 'chosen', tools: [{ mcp_client_name: 'one', tool_names: ['echo'] }] }];
    own = await startGatewayHere({ ...rest, mcp: { ...mcp, virtual_mcps } });
    await sent('POST', 'virtual-mcps/7/virtual-keys/vk2', {}, own);
    expect((await seen())[1]).toEqual(['one-echo']);
    expect((await put({ name: 'uno', ...only('echo', 'hang') })).status).toBe(200);
    expect((await seen())[1]).toEqual(['uno-echo']);
    await restart({ mcp: { ...mcp, virtual_mcps } });
    expect((await seen())[1]).toEqual(['uno-echo']);
  });

  test('an empty list blocks a client that is for every key, and none gives it back', async () => {
    own = await startGatewayHere(config());
    await put({ allow_by_default: true, vk_configs: [{ virtual_key_id: 'vk1', tools_to_execute: [] }] });
    expect(await seen()).toEqual([['two-echo'], ['one-echo', 'one-hang']]);
    await put({ vk_configs: [] });
    expect(await seen()).toEqual([
      ['one-echo', 'one-hang', 'two-echo'],
      ['one-echo', 'one-hang'],
    ]);
  });

  test('a key of the file that says something else of its clients wins again', async () => {
    own = await startGatewayHere(config());
    await put({ vk_configs: [] });
    const { governance } = config();
    const [team, others] = governance.virtual_keys;
    const edited = { ...team, mcp_configs: [{ mcp_client_name: 'one', tools_to_execute: ['hang'] }] };
    await restart({ governance: { virtual_keys: [edited, others] } });
    expect(await seen()).toEqual([['one-hang'], []]);
  });

  test('in version 1, where a key without clients may use all, the last one that goes is one less', async () => {
    own = await startGatewayHere(config({ version: 1 }));
    await put({ vk_configs: [{ virtual_key_id: 'vk2', tools_to_execute: ['hang'] }] });
    await put({ vk_configs: [] });
    expect((await seen())[1]).toEqual([]);
  });

  test('with an encryption key nothing of it stands on the disk in plain text', async () => {
    own = await startGatewayHere(config({ encryption_key: 'a key of some length' }));
    await put({ vk_configs: [{ virtual_key_id: 'vk2', tools_to_execute: ['hang'] }] });
    const text = readFileSync(join(own.appDir, 'virtual-keys.json'), 'utf8');
    expect(text).toContain('vk2');
    expect(text).not.toMatch(/tools_to_execute|sk-bf/);
    await restart({ encryption_key: 'a key of some length' });
    expect((await seen())[1]).toEqual(['one-hang']);
  });

  test('of a new client names the keys that may use it', async () => {
    own = await startGatewayHere(config());
    const added = await sent(
      'POST',
      'client',
      {
        ...testServer('three', only('hang')),
        vk_configs: [{ virtual_key_id: 'vk2', tools_to_execute: ['*'] }],
      },
      own,
    );
    expect(added.status).toBe(200);
    expect((await seen())[1]).toEqual(['three-hang']);
  });

  /** The same app-dir, with the file as it is or otherwise. */
  async function restart(more: object = {}): Promise<void> {
    const kept = mkdtempSync(join(tmpdir(), 'bifrost-kept-'));
    await own.stop((appDir) => cpSync(appDir, kept, { recursive: true }));
    own = await startGatewayHere(config(more), { from: kept });
    rmSync(kept, { recursive: true });
  }
});
