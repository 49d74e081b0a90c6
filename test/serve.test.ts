import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, test } from 'vitest';
import { type ChatUpstream, startChatUpstream } from './support/chat-upstream.ts';
import { chat } from './support/dialects.ts';
import { eventually, keyed, post, startGatewayHere, testServer } from './support/gateway.ts';
import { type GatewayProcess, runGateway, startGateway } from './support/gateway-process.ts';
import { isAlive, serverFile, until } from './support/mcp-clients.ts';
import { startUpstream } from './support/upstream.ts';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function started(config: unknown, env: Record<string, string> = {}): Promise<GatewayProcess> {
  const gateway = await startGateway(config, env);
  closing.push(async () => {
    await gateway.stop('SIGKILL');
    rmSync(gateway.appDir, { recursive: true });
  });
  return gateway;
}

/** A server that neither the end of its input nor SIGTERM can end. */
const stubborn = { command: process.execPath, args: [serverFile('stdio.mjs'), '--stubborn'] };

async function chatUpstream(): Promise<ChatUpstream> {
  const upstream = await startChatUpstream(() => ({ text: 'fine' }));
  closing.push(upstream.close);
  return upstream;
}

describe('a gateway that cannot start ends with 1 and says why', () => {
  test('a port in use is named, and another one proposed', async () => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    // a listening TCP server has an address
    const { port } = other.address() as AddressInfo;
    const { code, output } = await runGateway({}, ['-host', '127.0.0.1', '-port', String(port)]);
    await new Promise((done) => other.close(done));
    expect(code).toBe(1);
    expect(output).toBe(
      `bifrost cannot start: port ${port} on 127.0.0.1 is in use by another program; stop it, or choose another with -port ${port + 1}\n`,
    );
  });

  test('a config that is no JSON is shown by line and column', async () => {
    const { code, output } = await runGateway('{\n  "providers": {,\n}', []);
    expect(code).toBe(1);
    expect(output).toMatch(/^bifrost cannot start: .*config\.json:2:17.*\n$/);
  });

  test('a config of the wrong types is shown by line and field', async () => {
    const { code, output } = await runGateway('{\n  "client": {\n    "enable_logging": "yes"\n  }\n}', []);
    expect(code).toBe(1);
    expect(output).toMatch(/^bifrost cannot start: .*config\.json:3:\d+.*client\.enable_logging/);
    expect(output).not.toMatch(/\n +at /);
  });

  test('an address of another machine', async () => {
    const { code, output } = await runGateway({}, ['-host', '192.0.2.1', '-port', '0']);
    expect([code, output]).toEqual([
      1,
      'bifrost cannot start: 192.0.2.1 is no address of this machine; choose one with -host localhost\n',
    ]);
  });

  test('a config that is a folder', async () => {
    const appDir = mkdtempSync(join(tmpdir(), 'bifrost-odd-'));
    mkdirSync(join(appDir, 'config.json'));
    const { code, output } = await runGateway(undefined, ['-app-dir', appDir]);
    rmSync(appDir, { recursive: true });
    expect(code).toBe(1);
    expect(output).toMatch(/^bifrost cannot start: .*config\.json cannot be read \(EISDIR\); make it a file/);
  });
});

test('a provider whose entry is wrong is asked for nothing, and neither is another in its place', async () => {
  const upstream = await chatUpstream();
  const key = { name: 'k', value: 'sk-k', models: ['*'], weight: 1 };
  const gateway = await started({
    providers: {
      openai: { keys: [key], network_config: { base_url: upstream.url } },
      inhouse: { keys: 'k', custom_provider_config: { base_provider_type: 'openai' } },
    },
  });
  const refused = await post(`${gateway.url}/v1/chat/completions`, chat.question('inhouse/secret-plans'));
  expect(refused.status).toBe(400);
  expect(await refused.text()).toContain('provider \\"inhouse\\" is skipped');
  expect(upstream.headers).toEqual([]);
});

