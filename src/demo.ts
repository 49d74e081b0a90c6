import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSseReader } from './codecs/sse.ts';
import { isObject, type JsonObject } from './model/json.ts';

/** The demo's whole configuration: a scripted model, and the real filesystem server on a folder of its own. */
const CONFIG = {
  providers: { mock: {} },
  mcp: {
    client_configs: [
      {
        name: 'filesystem',
        connection_type: 'stdio',
        stdio_config: { command: 'bifrost', args: ['mcp-server', 'filesystem', 'workspace'] },
        tools_to_execute: ['*'],
        tools_to_auto_execute: ['list_directory', 'create_file', 'read_file'],
      },
    ],
  },
};

const TASK = 'Write a short note about gateways into a file and read it back to me.';

const say = (text = ''): void => {
  process.stdout.write(`${text}\n`);
};

async function demo(): Promise<void> {
  const appDir = await mkdtemp(join(tmpdir(), 'bifrost-demo-'));
  await writeFile(join(appDir, 'config.json'), JSON.stringify(CONFIG, null, 2));
  const port = await freePort();
  const gateway = spawn(
    process.execPath,
    [...process.execArgv, mainFile(), '-app-dir', appDir, '-port', String(port), '-log-level', 'error'],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  try {
    const url = `http://localhost:${port}`;
    await answering(url);
    say(`1. The gateway runs at ${url} with the scripted provider "mock" and the real filesystem MCP server.\n`);
    await showCatalog(url);
    await runTask(url);
    await showFiles(appDir);
    await showLogs(url);
    say('\nThat was the whole product, without a key. Now: npm start, with OPENAI_API_KEY or another key set.');
  } finally {
    gateway.kill('SIGTERM');
    await new Promise((done) => gateway.once('exit', done));
    await rm(appDir, { recursive: true, force: true });
  }
}

/** The gateway's main file beside this one, whichever of source and build is running. */
const mainFile = (): string => fileURLToPath(import.meta.url).replace(/demo\.(ts|js)$/, 'main.$1');

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done));
  const address = probe.address();
  await new Promise((done) => probe.close(done));
  return typeof address === 'object' && address ? address.port : 0;
}

async function answering(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const clients = await getJson(`${url}/api/mcp/clients`).catch(() => undefined);
    const [first] = Array.isArray(clients?.clients) ? clients.clients : [];
    if (isObject(first) && first.state === 'healthy') return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('the gateway did not come up within 10 s');
}

async function getJson(address: string): Promise<JsonObject> {
  const body: unknown = await (await fetch(address)).json();
  return isObject(body) ? body : {};
}

const objectsIn = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

async function showCatalog(url: string): Promise<void> {
  say('2. The catalog (GET /api/mcp/clients):');
  for (const client of objectsIn((await getJson(`${url}/api/mcp/clients`)).clients)) {
    for (const tool of objectsIn(client.tools)) {
      const mode = tool.auto_execute ? 'runs by itself' : 'asks first';
      say(`     ${String(tool.name).padEnd(36)} ${mode}`);
    }
  }
}

/** One agent task by API, each step printed as it arrives. */
async function runTask(url: string): Promise<void> {
  say(`\n3. One agent task (POST /anthropic/v1/messages, model mock/agent, streamed):\n     user: ${TASK}`);
  const response = await fetch(`${url}/anthropic/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'mock/agent',
      max_tokens: 1_000,
      stream: true,
      messages: [{ role: 'user', content: TASK }],
    }),
  });
  if (!response.ok || !response.body) throw new Error(`the task failed: ${response.status} ${await response.text()}`);
  const reader = createSseReader();
  for await (const chunk of response.body) for (const event of reader.push(chunk)) showStep(JSON.parse(event.data));
  say();
}

function showStep(event: unknown): void {
  if (!isObject(event)) return;
  const block = isObject(event.content_block) ? event.content_block : undefined;
  if (block?.type === 'text') process.stdout.write('\n     model: ');
  if (block?.type === 'mcp_tool_use') {
    process.stdout.write(`\n     calls: ${block.server_name}-${block.name} ${JSON.stringify(block.input)}`);
  }
  if (block?.type === 'mcp_tool_result') {
    const [first] = objectsIn(block.content);
    process.stdout.write(
      `\n     result: ${String(first?.text ?? '')
        .split('\n')[0]
        ?.slice(0, 100)}`,
    );
  }
  const delta = isObject(event.delta) ? event.delta : undefined;
  if (delta?.type === 'text_delta') process.stdout.write(String(delta.text).replaceAll('\n', '\n     '));
  if (event.type === 'error') throw new Error(JSON.stringify(event));
}

async function showFiles(appDir: string): Promise<void> {
  say('\n4. The file it made:');
  for (const name of await readdir(join(appDir, 'workspace'))) {
    say(`     workspace/${name}: ${JSON.stringify(await readFile(join(appDir, 'workspace', name), 'utf8'))}`);
  }
}

async function showLogs(url: string): Promise<void> {
  say('\n5. The log (GET /api/logs and /api/mcp-logs):');
  const calls = await eventually(async () => {
    const logs = objectsIn((await getJson(`${url}/api/logs?order=asc`)).logs);
    return logs.length >= 4 ? logs : undefined;
  });
  for (const log of calls) {
    const usage = isObject(log.token_usage) ? log.token_usage : {};
    const tokens = `${usage.prompt_tokens} tokens in, ${usage.completion_tokens} out`;
    say(`     ${log.provider}/${log.model}  ${log.status}  ${Math.round(Number(log.latency))} ms  ${tokens}`);
  }
  for (const log of objectsIn((await getJson(`${url}/api/mcp-logs?order=asc`)).logs)) {
    say(`     ${log.server_label}-${log.tool_name}  ${log.status}  ${Math.round(Number(log.latency))} ms`);
  }
}

/** Log rows are written in batches a moment later. */
async function eventually<Value>(read: () => Promise<Value | undefined>): Promise<Value> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const value = await read();
    if (value !== undefined) return value;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error('the log stayed empty for 5 s');
}

await demo();
