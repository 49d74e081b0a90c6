import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { McpClientConfig } from '../../src/config/schema.ts';
import {
  callOf,
  clientConfig,
  firstText,
  isAlive,
  serverFile,
  startedClients,
  stdioConfig,
  until,
} from '../support/mcp-clients.ts';

const started = startedClients();

test('a stdio server is dialled, listed and called', async () => {
  const { clients } = await started([stdioConfig('ref')]);
  expect(clients.statuses()).toMatchObject([
    { name: 'ref', state: 'healthy', serverInfo: { name: 'test' }, restarts: 0 },
  ]);
  expect(firstText(await clients.call(callOf('ref-echo', { value: 'hello' })))).toBe('hello');
});

describe('processes', () => {
  test('G3 a server that ignores the end of its input and SIGTERM is gone after close', async () => {
    const { clients } = await started([stdioConfig('ref', {}, '--stubborn')], { timing: { graceMs: 100 } });
    const pid = clients.statuses()[0]?.pid ?? 0;
    expect(isAlive(pid)).toBe(true);
    await clients.close();
    expect(isAlive(pid)).toBe(false);
  });

  test('G3 what a server started is gone after close', async () => {
    const { clients } = await started([stdioConfig('ref')], { timing: { graceMs: 200 } });
    const grandchild = Number(firstText(await clients.call(callOf('ref-grandchild'))));
    expect(isAlive(grandchild)).toBe(true);
    await clients.close();
    expect(isAlive(grandchild)).toBe(false);
  });

  test('G3 what a server started dies with it when it crashes', async () => {
    const { clients } = await started([stdioConfig('ref')], { timing: { graceMs: 100 } });
    const grandchild = Number(firstText(await clients.call(callOf('ref-grandchild'))));
    await expect(clients.call(callOf('ref-crash'))).rejects.toThrow('exited with code 7');
    expect(isAlive(grandchild)).toBe(false);
  });

  describe('when the gateway dies', () => {
    let gateway: ChildProcess | undefined;
    afterEach(() => gateway?.kill('SIGKILL'));

    const startGateway = async (): Promise<number[]> => {
      const child = spawn(process.execPath, ['--import', 'tsx', serverFile('gateway.ts')], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      gateway = child;
      for await (const chunk of child.stdout) return JSON.parse(String(chunk));
      throw new Error('the gateway said nothing');
    };

    test('G3 kill -9 leaves no server and nothing that a server started', async () => {
      const pids = await startGateway();
      expect(pids.map(isAlive)).toEqual([true, true]);
      gateway?.kill('SIGKILL');
      await until(() => !pids.some(isAlive));
    });

    test('G3 an exit without close leaves nothing either, at once', async () => {
      const pids = await startGateway();
      expect(pids.map(isAlive)).toEqual([true, true]);
      gateway?.stdin?.write('exit\n');
      await until(() => gateway?.exitCode !== null);
      await until(() => !pids.some(isAlive));
    });
  });

  test('a server that dies in a call fails that call with its last words, and is back for the next', async () => {
    const { clients } = await started([stdioConfig('ref')]);
    await expect(clients.call(callOf('ref-crash'))).rejects.toMatchObject({
      kind: 'network',
      message: expect.stringMatching(
        /^MCP tool call failed for ref-crash: the server exited with code 7; its last words: started/,
      ),
    });
    expect(firstText(await clients.call(callOf('ref-echo', { value: 'back' })))).toBe('back');
    expect(clients.statuses()).toMatchObject([
      { state: 'healthy', restarts: 1, lastFailure: { stage: 'transport_lost' } },
    ]);
  });

  test('a server that died is dialled again without a call, and its tools never left the catalog', async () => {
    const { clients } = await started([stdioConfig('ref')]);
    const before = clients.catalog;
    process.kill(clients.statuses()[0]?.pid ?? 0, 'SIGKILL');
    await until(() => clients.statuses()[0]?.state === 'unstable');
    expect(clients.catalog).toBe(before);
    await until(() => clients.statuses()[0]?.state === 'healthy');
    expect(clients.catalog).toBe(before);
  });

  test('a server that closes its output but lives on is replaced', async () => {
    const { clients } = await started([stdioConfig('ref')], { timing: { graceMs: 100 } });
    const pid = clients.statuses()[0]?.pid ?? 0;
    await expect(clients.call(callOf('ref-mute'))).rejects.toThrow('the server closed its output');
    expect(isAlive(pid)).toBe(false);
    expect(firstText(await clients.call(callOf('ref-echo', { value: 'back' })))).toBe('back');
  });

  test('a call that may be repeated survives a crash of its server, any other does not', async () => {
    const { clients } = await started([stdioConfig('ref')]);
    const folder = await mkdtemp(join(tmpdir(), 'mcp-'));
    try {
      const file = join(folder, 'crashed');
      expect(firstText(await clients.call(callOf('ref-crash_once', { file })))).toBe('second time');
      await expect(clients.call(callOf('ref-crash'))).rejects.toMatchObject({ kind: 'network' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('a server that does not know ping is healthy all the same', async () => {
    const script = `
      const answers = {
        initialize: { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'small', version: '1' } },
      };
      require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
        const { id, method } = JSON.parse(line);
        const error = { code: -32601, message: 'Method not found' };
        console.error(method);
        if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, ...(answers[method] ? { result: answers[method] } : { error }) }));
      });`;
    const config = stdioConfig('ref', { stdio_config: { command: process.execPath, args: ['-e', script] } });
    const { clients } = await started([config], { timing: { syncIntervalMs: 20 } });
    await until(() => (clients.statuses()[0]?.stderr.filter((line) => line === 'ping').length ?? 0) > 2);
    expect(clients.statuses()[0]).toMatchObject({ state: 'healthy', restarts: 0, tools: [] });
    expect(clients.statuses()[0]).not.toHaveProperty('lastFailure');
  });

  test('close ends a dial that is under way', async () => {
    const silent = clientConfig({
      name: 'silent',
      connection_type: 'stdio',
      stdio_config: { command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'] },
    });
    const { clients } = await started([silent], { timing: { bootWaitMs: 100, graceMs: 50 } });
    expect(clients.statuses()).toMatchObject([{ state: 'unstable', tools: [] }]);
    await clients.close();
  });
});

describe('start', () => {
  test('servers that do not exist or do not answer stop neither start nor their neighbours', async () => {
    const dead = clientConfig({
      name: 'dead',
      connection_type: 'stdio',
      stdio_config: { command: 'no-such-command-here' },
    });
    const { clients, lines } = await started([dead, stdioConfig('ref')]);
    expect(clients.statuses()).toMatchObject([
      {
        name: 'dead',
        state: 'error',
        lastFailure: {
          stage: 'connect',
          message: expect.stringContaining("command not found: 'no-such-command-here'"),
        },
      },
      { name: 'ref', state: 'healthy' },
    ]);
    expect(lines.filter((line) => line.level === 'warn').map((line) => line.message)).toEqual([
      expect.stringContaining('MCP client dead: command not found'),
    ]);
    await expect(clients.call(callOf('dead-echo'))).rejects.toThrow(
      'MCP tool call failed for dead-echo: command not found',
    );
  });

  test('what a server prints on stdout beside the protocol is kept with its stderr', async () => {
    const { clients } = await started([stdioConfig('ref', {}, '--banner')]);
    expect(clients.statuses()[0]).toMatchObject({
      state: 'healthy',
      stderr: expect.arrayContaining(['[stdout] Welcome to the test server!']),
    });
  });

  test('the last 200 lines of stderr are kept', async () => {
    const { clients } = await started([stdioConfig('ref')]);
    await clients.call(callOf('ref-stderr', { lines: 5_000 }));
    await until(() => clients.statuses()[0]?.stderr.at(-1) === 'line 5000');
    expect(clients.statuses()[0]?.stderr).toHaveLength(200);
  });
});

describe('environment', () => {
  const environmentOf = async (config: McpClientConfig, environment: NodeJS.ProcessEnv) => {
    const { clients } = await started([config], { environment });
    return JSON.parse(firstText(await clients.call(callOf(`${config.name}-environment`))));
  };

  test('G6 a server gets the safe variables, its own, and no secret of the gateway', async () => {
    const config = stdioConfig('ref', {
      stdio_config: { command: process.execPath, args: [serverFile('stdio.mjs')], envs: ['WANTED', 'INLINE=a=b'] },
    });
    const seen = await environmentOf(config, {
      PATH: process.env.PATH,
      HOME: '/home/somebody',
      WANTED: 'yes',
      OPENAI_API_KEY: 'sk-secret',
    });
    expect(seen).toMatchObject({ PATH: process.env.PATH, HOME: '/home/somebody', WANTED: 'yes', INLINE: 'a=b' });
    expect(seen).not.toHaveProperty('OPENAI_API_KEY');
  });

  test.each([
    ['an unset variable', 'NOT_SET', 'environment variable NOT_SET is not set for MCP client ref'],
    ['an empty variable', 'EMPTY', 'environment variable EMPTY is not set for MCP client ref'],
    ['an empty name', ' ', 'environment variable name is empty for MCP client ref'],
  ])('%s fails that client with a clear reason', async (_, entry, message) => {
    const config = stdioConfig('ref', { stdio_config: { command: process.execPath, args: [], envs: [entry] } });
    const { clients } = await started([config], { environment: { EMPTY: '' } });
    expect(clients.statuses()).toMatchObject([{ state: 'error', lastFailure: { message } }]);
  });

  test('configured values do not show in what the server wrote', async () => {
    const config = stdioConfig('ref', {
      stdio_config: {
        command: process.execPath,
        args: ['-e', 'console.error("my token is " + process.env.TOKEN); process.exit(1)'],
        envs: ['TOKEN'],
      },
    });
    const { clients } = await started([config], { environment: { ...process.env, TOKEN: 'very-secret-value' } });
    expect(JSON.stringify(clients.statuses())).not.toContain('very-secret-value');
    expect(clients.statuses()[0]?.stderr).toEqual(['my token is ***']);
    expect(clients.statuses()[0]?.lastFailure?.message).toContain(
      'the server exited with code 1; its last words: my token is ***',
    );
  });

  test('the last words of a server started by npx leave out what npm says of itself', async () => {
    const words = ['npm error 404 Not Found', 'npm notice', 'npm notice New version of npm available', 'npm notice'];
    const script = `process.stderr.write(${JSON.stringify(words.join('\n'))}); process.exitCode = 1`;
    const config = stdioConfig('ref', { stdio_config: { command: process.execPath, args: ['-e', script], envs: [] } });
    const { clients } = await started([config]);
    expect(clients.statuses()[0]?.lastFailure?.message).toMatch(/its last words: npm error 404 Not Found$/);
  });

  test('servers run in the given folder', async () => {
    const { clients } = await started([stdioConfig('ref')], { cwd: tmpdir() });
    expect(firstText(await clients.call(callOf('ref-folder')))).toBe(tmpdir());
  });

  test('a command may be resolved to another program', async () => {
    const config = stdioConfig('ref', { stdio_config: { command: 'bundled', args: ['test'] } });
    const { clients } = await started([config], {
      resolveCommand: (command, args) => ({
        command: process.execPath,
        args: [serverFile('stdio.mjs'), command, ...args],
      }),
    });
    expect(clients.statuses()[0]?.state).toBe('healthy');
  });
});
