import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { McpClientConfig } from '../../src/config/schema.ts';
import type { McpClients, McpClientsOptions } from '../../src/mcp/clients.ts';
import {
  callOf,
  clientConfig,
  firstText,
  isAlive,
  newClients,
  serverFile,
  stdioConfig,
  until,
} from '../support/mcp-clients.ts';

const open: McpClients[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((clients) => clients.close()));
});

async function started(configs: McpClientConfig[], options: Partial<McpClientsOptions> = {}) {
  const made = newClients(configs, options);
  open.push(made.clients);
  await made.clients.start();
  return made;
}

test('a stdio server is dialled, listed and called', async () => {
  const { clients } = await started([stdioConfig('ref')]);
  expect(clients.statuses()).toMatchObject([
    { name: 'ref', state: 'healthy', serverInfo: { name: 'test' }, restarts: 0 },
  ]);
  expect(firstText(await clients.call(callOf('ref-echo', { value: 'hello' })))).toBe('hello');
});

test('100 calls at once come back with their own results', async () => {
  const { clients } = await started([stdioConfig('one'), stdioConfig('two')]);
  const values = Array.from({ length: 100 }, (_, index) => `value ${index}`);
  const calls = values.map((value, index) => {
    const name = index % 2 ? 'one' : 'two';
    return index % 3
      ? clients.call(callOf(`${name}-echo`, { value }))
      : clients.call(callOf(`${name}-slow`, { value, ms: 100 - index }));
  });
  expect((await Promise.all(calls)).map(firstText)).toEqual(values);
});

