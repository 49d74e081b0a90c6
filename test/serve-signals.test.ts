import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, test } from 'vitest';
import { startChatUpstream } from './support/chat-upstream.ts';
import { chat } from './support/dialects.ts';
import { eventually, keyed, post, testServer } from './support/gateway.ts';
import { freePort, type GatewayProcess, startGateway } from './support/gateway-process.ts';
import { isAlive, until } from './support/mcp-clients.ts';
import { json, startUpstream } from './support/upstream.ts';

// The gateway as a process of its own, and what its surroundings do to it.

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function started(config: unknown): Promise<GatewayProcess> {
  const gateway = await startGateway(config);
  closing.push(async () => {
    await gateway.stop('SIGKILL');
    rmSync(gateway.appDir, { recursive: true });
  });
  return gateway;
}

const outputWith = (gateway: GatewayProcess, words: string) =>
  eventually(
    async () => gateway.output(),
    (output) => output.includes(words),
  );

const ANSWER = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'fine' }, finish_reason: 'stop' }],
};

/** A model that answers when it is told to. */
async function patientUpstream() {
  let finish = () => {};
  const upstream = await startUpstream(async (response, request) => {
    await new Promise<void>((done) => {
      finish = done;
    });
    await json(ANSWER)(response, request);
  });
  closing.push(upstream.close);
  return { url: upstream.url, requests: upstream.requests, finish: () => finish() };
}

async function serverPid(url: string): Promise<number> {
  const text = await eventually(
    async () => (await fetch(`${url}/api/mcp/clients`)).text(),
    (listed) => listed.includes('"healthy"'),
  );
  return Number(/"pid":(\d+)/.exec(text)?.[1]);
}

/** A gateway with an answer and an MCP server under way. */
async function busy() {
  const upstream = await patientUpstream();
  const gateway = await started({
    providers: { openai: keyed(upstream.url) },
    mcp: { client_configs: [testServer()] },
  });
  const server = await serverPid(gateway.url);
  const asked = post(`${gateway.url}/v1/chat/completions`, chat.question('openai/m'));
  const answer = asked.then(
    async (response) => chat.textOf(await response.json()),
    () => 'cut',
  );
  await until(() => upstream.requests.length > 0);
  return { upstream, gateway, server, answer };
}

describe('a gateway with work under way', () => {
  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('finishes it on %s, and ends what it started', async (signal) => {
    const { upstream, gateway, server, answer } = await busy();
    const stopped = gateway.stop(signal);
    await outputWith(gateway, 'answers in flight may finish');
    upstream.finish();
    expect([await answer, await stopped]).toEqual(['fine', 0]);
    expect(isAlive(server)).toBe(false);
  });

  test('ends at once on a second signal, with the exit code that shells give for it', async () => {
    const { upstream, gateway, server, answer } = await busy();
    const stopped = gateway.stop('SIGHUP');
    await outputWith(gateway, 'answers in flight may finish');
    gateway.child.kill('SIGTERM');
    expect([await stopped, await answer]).toEqual([128 + 15, 'cut']);
    await until(() => !isAlive(server));
    upstream.finish();
  });

  test('finishes rounds of tools, and writes all of them down', async () => {
    const upstream = await startChatUpstream(({ messages }) =>
      messages.at(-1)?.role === 'tool'
        ? { text: 'done' }
        : { calls: [{ id: 'c', name: 'ref-slow', input: { ms: 400, value: 'v' } }] },
    );
    closing.push(upstream.close);
    const gateway = await started({
      providers: { openai: keyed(upstream.url) },
      mcp: { client_configs: [testServer()] },
    });
    await serverPid(gateway.url);
    const asked = post(`${gateway.url}/v1/chat/completions`, chat.question('openai/m'));
    await until(() => upstream.bodies.length === 1);
    const stopped = gateway.stop('SIGTERM');
    expect(chat.textOf(await (await asked).json())).toBe('done');
    expect(await stopped).toBe(0);
    const database = new Database(join(gateway.appDir, 'logs.db'), { readonly: true });
    const statuses = (table: string) => database.prepare<[], string>(`select status from ${table}`).pluck().all();
    expect([statuses('logs'), statuses('mcp_logs')]).toEqual([['success', 'success'], ['success']]);
    database.close();
  });
});

