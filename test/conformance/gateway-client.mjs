import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';

// The program that the MCP conformance suite runs as a client: starts the gateway with the suite's server as an MCP
// client, logs in where the server wants it, and calls what the scenario is about. The last argument is the address.

const REPOSITORY = resolve(import.meta.dirname, '../..');
/** Prescribed by the suite for servers that take client id metadata documents. */
const CLIENT_DOCUMENT = 'https://conformance-test.local/client-metadata.json';
const MOST_LOGINS = 3;

const serverUrl = process.argv.at(-1);
const scenario = process.env.MCP_CONFORMANCE_SCENARIO ?? '';
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');

const CALLS = { tools_call: ['add_numbers', { a: 5, b: 3 }], 'sse-retry': ['test_reconnection', {}] };

const appDir = mkdtempSync(join(tmpdir(), 'bifrost-conformance-'));
writeFileSync(join(appDir, 'config.json'), JSON.stringify({ version: 2, providers: {} }));
const gateway = spawn(
  process.execPath,
  ['dist/main.js', '-app-dir', appDir, '-host', '127.0.0.1', '-port', '0', '-log-style', 'json'],
  { cwd: REPOSITORY, stdio: ['ignore', 'pipe', 'inherit'] },
);

try {
  const base = await addressOf(gateway);
  await addClient(base);
  const tools = await listTools(base);
  console.log(`listed ${tools.map(({ name }) => name).join(', ')}`);
  if (scenario.startsWith('elicitation')) await callAsPerson(base, tools);
  else for (const [name, args] of callsFor(tools)) await call(base, name, args);
} finally {
  gateway.kill('SIGTERM');
  await new Promise((ended) => gateway.once('exit', ended));
  rmSync(appDir, { recursive: true, force: true });
}

function addressOf(child) {
  return new Promise((found, failed) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      const line = text.split('\n').find((entry) => entry.includes('"the gateway is ready"'));
      if (line) found(JSON.parse(line).url);
    });
    child.once('exit', (code) => failed(new Error(`the gateway ended with ${code}: ${text}`)));
  });
}

async function addClient(base) {
  const isAuth = scenario.startsWith('auth/');
  const { client_id, client_secret } = context;
  const registered = client_id ? { client_id, client_secret } : {};
  const body = await post(`${base}/api/mcp/client`, {
    name: 'suite',
    connection_type: 'http',
    connection_string: serverUrl,
    tools_to_execute: ['*'],
    needs_session_stickiness: true,
    ...(isAuth && {
      auth_type: 'oauth',
      oauth_config: scenario === 'auth/basic-cimd' ? { client_id: CLIENT_DOCUMENT } : registered,
    }),
  });
  if (body.status !== 'pending_oauth') return;
  await logIn(base, body);
}

async function logIn(base, pending) {
  await visit(pending.authorize_url);
  await post(`${base}${pending.complete_url}`, {});
}

/** As a browser does. */
async function visit(url) {
  for (let next = url; next; ) {
    const answer = await fetch(next, { redirect: 'manual' });
    const location = answer.headers.get('location');
    if (!location && !answer.ok) throw new Error(`${next} answers ${answer.status}: ${await answer.text()}`);
    next = location && new URL(location, next).href;
  }
}

async function listTools(base) {
  const { result } = await rpc(base, 'tools/list', {});
  return result.tools;
}

function callsFor(tools) {
  const known = CALLS[scenario];
  if (known) return [known];
  return tools.map(({ name }) => [name.slice(name.indexOf('-') + 1), {}]);
}

/** Logs in again where the server wants more than it granted; a person would give up at some time, and so does this. */
async function call(base, name, args) {
  for (let logins = 1; ; logins += 1) {
    const { result } = await rpc(base, 'tools/call', { name: `suite-${name}`, arguments: args });
    const { clients } = await (await fetch(`${base}/api/mcp/clients`)).json();
    console.log(`${name}: ${JSON.stringify(result)} (${clients[0].state})`);
    if (clients[0].state !== 'needs_reauth' || logins >= MOST_LOGINS) return;
    await logIn(base, await post(`${base}/api/mcp/client/${clients[0].config.client_id}/reauthorize`, {}));
  }
}

/** Somebody behind a client of the gateway who takes every default that a server proposes. */
async function callAsPerson(base, tools) {
  const client = new Client(
    { name: 'person', version: '1.0.0' },
    { capabilities: { elicitation: { form: { applyDefaults: true } } } },
  );
  client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'accept', content: {} }));
  await client.connect(new StreamableHTTPClientTransport(new URL(`${base}/mcp`)));
  for (const { name } of tools) console.log(name, JSON.stringify(await client.callTool({ name, arguments: {} })));
  await client.close();
}

function rpc(base, method, params) {
  return post(`${base}/mcp`, { jsonrpc: '2.0', id: 1, method, params });
}

async function post(url, body) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}: ${text}`);
  return JSON.parse(text);
}
