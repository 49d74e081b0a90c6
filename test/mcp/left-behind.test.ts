import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isLeft } from '../../src/mcp/fleet/journal.ts';
import { processFacts, processTable, psTable } from '../../src/mcp/fleet/process-table.ts';
import { isAlive, newClients, serverFile, stdioConfig, until } from '../support/mcp-clients.ts';

let folder: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'left-'));
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** A gateway on the folder; gives the ids of its server and of what that started. */
async function startGateway(manner: string): Promise<{ gateway: ChildProcess; pids: number[] }> {
  const gateway = spawn(process.execPath, ['--import', 'tsx', serverFile('gateway.ts'), folder, manner], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(gateway);
  for await (const chunk of gateway.stdout) return { gateway, pids: JSON.parse(String(chunk)) };
  throw new Error('the gateway said nothing');
}

/** The shell that would clean up by itself. */
const guardOf = (gateway: ChildProcess): number => {
  const { pid } = gateway;
  const ids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  return ids.find((id) => readFileSync(`/proc/${id}/cmdline`, 'utf8').startsWith('/bin/sh\0-c')) ?? 0;
};

async function startAgain(): Promise<string[]> {
  const { clients, lines } = newClients([], { stateFolder: folder });
  await clients.start();
  await clients.close();
  return lines.map(({ message }) => message);
}

const journals = (): string[] => (existsSync(join(folder, 'processes')) ? readdirSync(join(folder, 'processes')) : []);

describe.runIf(existsSync('/proc/self/stat'))('after kill -9 of the gateway and of its guard', () => {
  async function killAll(manner: string): Promise<number[]> {
    const { gateway, pids } = await startGateway(manner);
    process.kill(guardOf(gateway), 'SIGKILL');
    gateway.kill('SIGKILL');
    await until(() => !isAlive(gateway.pid ?? 0));
    return pids;
  }

  test('G3 the next start ends a server that lives on, and what it started', async () => {
    const pids = await killAll('stubborn');
    expect(pids.map(isAlive)).toEqual([true, true]);
    expect(await startAgain()).toEqual([
      expect.stringMatching(/^a server of MCP client ref that an earlier run left behind is ended: process group \d+$/),
    ]);
    expect(pids.map(isAlive)).toEqual([false, false]);
    expect(journals()).toEqual([]);
  });

  test('G3 the next start ends what a server started that has ended itself', async () => {
    const [server = 0, grandchild = 0] = await killAll('polite');
    await until(() => !isAlive(server));
    expect(isAlive(grandchild)).toBe(true);
    await startAgain();
    expect(isAlive(grandchild)).toBe(false);
  });
});

test('a gateway that lives keeps its servers, whoever starts beside it', async () => {
  const { gateway, pids } = await startGateway('stubborn');
  expect(await startAgain()).toEqual([]);
  expect(pids.map(isAlive)).toEqual([true, true]);
  gateway.kill('SIGKILL');
  await until(() => !pids.some(isAlive));
  expect(await startAgain()).toEqual([]);
});

test('a process that was given the id of one that is gone is left alone', async () => {
  const innocent = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
  children.push(innocent);
  await new Promise((resolve) => innocent.once('spawn', resolve));
  const { pid = 0, boot = '', startedAt = 0 } = processFacts(innocent.pid ?? 0) ?? {};
  mkdirSync(join(folder, 'processes'));
  const gone = { pid: 1, boot: 'another', startedAt: 1 };
  const groups = [{ pid, boot, startedAt: startedAt - 1, mcpClient: 'ref' }];
  writeFileSync(join(folder, 'processes', 'old.json'), JSON.stringify({ version: 1, gateway: gone, groups }));
  expect(await startAgain()).toEqual([]);
  expect(isAlive(pid)).toBe(true);
  expect(journals()).toEqual([]);
});

test('what is no journal is left as it is', async () => {
  mkdirSync(join(folder, 'processes'));
  writeFileSync(join(folder, 'processes', 'other.json'), '{"version":2}');
  expect(await startAgain()).toEqual([]);
  expect(journals()).toEqual(['other.json']);
});

test('a server is written down while it lives, and not longer', async () => {
  const { clients } = newClients([stdioConfig('ref')], { stateFolder: folder });
  await clients.start();
  const [path = ''] = journals();
  const { groups, gateway } = JSON.parse(readFileSync(join(folder, 'processes', path), 'utf8'));
  expect([gateway.pid, groups[0].pid]).toEqual([process.pid, clients.statuses()[0]?.pid]);
  await clients.close();
  expect(journals()).toEqual([]);
});

describe('whether anybody of a group is left', () => {
  const group = { pid: 50, boot: 'b', startedAt: 100 };
  const one = (pid: number, startedAt: number, more = {}) => ({
    pid,
    group: 50,
    boot: 'b',
    startedAt,
    residentBytes: 0,
    ...more,
  });

  test.each([
    ['nobody', [], false],
    ['its leader', [one(50, 100)], true],
    ['another process of its id', [one(50, 101)], false],
    ['its leader of another run of the system', [one(50, 100, { boot: 'c' })], false],
    ['what its leader started', [one(51, 120), one(52, 130)], true],
    ['a member older than its leader', [one(51, 99)], false],
    ['members under another leader of its id', [one(50, 200), one(51, 201)], false],
    ['other groups', [one(60, 120, { group: 60 })], false],
  ])('%s', (_, table, left) => {
    expect(isLeft(group, table)).toBe(left);
  });
});

test('the table of processes knows ourselves, and ps says the same', () => {
  const self = processTable().find(({ pid }) => pid === process.pid);
  const [bySelection] = psTable(['-p', String(process.pid)]);
  expect(bySelection).toMatchObject({ pid: process.pid, group: self?.group });
  expect(Math.abs((bySelection?.startedAt ?? 0) - (Date.now() - process.uptime() * 1_000))).toBeLessThan(5_000);
  for (const facts of [self, bySelection]) {
    expect((facts?.residentBytes ?? 0) / process.memoryUsage().rss).toBeGreaterThan(0.5);
    expect((facts?.residentBytes ?? 0) / process.memoryUsage().rss).toBeLessThan(2);
  }
  expect(processFacts(2 ** 30)).toBeUndefined();
});
