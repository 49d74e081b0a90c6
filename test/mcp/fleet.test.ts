import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { McpClients, McpClientsOptions } from '../../src/mcp/clients.ts';
import { callOf, clientConfig, firstText, isAlive, newClients, serverFile, until } from '../support/mcp-clients.ts';

let folder: string;
const open: McpClients[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-'));
  writeFileSync(file('tools'), 'first');
});

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(open.splice(0).map((clients) => clients.close()));
  rmSync(folder, { recursive: true });
});

const file = (name: string): string => join(folder, name);

const light = (input: Record<string, unknown> = {}, ...args: string[]) =>
  clientConfig({
    name: 'light',
    client_id: 'light-id',
    connection_type: 'stdio',
    stdio_config: {
      command: process.execPath,
      args: [serverFile('light.mjs'), '--starts', file('starts'), '--tools', file('tools'), ...args],
    },
    ...input,
  });

/** A gateway on the app-dir of this test. */
async function run(config = light(), options: Partial<McpClientsOptions> = {}): Promise<McpClients> {
  const { clients } = newClients([config], { stateFolder: file('mcp'), ...options });
  open.push(clients);
  await clients.start();
  return clients;
}

/** A gateway that ran once and stopped, so that its servers are known. */
async function ranOnce(config = light()): Promise<void> {
  const clients = await run(config);
  await clients.close();
  rmSync(file('starts'));
}

const starts = (): number =>
  existsSync(file('starts')) ? readFileSync(file('starts'), 'utf8').trim().split('\n').length : 0;

const only = (clients: McpClients) => {
  const [status] = clients.statuses();
  if (!status) throw new Error('there is no client');
  return status;
};

const toolNames = (clients: McpClients): string[] => clients.catalog.tools.map(({ upstreamName }) => upstreamName);

const echo = async (clients: McpClients, value: string) =>
  firstText(await clients.call(callOf('light-echo', { value })));

describe('lazy start', () => {
  test('G5 a server that ran before is listed without a start, and its first call starts it', async () => {
    await ranOnce();
    const clients = await run();
    expect(only(clients)).toMatchObject({ state: 'healthy', isResting: true, isStale: true, restarts: 0 });
    expect(only(clients)).toMatchObject({ serverInfo: { name: 'light' } });
    expect(only(clients)).not.toHaveProperty('pid');
    expect(toolNames(clients)).toEqual(['crash', 'echo', 'first', 'hoard', 'pid', 'slow']);
    expect(starts()).toBe(0);
    expect(await echo(clients, 'hello')).toBe('hello');
    expect(only(clients)).toMatchObject({ state: 'healthy', isResting: false, isStale: false });
    expect(starts()).toBe(1);
  });

  test('G5 many first calls at once start one process', async () => {
    await ranOnce();
    const clients = await run();
    const values = Array.from({ length: 20 }, (_, index) => `value ${index}`);
    expect(await Promise.all(values.map((value) => echo(clients, value)))).toEqual(values);
    expect(starts()).toBe(1);
  });

  test('G9 a list of an earlier run is put right by the first start', async () => {
    await ranOnce();
    writeFileSync(file('tools'), 'second');
    const clients = await run();
    const { version } = clients.catalog;
    expect(toolNames(clients)).toContain('first');
    expect(firstText(await clients.call(callOf('light-second')))).toBe('I am second');
    expect(toolNames(clients)).toContain('second');
    expect(toolNames(clients)).not.toContain('first');
    expect(clients.catalog.version).toBe(version + 1);
    await clients.close();
    const again = await run();
    expect(toolNames(again)).toContain('second');
  });

  test('a server may be started with the gateway all the same', async () => {
    const config = light({ process_config: { lazy_start: false } });
    await ranOnce(config);
    const clients = await run(config);
    expect(only(clients)).toMatchObject({ isResting: false, isStale: false, pid: expect.any(Number) });
  });

  test('another command is another server, of which nothing is known', async () => {
    await ranOnce();
    expect(only(await run(light({}, '--other')))).toMatchObject({ isStale: false, pid: expect.any(Number) });
  });

  test('what is kept and cannot be read is no reason to do without the server', async () => {
    await ranOnce();
    const manifests = file('mcp/manifests');
    for (const name of readdirSync(manifests)) writeFileSync(join(manifests, name), '{"version":1,');
    expect(only(await run())).toMatchObject({ isStale: false, state: 'healthy' });
  });

  test('a folder that takes no manifest is warned of once, however many clients there are', async () => {
    mkdirSync(file('mcp'));
    writeFileSync(file('mcp/manifests'), 'no folder');
    const other = light({ name: 'other', client_id: 'other-id' }, '--other');
    const { clients, lines } = newClients([light(), other], { stateFolder: file('mcp') });
    await clients.start();
    expect(only(clients).state).toBe('healthy');
    await clients.close();
    const warnings = lines.flatMap(({ message }) => (message.includes('cannot be kept') ? message : []));
    expect(warnings).toEqual([expect.stringMatching(/^what MCP servers offer cannot be kept in .*manifests \(E\w+\)/)]);
  });

  test('a config that cannot start its server says so at once', async () => {
    const [command, ...args] = [process.execPath, serverFile('light.mjs')];
    const config = light({ stdio_config: { command, args, envs: ['WANTED'] } });
    const env = { PATH: process.env.PATH };
    const first = await run(config, { environment: { ...env, WANTED: 'yes' } });
    await first.close();
    expect(only(await run(config, { environment: env }))).toMatchObject({
      state: 'error',
      lastFailure: { message: 'environment variable WANTED is not set for MCP client light' },
    });
  });

  test('a list that grows old is verified by a start, for which the process is not kept', async () => {
    // the clock stands still, so that no load of the machine makes the list older than it is meant to be
    const ranAtMs = Date.now();
    vi.setSystemTime(ranAtMs);
    await ranOnce();
    writeFileSync(file('tools'), 'second');
    vi.setSystemTime(ranAtMs + 59_800);
    const clients = await run(light(), { timing: { manifestFreshMs: 60_000 } });
    expect(only(clients).isStale).toBe(true);
    await until(() => !only(clients).isStale && only(clients).isResting);
    expect(toolNames(clients)).toContain('second');
    expect(starts()).toBe(1);
  });

  test('a list of a clock that was ahead is no list, as its age is not known', async () => {
    await ranOnce();
    vi.setSystemTime(Date.now() - 3_600_000);
    expect(only(await run())).toMatchObject({ isStale: false });
  });

  test('a list that is too old is no list', async () => {
    await ranOnce();
    expect(only(await run(light(), { timing: { manifestFreshMs: 0 } }))).toMatchObject({ isStale: false });
  });

  test('G9 a server that cannot be started any more keeps its tools and says why', async () => {
    await ranOnce();
    rmSync(file('tools'));
    const clients = await run();
    await expect(echo(clients, 'hello')).rejects.toThrow('the server exited with code 1');
    expect(only(clients)).toMatchObject({ state: 'unstable', lastFailure: { stage: 'connect' } });
    expect(toolNames(clients)).toContain('first');
  });
});

