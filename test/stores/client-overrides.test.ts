import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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

describe('with an encryption key', () => {
  const SECRET = 'Bearer not-for-the-disk';
  const keyed = client('keyed', { headers: { authorization: SECRET } });
  const local = mcpClient.parse({
    name: 'local',
    connection_type: 'stdio',
    stdio_config: { command: 'node', args: ['--token', SECRET], envs: [`TOKEN=${SECRET}`] },
  });
  const underKey = (encryptionKey: string | undefined, ...fileClients: McpClientConfig[]) =>
    openClientOverrides({ path, fileClients, encryptionKey });

  test('headers, variables and arguments are not to be read in the file, and are there again at the next start', async () => {
    const overrides = await underKey('a key');
    await overrides.put(keyed);
    await overrides.put(local);
    const text = await readFile(path, 'utf8');
    expect(text).not.toContain(SECRET);
    expect(text).toContain('"name": "keyed"');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const { clients, warnings } = await underKey('a key');
    expect(clients).toEqual([keyed, local]);
    expect(warnings).toEqual([]);
  });

  test('what was plain text is sealed by the next start', async () => {
    await (await opened()).put(keyed);
    expect(await readFile(path, 'utf8')).toContain(SECRET);
    expect((await underKey('a key')).clients).toEqual([keyed]);
    expect(await readFile(path, 'utf8')).not.toContain(SECRET);
    expect((await underKey('a key')).clients).toEqual([keyed]);
  });

  test.each([
    ['another key', 'encrypted with another key'],
    [undefined, 'no encryption key is set'],
  ])('under the key %j the start stops, says why and what to do, and leaves the file as it is', async (key, why) => {
    await (await underKey('a key')).put(keyed);
    const before = await readFile(path, 'utf8');
    const asked = underKey(key);
    await expect(asked).rejects.toThrow(why);
    await expect(asked).rejects.toThrow(
      `the MCP clients in ${path} cannot be read: ` +
        `${key ? 'they were encrypted with another key' : 'no encryption key is set'}; ` +
        'set the encryption_key they were written with, or remove the file to start from the config file',
    );
    expect(await readFile(path, 'utf8')).toBe(before);
  });

  test('text that was changed by hand is not taken', async () => {
    await (await underKey('a key')).put(keyed);
    const stored = JSON.parse(await readFile(path, 'utf8'));
    const [first] = stored.clients;
    first.sealed = `${first.sealed.slice(0, -4)}AAAA`;
    await writeFile(path, JSON.stringify(stored));
    await expect(underKey('a key')).rejects.toThrow('the text was changed');
  });

  test('many changes at once, by two gateways of one folder, are all kept', async () => {
    const [one, other] = [await underKey('a key'), await underKey('a key')];
    await one.put(client('first'));
    await Promise.all(Array.from({ length: 5 }, (_, index) => other.put(client(`c${index}`))));
    expect((await underKey('a key')).clients).toHaveLength(6);
  });

  test('an edit of the config file still wins', async () => {
    await (await underKey('a key', client('a'))).put(client('a', { disabled: true }));
    const edited = client('a', { tools_to_execute: ['x'] });
    expect((await underKey('a key', edited)).clients).toEqual([edited]);
  });
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
