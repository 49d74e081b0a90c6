import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeArgumentsOf, type ServerName } from './server-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'discipline-'));
afterAll(() => rmSync(folder, { recursive: true }));

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};
const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };
const listTools = { jsonrpc: '2.0', id: 2, method: 'tools/list' };

interface Tool {
  name: string;
  title?: string;
  description?: string;
  inputSchema: { type: string; properties?: Record<string, unknown>; additionalProperties?: boolean };
  outputSchema?: { type: string };
  annotations?: Record<string, unknown>;
}

/** A server without any client library between: every byte of stdout is seen. */
class RawServer {
  readonly process: ChildProcessWithoutNullStreams;
  readonly lines: string[] = [];
  stderr = '';
  readonly #waiting: (() => void)[] = [];

  constructor(name: ServerName, serverArguments: string[]) {
    this.process = spawn(process.execPath, nodeArgumentsOf(name, ...serverArguments));
    createInterface(this.process.stdout).on('line', (line) => {
      this.lines.push(line);
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.process.stderr.on('data', (chunk) => {
      this.stderr += chunk;
    });
  }

  send(...messages: object[]): void {
    this.process.stdin.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
  }

  async answerTo(id: number): Promise<{ result?: { tools?: Tool[]; serverInfo?: object }; error?: object }> {
    for (;;) {
      const answer = this.lines.map((line) => JSON.parse(line)).find((message) => message.id === id);
      if (answer) return answer;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Exit code or signal, and how long it took to come. */
  async exit(): Promise<{ code: number | null; tookMs: number }> {
    const startedAt = performance.now();
    if (this.process.exitCode === null) await once(this.process, 'exit');
    return { code: this.process.exitCode, tookMs: performance.now() - startedAt };
  }
}

describe.each<[ServerName, string[]]>([
  ['filesystem', [join(folder, 'root')]],
  ['fetch', []],
  ['memory', [join(folder, 'memory.db')]],
  ['time', []],
])('%s', (name, serverArguments) => {
  let server: RawServer;
  let tools: Tool[];
  let another: RawServer;
  let startedInMs: number;
  let emptyProcessMs: number;
  /** A time for a machine at rest; a busy one gets as much more as an empty process takes longer to start there. */
  const allowedMs = (ms: number): number => Math.max(ms, 5 * emptyProcessMs);
  beforeAll(async () => {
    const startedAt = performance.now();
    const sinceStart = () => performance.now() - startedAt;
    server = new RawServer(name, serverArguments);
    another = new RawServer(name, serverArguments);
    const empty = spawn(process.execPath, ['--import', 'tsx', '--eval', '0']);
    server.send(initialize, initialized, listTools);
    another.send(initialize);
    [startedInMs, emptyProcessMs] = await Promise.all([
      server.answerTo(2).then(({ result }) => {
        tools = result?.tools ?? [];
        return sinceStart();
      }),
      once(empty, 'exit').then(sinceStart),
      another.answerTo(1),
    ]);
  });
  afterAll(() => {
    server.process.kill('SIGKILL');
    another.process.kill('SIGKILL');
  });

  test('answers initialize and tools/list within two seconds', () => {
    expect(startedInMs).toBeLessThan(allowedMs(2_000));
    expect(tools.length).toBeGreaterThan(0);
  });

  test('every tool tells a model and a gateway what they need to know', () => {
    for (const tool of tools) {
      expect(tool.name).toMatch(/^[a-z][a-z_]*$/);
      expect(tool.title, tool.name).toBeTruthy();
      expect(tool.description?.length, tool.name).toBeGreaterThan(30);
      expect(tool.inputSchema.type, tool.name).toBe('object');
      expect(tool.inputSchema.additionalProperties, tool.name).toBe(false);
      if (tool.outputSchema) expect(tool.outputSchema.type, tool.name).toBe('object');
      expect(Object.keys(tool.annotations ?? {}).sort(), tool.name).toEqual([
        'destructiveHint',
        'idempotentHint',
        'openWorldHint',
        'readOnlyHint',
      ]);
      const { readOnlyHint, destructiveHint } = tool.annotations ?? {};
      expect(readOnlyHint && destructiveHint, tool.name).toBe(false);
    }
  });

  test('lists the same tools in the same order each time', async () => {
    server.send({ ...listTools, id: 3 });
    expect((await server.answerTo(3)).result?.tools).toEqual(tools);
  });

  test('an unknown tool and a broken line are no reason to fall silent', async () => {
    server.send({ jsonrpc: '2.0', id: 4, method: 'tools/call', params: { name: 'no_such_tool', arguments: {} } });
    server.process.stdin.write('this is not JSON\n');
    server.send({ jsonrpc: '2.0', id: 5, method: 'ping' });
    expect(await server.answerTo(4)).toBeDefined();
    expect(await server.answerTo(5)).toMatchObject({ result: {} });
  });

  test('exits within a second of the end of stdin, having written nothing but JSON-RPC', async () => {
    server.process.stdin.end();
    const { code, tookMs } = await server.exit();
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(allowedMs(1_000));
    for (const line of server.lines) expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' });
    expect(server.stderr).toBe('');
  });

  test('exits cleanly on SIGTERM', async () => {
    another.process.kill('SIGTERM');
    const { code, tookMs } = await another.exit();
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(allowedMs(1_000));
  });
});

test('what a client asked before it ended stdin is still done', async () => {
  const server = new RawServer('filesystem', [join(folder, 'root')]);
  const write = { name: 'write_file', arguments: { path: 'last.txt', content: 'x'.repeat(1_000_000) } };
  server.send(initialize, initialized, { jsonrpc: '2.0', id: 2, method: 'tools/call', params: write });
  server.process.stdin.end();
  await server.exit();
  expect(JSON.stringify(await server.answerTo(2))).toContain('Wrote last.txt');
});