test('calls of one server run side by side', async () => {
  const { clients } = await started([stdioConfig('ref')]);
  const ended: string[] = [];
  const note = (value: string, ms: number) =>
    clients.call(callOf('ref-slow', { value, ms })).then((result) => ended.push(firstText(result)));
  await Promise.all([note('late', 300), note('early', 1)]);
  expect(ended).toEqual(['early', 'late']);
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
      return [];
    };

    test('G3 kill -9 leaves no server and nothing that a server started', async () => {
      const pids = await startGateway();
      expect(pids.map(isAlive)).toEqual([true, true]);
      gateway?.kill('SIGKILL');
      await until(() => !pids.some(isAlive));
    });

    test('G3 an exit without close leaves nothing either, at once', async () => {
      const pids = await startGateway();
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

  test('close ends a dial that is under way', async () => {
    const silent = clientConfig({
      name: 'silent',
      connection_type: 'stdio',
      stdio_config: { command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'] },
    });
    const { clients } = await started([silent], { timing: { bootWaitMs: 100, graceMs: 50 } });
    expect(clients.statuses()).toMatchObject([{ state: 'connecting', tools: [] }]);
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

describe('calls', () => {
  test('a result of 5 MB arrives whole', async () => {
    const { clients } = await started([stdioConfig('ref')]);
    const length = 5_000_000;
    expect(firstText(await clients.call(callOf('ref-big', { length })))).toHaveLength(length);
  });

  test('a call that takes too long ends with the timeout of its client', async () => {
    const { clients } = await started([stdioConfig('ref', { tool_execution_timeout: '1s' })]);
    await expect(clients.call(callOf('ref-hang'))).rejects.toMatchObject({
      kind: 'timeout',
      message: 'MCP tool call timed out after 1s: ref-hang',
    });
    expect(firstText(await clients.call(callOf('ref-echo', { value: 'still here' })))).toBe('still here');
  });

  test('G1 progress keeps a call alive beyond its timeout, and is passed on', async () => {
    const { clients } = await started([stdioConfig('ref', { tool_execution_timeout: '400ms' })]);
    const seen: number[] = [];
    const request = callOf(
      'ref-progress',
      { steps: 6, everyMs: 120 },
      { onProgress: ({ progress }) => seen.push(progress) },
    );
    expect(firstText(await clients.call(request))).toBe('done');
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('G1 progress keeps a call alive even when nobody listens to it', async () => {
    const { clients } = await started([stdioConfig('ref', { tool_execution_timeout: '400ms' })]);
    expect(firstText(await clients.call(callOf('ref-progress', { steps: 6, everyMs: 120 })))).toBe('done');
  });

  test('G1 no amount of progress keeps a call alive beyond ten times its timeout', async () => {
    const { clients } = await started([stdioConfig('ref', { tool_execution_timeout: '100ms' })]);
    await expect(clients.call(callOf('ref-progress', { steps: 1_000, everyMs: 20 }))).rejects.toMatchObject({
      kind: 'timeout',
      message: 'MCP tool call timed out after 1s: ref-progress',
    });
  });

  test('H5 cancelling reaches the server', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mcp-'));
    const file = join(folder, 'state');
    try {
      const { clients } = await started([stdioConfig('ref')]);
      const controller = new AbortController();
      const call = clients.call(callOf('ref-cancellable', { file }, { signal: controller.signal }));
      const failure = expect(call).rejects.toMatchObject({ kind: 'cancelled' });
      await until(() => existsSync(file));
      controller.abort();
      await failure;
      await until(() => existsSync(file));
      while ((await readFile(file, 'utf8')) !== 'cancelled') await new Promise((next) => setTimeout(next, 5));
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('a signal that outlives its calls keeps nothing of them and cancels none of them later', async () => {
    const { clients, lines } = await started([stdioConfig('ref')]);
    const controller = new AbortController();
    for (let call = 0; call < 20; call += 1) {
      await clients.call(callOf('ref-echo', { value: call }, { signal: controller.signal }));
    }
    controller.abort();
    await expect(clients.call(callOf('ref-echo', {}, { signal: controller.signal }))).rejects.toMatchObject({
      kind: 'cancelled',
    });
    expect(lines.filter((line) => line.level === 'debug')).toEqual([]);
  });

  test('many calls under one signal make no noise, and one abort ends them all', async () => {
    const { clients } = await started([stdioConfig('ref')]);
    const warnings: string[] = [];
    const note = (warning: Error) => warnings.push(warning.message);
    process.on('warning', note);
    const controller = new AbortController();
    const { signal } = controller;
    const calls = Array.from({ length: 30 }, () => clients.call(callOf('ref-hang', {}, { signal })));
    await clients.call(callOf('ref-echo', {}, { signal }));
    controller.abort();
    const outcomes = await Promise.allSettled(calls);
    process.off('warning', note);
    expect(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason.kind === 'cancelled')).toBe(
      true,
    );
    expect(warnings).toEqual([]);
  });

  test("G18 what a tool calls an error is a result, and no failure of its server's", async () => {
    const { clients } = await started([stdioConfig('ref')]);
    expect(await clients.call(callOf('ref-fail'))).toMatchObject({
      isError: true,
      content: [{ text: 'it went wrong' }],
    });
    expect(clients.statuses()[0]?.state).toBe('healthy');
  });

  test('G19 an error result is not measured against the output schema, and structured content passes untouched', async () => {
    const { clients } = await started([stdioConfig('ref')]);
    expect(await clients.call(callOf('ref-bad_structured'))).toMatchObject({
      isError: true,
      structuredContent: { answer: 'not a number' },
    });
    expect(await clients.call(callOf('ref-structured'))).toEqual({ content: [], structuredContent: { answer: 42 } });
  });

  test("the caller's meta travels, except for its progress token", async () => {
    const { clients } = await started([stdioConfig('ref')]);
    const meta = { 'claudecode/toolUseId': 'toolu_1', progressToken: 'theirs' };
    const seen = JSON.parse(firstText(await clients.call(callOf('ref-meta', {}, { meta }))));
    expect(seen).toMatchObject({ 'claudecode/toolUseId': 'toolu_1' });
    expect(seen.progressToken).not.toBe('theirs');
  });
});