test('a question on the command line is answered without starting anything', async () => {
  const [help, version, wrong] = await Promise.all([
    runGateway(undefined, ['--help']),
    runGateway(undefined, ['--version']),
    runGateway(undefined, ['--prot', '1']),
  ]);
  expect(help).toEqual({ code: 0, output: expect.stringContaining('-app-dir DIR') });
  expect(version).toEqual({ code: 0, output: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  expect(wrong).toEqual({ code: 2, output: expect.stringContaining('port') });
});

test('without a config it serves what the environment has keys for', async () => {
  const upstream = await chatUpstream();
  const gateway = await started(undefined, {
    OPENAI_API_KEY: 'sk-from-the-environment',
    OPENAI_BASE_URL: upstream.url,
  });
  const answer = await post(`${gateway.url}/v1/chat/completions`, chat.question('openai/gpt-4o'));
  expect(chat.textOf(await answer.json())).toBe('fine');
  expect(upstream.headers[0]?.authorization).toBe('Bearer sk-from-the-environment');
  await eventually(
    async () => gateway.output(),
    (output) => output.includes('OPENAI_API_KEY'),
  );
  expect(gateway.output()).not.toContain('sk-from-the-environment');
});

const CHUNK = { id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm' };
const sse = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ ...CHUNK, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

/** An upstream that says a word and waits for `finish`. */
async function patientUpstream() {
  let finish = () => {};
  const upstream = await startUpstream((response) => {
    response
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .write(sse({ role: 'assistant', content: 'first' }));
    finish = () => void response.end(`${sse({ content: 'last' }, 'stop')}data: [DONE]\n\n`);
  });
  closing.push(upstream.close);
  return { url: `${upstream.url}/v1`, finish: () => finish() };
}

/** The log's rows, read from the database that a stopped gateway left. */
function rowsIn(appDir: string): { id: string; status: string }[] {
  const database = new Database(join(appDir, 'logs.db'), { readonly: true });
  try {
    return database.prepare<[], { id: string; status: string }>('select id, status from logs').all();
  } finally {
    database.close();
  }
}

/** How many rows the log has; undefined while it is no log yet. */
function countIn(appDir: string): number | undefined {
  try {
    return rowsIn(appDir).length;
  } catch {
    return undefined;
  }
}

/** The process of the one MCP server, once it has come up. */
async function serverPid(url: string): Promise<number> {
  const ask = async (): Promise<unknown> => (await fetch(`${url}/api/mcp/clients`)).json();
  const text = await eventually(
    async () => JSON.stringify(await ask()),
    (listed) => listed.includes('"healthy"'),
  );
  return Number(/"pid":(\d+)/.exec(text)?.[1]);
}

test('a gateway that is killed soon after its first answer has written it down', async () => {
  const upstream = await chatUpstream();
  const gateway = await started({ providers: { openai: keyed(upstream.url) } });
  // ready before anybody has asked: rows would wait for it otherwise
  await eventually(
    async () => countIn(gateway.appDir),
    (rows) => rows === 0,
  );
  await post(`${gateway.url}/v1/chat/completions`, chat.question('openai/m'), { 'x-request-id': 'first' });
  await eventually(
    async () => countIn(gateway.appDir),
    (rows) => rows === 1,
  );
  await gateway.stop('SIGKILL');
  expect(rowsIn(gateway.appDir)).toEqual([{ id: 'first', status: 'success' }]);
});

test('a gateway whose output nobody reads any more goes on', async () => {
  const gateway = await started({});
  gateway.child.stdout?.destroy();
  gateway.child.stderr?.destroy();
  for (let asked = 0; asked < 3; asked++) {
    const answer = await post(`${gateway.url}/v1/chat/completions`, chat.question('nobody/m'));
    expect(answer.status).toBe(400);
  }
  gateway.child.kill('SIGTERM');
  await until(() => gateway.child.exitCode !== null);
  expect(gateway.child.exitCode).toBe(0);
});

describe('a gateway that is told to stop', () => {
  test('lets a stream finish, keeps its row in the log, and ends its MCP servers', async () => {
    const upstream = await patientUpstream();
    const gateway = await started({
      providers: { openai: keyed(upstream.url) },
      mcp: { client_configs: [testServer()] },
    });
    const server = await serverPid(gateway.url);
    const question = chat.question('openai/m', { stream: true });
    const answer = await post(`${gateway.url}/v1/chat/completions`, question, { 'x-request-id': 'in-flight' });
    const stopped = gateway.stop('SIGTERM');
    await eventually(
      async () => gateway.output(),
      (output) => output.includes('answers in flight may finish'),
    );
    await expect(fetch(`${gateway.url}/health`)).rejects.toThrow();
    upstream.finish();
    const text = await answer.text();
    expect([text.includes('last'), chat.endsWell(text)]).toEqual([true, true]);
    expect(await stopped).toBe(0);
    expect(rowsIn(gateway.appDir)).toEqual([{ id: 'in-flight', status: 'success' }]);
    expect(isAlive(server)).toBe(false);
  });

  test('leaves no MCP server behind even when it is killed', async () => {
    const gateway = await started({ mcp: { client_configs: [testServer('ref', { stdio_config: stubborn })] } });
    const server = await serverPid(gateway.url);
    expect(isAlive(server)).toBe(true);
    await gateway.stop('SIGKILL');
    await until(() => !isAlive(server));
  });

  test('ends an answer that takes longer than the grace time, and writes it down as cancelled', async () => {
    const upstream = await patientUpstream();
    const gateway = await startGatewayHere({ providers: { openai: keyed(upstream.url) } }, { graceMs: 100 });
    let rows: unknown;
    const question = chat.question('openai/m', { stream: true });
    const answer = await post(`${gateway.url}/v1/chat/completions`, question, { 'x-request-id': 'too-slow' });
    await gateway.stop((appDir) => {
      rows = rowsIn(appDir);
    });
    expect(chat.streamErrorOf(await answer.text())?.message).toMatch(/the gateway was stopped before the answer/);
    expect(rows).toEqual([{ id: 'too-slow', status: 'cancelled' }]);
  });

  test('does not wait for MCP clients that only listen', async () => {
    const gateway = await startGatewayHere({}, { graceMs: 15_000 });
    const listener = await fetch(`${gateway.url}/mcp`, { headers: { accept: 'text/event-stream' } });
    const startedAt = performance.now();
    await gateway.stop();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    await listener.text();
  });
});

test('a port in use leaves nothing running', async () => {
  const first = await startGatewayHere({});
  const port = Number(new URL(first.url).port);
  await expect(startGatewayHere({}, { port })).rejects.toThrow(/in use by another program/);
  await first.stop();
});
