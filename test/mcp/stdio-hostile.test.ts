import { describe, expect, test } from 'vitest';
import type { McpClients } from '../../src/mcp/clients.ts';
import { callOf, clientConfig, firstText, isAlive, serverFile, startedClients, until } from '../support/mcp-clients.ts';

const started = startedClients();

const config = (timeout = '20s') =>
  clientConfig({
    name: 'bad',
    connection_type: 'stdio',
    stdio_config: { command: process.execPath, args: [serverFile('hostile-stdio.mjs')] },
    tool_execution_timeout: timeout,
  });

async function start(timeout?: string): Promise<McpClients> {
  const { clients } = await started([config(timeout)], { timing: { graceMs: 100 } });
  expect(clients.statuses()).toMatchObject([{ state: 'healthy' }]);
  return clients;
}

const call = async (clients: McpClients, tool: string) => firstText(await clients.call(callOf(`bad-${tool}`)));
const pidOf = (clients: McpClients): number => clients.statuses()[0]?.pid ?? 0;

/** The same server answers on, or a new one in its place. */
const goesOn = (clients: McpClients) =>
  expect.poll(() => call(clients, 'calm').catch(String), { timeout: 10_000 }).toBe('calm');

describe('a stdio server that misbehaves', () => {
  test.each([
    ['floods its output with what is no JSON', 'flood', 'through the flood'],
    ['writes a byte at a time', 'halves', 'hälften 💥'],
    ['answers twice, and what nobody asked', 'twice', 'first'],
    ['shouts on stderr', 'loud', 'said'],
    ['writes 50 MB that are no JSON', 'junk', 'behind the junk'],
  ])('%s is understood, and used further', async (_, tool, answer) => {
    const clients = await start();
    const pid = pidOf(clients);
    expect(await call(clients, tool)).toBe(answer);
    expect(await call(clients, 'calm')).toBe('calm');
    expect(pidOf(clients)).toBe(pid);
    const { stderr } = clients.statuses()[0] ?? { stderr: [] };
    expect(stderr.length).toBeLessThanOrEqual(200);
    expect(Math.max(...stderr.map((line) => line.length))).toBeLessThanOrEqual(2_100);
  });

  test('answers with a line of 50 MB, which arrives whole and leaves nothing behind', async () => {
    const clients = await start();
    expect(await call(clients, 'huge')).toHaveLength(50 * 1024 * 1024);
    await goesOn(clients);
  });

  test.each([
    ['exits', 'exit', 'exited with code 9'],
    ['is killed', 'killed', 'killed by SIGKILL'],
    ['exits in the middle of a line', 'unfinished', 'exited with code 3'],
    ['closes its output', 'mute', 'closed its output'],
  ])(
    '%s in a call: the call fails at once with its last words, and the next has a new server',
    async (_, tool, why) => {
      const clients = await start();
      const failed = clients.call(callOf(`bad-${tool}`));
      await expect(failed).rejects.toThrow(why);
      await expect(failed).rejects.toThrow('the last words of a hostile server');
      await goesOn(clients);
    },
  );

  test('closes its input: whoever writes next is told, long before the timeout, and a new one comes', async () => {
    const clients = await start();
    const first = call(clients, 'deaf').catch(String);
    await new Promise((next) => setTimeout(next, 100));
    const second = call(clients, 'calm').catch(String);
    for (const told of await Promise.all([first, second])) expect(told).toContain('the server closed its input');
    await goesOn(clients);
  });

  test('G3 ignores SIGTERM, and forks what ignores it too: nothing is left after close', async () => {
    const clients = await start();
    const pids = JSON.parse(await call(clients, 'forks')) as number[];
    const pid = pidOf(clients);
    expect([pid, ...pids].every(isAlive)).toBe(true);
    await clients.close();
    await until(() => ![pid, ...pids].some(isAlive));
  });

  test('G3 crashes and leaves children behind: they end with it', async () => {
    const clients = await start();
    const pids = JSON.parse(await call(clients, 'forks')) as number[];
    await expect(clients.call(callOf('bad-exit'))).rejects.toThrow('exited with code 9');
    await until(() => !pids.some(isAlive));
    await goesOn(clients);
  });

  test('never answers: the timeout ends the call, and the server serves on', async () => {
    const silent = await start('300ms');
    await expect(silent.call(callOf('bad-mute'))).rejects.toThrow(/timed out|closed its output/);
    await goesOn(silent);
  });
});