describe('idle stop', () => {
  const idle = () => light({ process_config: { idle_timeout: '250ms' } });

  test('a process that nobody calls is stopped, and is back for the next call', async () => {
    const clients = await run(idle());
    const { pid = 0 } = only(clients);
    await until(() => only(clients).isResting && !isAlive(pid));
    expect(only(clients)).toMatchObject({ state: 'healthy', isStale: false });
    expect(only(clients)).not.toHaveProperty('lastFailure');
    expect(await echo(clients, 'back')).toBe('back');
    expect(starts()).toBe(2);
  });

  test('a call that takes longer is no idle time', async () => {
    const clients = await run(idle());
    expect(firstText(await clients.call(callOf('light-slow', { ms: 900 })))).toBe('done');
    expect(starts()).toBe(1);
  });

  test('without a time a process runs on', async () => {
    expect(light().process_config.idle_timeout).toBe(0);
  });
});

describe('limits', () => {
  test('a server that ends too often is left alone, until a person wants it', async () => {
    const config = light({ process_config: { max_restarts: 2 } });
    const clients = await run(config, { timing: { backoffInitialMs: 0 } });
    for (let crash = 0; crash < 2; crash += 1) {
      await expect(clients.call(callOf('light-crash'))).rejects.toThrow('exited with code 7');
    }
    await expect(echo(clients, 'hello')).rejects.toThrow(
      'the server ended 2 times within 600 s (process_config.max_restarts)',
    );
    expect(only(clients)).toMatchObject({ state: 'unstable', lastFailure: { stage: 'connect' } });
    expect(toolNames(clients)).toContain('echo');
    await clients.reconnect('light-id');
    expect(await echo(clients, 'hello')).toBe('hello');
    expect(starts()).toBe(3);
  });

  test('a server above its memory limit is started anew, and the reason is told', async () => {
    const config = light({ process_config: { memory_limit_mb: 200 } });
    const clients = await run(config, { timing: { memoryCheckMs: 20 } });
    const { pid = 0 } = only(clients);
    await clients.call(callOf('light-hoard', { megabytes: 300 })).catch(() => undefined);
    await until(() => only(clients).pid !== pid && only(clients).state === 'healthy');
    expect(isAlive(pid)).toBe(false);
    expect(only(clients).lastFailure).toMatchObject({
      stage: 'transport_lost',
      message: expect.stringMatching(/^the server used \d+ MB, more than the 200 MB of process_config.memory_limit_mb/),
    });
    expect(await echo(clients, 'hello')).toBe('hello');
  });
});
