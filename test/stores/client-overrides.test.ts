import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type McpClientConfig, mcpClient } from '../../src/config/schema.ts';
import { openClientOverrides } from '../../src/stores/client-overrides.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'client-overrides-'));
  path = join(folder, 'mcp-clients.json');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const client = (name: string, changes: object = {}): McpClientConfig =>
  mcpClient.parse({ name, connection_type: 'http', connection_string: 'http://127.0.0.1:1/mcp', ...changes });

const opened = (...fileClients: McpClientConfig[]) => openClientOverrides({ path, fileClients });

const namesOf = (clients: readonly McpClientConfig[]) => clients.map(({ name }) => name);

test('without changes the clients are those of the config file', async () => {
  const fileClients = [client('a'), client('b')];
  expect((await opened(...fileClients)).clients).toEqual(fileClients);
  expect(await readdir(folder)).toEqual([]);
});

test('a client added through the API is there after a restart, as it was', async () => {
  const added = client('added', {
    client_id: 'id-1',
    headers: { authorization: 'Bearer secret', 'x-other': 'env.SOME_UNSET_VARIABLE' },
    tool_execution_timeout: '1500ms',
    tool_sync_interval: '5m',
    tools_to_execute: ['*'],
    disabled: true,
    vendor_field: { kept: true },
  });
  await (await opened(client('file'))).put(added);
  const { clients, warnings } = await opened(client('file'));
  expect(clients).toEqual([client('file'), added]);
  expect(warnings).toEqual([]);
});

test('references are stored as references, and the file is for its owner only', async () => {
  process.env.OVERRIDES_TEST_TOKEN = 'the-value-itself';
  try {
    await (await opened()).put(client('a', { headers: { authorization: 'env.OVERRIDES_TEST_TOKEN' } }));
  } finally {
    delete process.env.OVERRIDES_TEST_TOKEN;
  }
  const text = await readFile(path, 'utf8');
  expect(text).toContain('env.OVERRIDES_TEST_TOKEN');
  expect(text).not.toContain('the-value-itself');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(['mcp-clients.json']);
});

test('a change of a file’s client holds while the file says the same of it', async () => {
  await (await opened(client('a'), client('b'))).put(client('a', { disabled: true }));
  expect((await opened(client('a'), client('b'))).clients).toEqual([client('a', { disabled: true }), client('b')]);
});

test('an edit of the file’s client wins over the change, for good', async () => {
  await (await opened(client('a'))).put(client('a', { disabled: true }));
  const edited = client('a', { tools_to_execute: ['x'] });
  expect((await opened(edited)).clients).toEqual([edited]);
  expect((await opened(client('a'))).clients).toEqual([client('a')]);
});

test('a default written out is no edit', async () => {
  await (await opened(client('a'))).put(client('a', { disabled: true }));
  const { clients } = await opened(client('a', { is_ping_available: true, disabled: false, headers: {} }));
  expect(clients).toEqual([client('a', { disabled: true })]);
});

test('a file’s client that was removed stays away until the file changes it', async () => {
  await (await opened(client('a'), client('b'))).remove('a');
  expect(namesOf((await opened(client('a'), client('b'))).clients)).toEqual(['b']);
  expect(namesOf((await opened(client('a', { disabled: true }), client('b'))).clients)).toEqual(['a', 'b']);
});

test('a client that only the API knew leaves nothing behind when it is removed', async () => {
  const overrides = await opened();
  await overrides.put(client('a'));
  await overrides.remove('a');
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ version: 1, clients: [] });
});

test('a renamed client does not come back under its former name', async () => {
  await (await opened(client('a'))).put(client('z'), 'a');
  expect(namesOf((await opened(client('a'))).clients)).toEqual(['z']);
});

test('a client that vanished from the file keeps what was changed through the API', async () => {
  await (await opened(client('a'))).put(client('a', { disabled: true }));
  expect((await opened()).clients).toEqual([client('a', { disabled: true })]);
});

test('with the config file as the only truth, what was changed is forgotten', async () => {
  await (await opened(client('a'))).put(client('b'));
  const { clients } = await openClientOverrides({ path, fileClients: [client('a')], fileNames: ['a'] });
  expect(namesOf(clients)).toEqual(['a']);
  expect(namesOf((await opened(client('a'))).clients)).toEqual(['a']);
});

test('with the config file as the only truth, a file without a list of clients leaves what was changed', async () => {
  await (await opened()).put(client('b'));
  const { clients } = await openClientOverrides({ path, fileClients: [], fileNames: undefined });
  expect(namesOf(clients)).toEqual(['b']);
});

test('with the config file as the only truth, an empty list removes everything, a misspelt entry protects its own', async () => {
  await (await opened()).put(client('b'));
  await (await opened()).put(client('c'));
  const { clients } = await openClientOverrides({ path, fileClients: [], fileNames: ['b'] });
  expect(namesOf(clients)).toEqual(['b']);
  expect(namesOf((await openClientOverrides({ path, fileClients: [], fileNames: [] })).clients)).toEqual([]);
});

test('an entry that is no client is left out with a warning, and survives the next write', async () => {
  const broken = { name: 'bad', config: { name: 'bad-name', connection_type: 'http' } };
  await writeFile(path, JSON.stringify({ version: 1, clients: [broken] }));
  const overrides = await opened(client('a'));
  expect(namesOf(overrides.clients)).toEqual(['a']);
  expect(overrides.warnings).toEqual([expect.stringContaining("MCP client 'bad'")]);
  await overrides.put(client('c'));
  expect(JSON.parse(await readFile(path, 'utf8')).clients).toContainEqual(broken);
});

test.each([['{'], ['[]'], ['{"version":2,"clients":[]}']])('a file holding %s stops the start', async (text) => {
  await writeFile(path, text);
  await expect(opened()).rejects.toThrow(/mend it, or remove it/);
});

test('many changes at once are all kept', async () => {
  const overrides = await opened();
  await Promise.all(Array.from({ length: 20 }, (_, index) => overrides.put(client(`c${index}`))));
  expect((await opened()).clients).toHaveLength(20);
});

test('a change that cannot be written is an error that says so, and is not made later', async () => {
  const blocked = join(folder, 'sub');
  path = join(blocked, 'mcp-clients.json');
  const overrides = await opened();
  await writeFile(blocked, 'a file where the folder should be');
  await expect(overrides.put(client('a'))).rejects.toThrow(/cannot be written/);
  await rm(blocked);
  await overrides.put(client('b'));
  expect(namesOf((await opened()).clients)).toEqual(['b']);
});