test('a gateway whose MCP servers are still starting ends at once, and they with it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bifrost-mute-'));
  closing.push(async () => rmSync(folder, { recursive: true }));
  const file = join(folder, 'pid');
  const code = `require('fs').writeFileSync(${JSON.stringify(file)}, String(process.pid)); setInterval(() => {}, 1000)`;
  const mute = { command: process.execPath, args: ['-e', code] };
  const gateway = await started({ mcp: { client_configs: [testServer('mute', { stdio_config: mute })] } });
  const pid = await eventually(
    async () => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0),
    (found) => found > 0,
  );
  expect(await gateway.stop('SIGINT')).toBe(0);
  await until(() => !isAlive(pid));
});

interface Streams {
  readonly stdin: 'pipe' | number;
  readonly stdout: 'pipe' | number;
}

/** Started without anybody who reads what it says; gives its address. */
async function startedDeaf({ stdin, stdout }: Streams) {
  const appDir = mkdtempSync(join(tmpdir(), 'bifrost-deaf-'));
  const port = await freePort();
  const main = resolve(import.meta.dirname, '../src/main.ts');
  const args = ['--import', 'tsx', main, '-app-dir', appDir, '-port', `${port}`, '-host', '127.0.0.1'];
  const child = spawn(process.execPath, args, {
    stdio: [stdin, stdout, stdout],
    env: { PATH: process.env.PATH ?? '' },
  });
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  const exited = new Promise<number | null>((done) => child.on('exit', done));
  closing.push(async () => {
    child.kill('SIGKILL');
    await exited;
    rmSync(appDir, { recursive: true });
  });
  const url = `http://127.0.0.1:${port}`;
  await eventually(
    () => fetch(`${url}/health`).catch(() => undefined),
    (answer) => answer?.status === 200,
  );
  return { url, child, exited };
}

describe('a gateway starts and serves', () => {
  const goesOn = async (streams: Streams) => {
    const { url, child, exited } = await startedDeaf(streams);
    for (let asked = 0; asked < 3; asked++) {
      expect((await post(`${url}/v1/chat/completions`, chat.question('nobody/m'))).status).toBe(400);
    }
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
  };

  test('with its input and its output closed', () => goesOn({ stdin: 'pipe', stdout: 'pipe' }));

  test.runIf(existsSync('/dev/full'))('with its output on a disk that is full', async () => {
    const full = openSync('/dev/full', 'w');
    await goesOn({ stdin: 'pipe', stdout: full }).finally(() => closeSync(full));
  });
});

// what util-linux has, as every usual Linux does
const LIMITER = '/usr/bin/prlimit';

describe.runIf(existsSync(LIMITER))('a log database that cannot grow', () => {
  test('costs rows, which are counted and told of once, and nothing else; once it can, rows are written again', async () => {
    const upstream = await startChatUpstream(() => ({ text: 'fine' }));
    closing.push(upstream.close);
    const gateway = await started({ providers: { openai: keyed(upstream.url) } });
    const ask = async (count: number) => {
      const question = chat.question('openai/m');
      for (let asked = 0; asked < count; asked++) {
        const answer = await post(`${gateway.url}/v1/chat/completions`, question);
        expect(chat.textOf(await answer.json())).toBe('fine');
      }
    };
    const counted = async (name: string) =>
      Number(
        new RegExp(`^bifrost_log_rows_${name}_total (\\d+)`, 'm').exec(
          await (await fetch(`${gateway.url}/metrics`)).text(),
        )?.[1],
      );
    const rows = (name: string, holds: (count: number) => boolean) => eventually(() => counted(name), holds);
    const allow = (bytes: number | 'unlimited') =>
      execFileSync(LIMITER, ['--pid', `${gateway.pid}`, `--fsize=${bytes}:unlimited`]);
    await ask(1);
    await rows('written', (count) => count === 1);
    allow(4_096);
    await ask(3);
    await rows('failed', (count) => count === 3);
    await ask(2);
    await rows('failed', (count) => count === 5);
    allow('unlimited');
    await ask(2);
    await rows('written', (count) => count === 3);
    expect(await counted('failed')).toBe(5);
    expect(gateway.output().match(/the log database .* failed: .*/g)).toEqual([
      expect.stringContaining('look whether its disk is full'),
    ]);
    const { logs } = (await (await fetch(`${gateway.url}/api/logs`)).json()) as { logs: unknown[] };
    expect(logs).toHaveLength(3);
  });
});
