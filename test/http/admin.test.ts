import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { configFile } from '../../src/config/config-file.ts';
import { mcpClient, toolManager } from '../../src/config/schema.ts';
import { type AdminOptions, createAdminApp } from '../../src/http/admin/app.ts';
import { clientList, providerList } from '../../src/http/admin/contract.ts';
import type { LogQuery } from '../../src/http/admin/logs.ts';
import { callerOf } from '../../src/http/caller.ts';
import { handleMcp } from '../../src/http/mcp.ts';
import { adminCheck, originCheck } from '../../src/http/origin.ts';
import { McpClients } from '../../src/mcp/clients.ts';
import { McpServer } from '../../src/mcp/server/server.ts';
import { VirtualMcps } from '../../src/mcp/virtual-mcps.ts';
import { GatewayError } from '../../src/model/errors.ts';
import { openClientOverrides } from '../../src/stores/client-overrides.ts';
import { McpLibrary } from '../../src/stores/mcp-library.ts';
import { LocalTools, textResult } from '../support/tool-source.ts';

const RULES = { host: '127.0.0.1', port: 0, allowedOrigins: [] };
const SECRET = 'Bearer very-secret-token';

let folder: string;
let closing: (() => Promise<unknown>)[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'admin-'));
  closing = [];
});

afterEach(async () => {
  for (const close of closing.reverse()) await close();
  await rm(folder, { recursive: true });
});

async function served(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A real MCP server with three tools. */
async function upstream(): Promise<string> {
  const tools = new LocalTools()
    .add('up-write', () => textResult('w'), { description: 'Writes', annotations: { destructiveHint: true } })
    .add('up-read', () => textResult('r'), { description: 'Reads', annotations: { readOnlyHint: true } })
    .add('up-delete', () => textResult('d'));
  const server = new McpServer({ tools, version: '9.9', expose: (tool) => tool.upstreamName });
  const endpoint = { server, check: originCheck(RULES), callerOf, maxBodyBytes: 100_000 };
  const url = await served((request, response) => void handleMcp(request, response, endpoint));
  closing.push(async () => server.close());
  return `${url}/mcp`;
}

/** The admin API over the real MCP clients and the real store; called again, it is the gateway after a restart. */
async function admin(fileClients: object[] = [], config: object = {}) {
  const overrides = await openClientOverrides({
    path: join(folder, 'mcp-clients.json'),
    fileClients: fileClients.map((client) => mcpClient.parse(client)),
  });
  const clients = new McpClients({
    clients: overrides.clients,
    toolManager: toolManager.parse({}),
    cwd: folder,
    log: () => {},
  });
  await clients.start();
  closing.push(() => clients.close());
  const logs = {
    listLogs: async (query: LogQuery) => {
      if (query.limit === 'x') throw new GatewayError('invalid-request', 'limit must be a whole number');
      return { logs: [], query };
    },
    getLog: async (id: string) => (id === 'one' ? { id } : undefined),
    listMcpLogs: async (query: LogQuery) => ({ logs: [], mcp: query }),
    getMcpLog: async (id: string) => (id === 'one' ? { id, mcp: true } : undefined),
    mcpLogStats: async (query: LogQuery) => ({ stats: query }),
    mcpLogFacets: async () => ({ tool_names: [] }),
    mcpHistogram: async (query: LogQuery) => ({ buckets: [], query }),
    mcpCosts: async (query: LogQuery) => ({ buckets: [], query }),
    mcpTools: async (query: LogQuery, limit: number) => [{ query, limit }],
    deleteMcpLogs: async (ids: readonly string[]) => ids.length,
  };
  const app = createAdminApp({
    version: '1.2.3',
    config: () => configFile.parse(config),
    check: adminCheck(RULES),
    clients,
    store: overrides,
    // no client here logs in anywhere
    auth: {} as AdminOptions['auth'],
    virtualMcps: new VirtualMcps([]),
    keys: { list: [], version: 2, setAccess: () => {} },
    keyStore: { put: async () => {} },
    library: new McpLibrary({
      path: join(folder, 'mcp-library.json'),
      syncIntervalMs: 1,
      read: async () => '',
      warn: () => {},
    }),
    settings: { shown: {}, syncIntervalMs: 1, change: async () => {} },
    inspect: {
      ready: () => undefined,
      callerOf,
      atVirtualMcp: () => undefined,
      offered: () => [],
      onlyOnDemand: () => false,
    },
    virtualMcpStore: { put: async () => {}, remove: async () => {} },
    safety: { notes: [], release: async () => [] },
    logs,
  });
  return { url: await served(app), clients };
}

async function ask(url: string, method: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const answer: unknown = await response.json();
  return { status: response.status, answer };
}

const refusal = (status: number, message: unknown) => ({
  status,
  answer: { is_bifrost_error: false, status_code: status, error: { message } },
});

async function listed(url: string, query = '') {
  const { status, answer } = await ask(`${url}/api/mcp/clients${query}`, 'GET');
  expect(status).toBe(200);
  return clientList.parse(answer);
}

test('a client that is added is connected, listed with its tools, and there again after a restart', async () => {
  const { url } = await admin();
  const added = await ask(`${url}/api/mcp/client`, 'POST', {
    name: 'files',
    connection_type: 'http',
    connection_string: await upstream(),
    headers: { authorization: SECRET, 'x-team': 'env.ADMIN_TEST_UNSET' },
    tools_to_execute: ['read', 'write'],
    tools_to_auto_execute: ['read'],
    tool_sync_interval: 5,
  });
  expect(added).toEqual({
    status: 200,
    answer: {
      status: 'success',
      message: 'MCP client connected successfully',
      mcp_client_id: expect.stringMatching(/^[\da-f-]{36}$/),
    },
  });
  for (const gateway of [url, (await admin()).url]) {
    const { clients, ...page } = await listed(gateway);
    expect(page).toEqual({ count: 1, total_count: 1, limit: 25, offset: 0 });
    expect(clients[0]).toMatchObject({
      config: {
        name: 'files',
        headers: { authorization: `Bear${'*'.repeat(24)}oken`, 'x-team': 'env.ADMIN_TEST_UNSET' },
        tool_sync_interval: '300s',
      },
      state: 'healthy',
      hidden_tools: ['delete'],
      server_info: { name: 'bifrost', version: '9.9' },
    });
    expect(clients[0]?.tools).toEqual([
      {
        name: 'files-read',
        upstream_name: 'read',
        description: 'Reads',
        parameters: expect.objectContaining({ type: 'object' }),
        annotations: { readOnlyHint: true },
        auto_execute: true,
      },
      expect.objectContaining({ name: 'files-write', auto_execute: false, annotations: { destructiveHint: true } }),
    ]);
  }
});

test('a client that cannot be reached is not kept', async () => {
  const { url } = await admin();
  const { status, answer } = await ask(`${url}/api/mcp/client`, 'POST', {
    name: 'gone',
    connection_type: 'stdio',
    stdio_config: { command: join(folder, 'no-such-program') },
  });
  expect(status).toBe(500);
  expect(answer).toMatchObject({ error: { message: expect.stringMatching(/^Failed to connect MCP client: /) } });
  for (const gateway of [url, (await admin()).url]) expect((await listed(gateway)).clients).toEqual([]);
});

const HTTP = { name: 'a', connection_type: 'http', connection_string: 'http://127.0.0.1:1/mcp' };

test.each([
  [{ ...HTTP, name: '' }, 'Invalid client name: name is required for MCP client'],
  [{ ...HTTP, name: undefined }, 'Invalid client name: name is required for MCP client'],
  [{ ...HTTP, name: 'web-search' }, 'Invalid client name: name cannot contain hyphens'],
  [{ ...HTTP, name: 'web search' }, 'Invalid client name: name cannot contain spaces'],
  [{ ...HTTP, name: '1st' }, 'Invalid client name: name cannot start with a number'],
  [{ ...HTTP, name: 'é' }, 'Invalid client name: name must contain only ASCII characters'],
  [{ ...HTTP, connection_string: undefined }, expect.stringContaining('connection_string')],
  [{ ...HTTP, connection_type: 'stdio' }, expect.stringContaining('stdio_config')],
  [{ ...HTTP, tool_execution_timeout: -1 }, 'tool_execution_timeout must not be negative'],
  [{ ...HTTP, tools_to_execute: ['*', 'a'] }, expect.stringContaining("wildcard '*' cannot be used")],
  [
    { ...HTTP, tools_to_execute: ['a'], tools_to_auto_execute: ['b'] },
    "Invalid tools_to_auto_execute: tool 'b' in tools_to_auto_execute is not in tools_to_execute",
  ],
  [
    { ...HTTP, tools_to_execute: ['a'], tools_to_auto_execute: ['*'] },
    "Invalid tools_to_auto_execute: tool '*' in tools_to_auto_execute requires '*' in tools_to_execute",
  ],
  [[], 'Invalid request payload: the body must be a JSON object'],
  ['{', 'Invalid JSON'],
])('a client %o is refused', async (body, message) => {
  const { url } = await admin();
  expect(await ask(`${url}/api/mcp/client`, 'POST', body)).toEqual(refusal(400, message));
});

test('without executable tools the auto-execute list is cleared, and upper and lower case are one', async () => {
  const { url } = await admin();
  const add = (body: object) => ask(`${url}/api/mcp/client`, 'POST', { ...HTTP, disabled: true, ...body });
  await add({ name: 'none', tools_to_auto_execute: ['x'] });
  await add({ name: 'some', tools_to_execute: ['Read'], tools_to_auto_execute: ['read'] });
  const { clients } = await listed(url);
  expect(clients.map(({ config }) => config.tools_to_auto_execute)).toEqual([[], ['read']]);
});

test('a name and an id are taken once', async () => {
  const { url } = await admin([{ ...HTTP, client_id: 'id-a', disabled: true }]);
  const taken = await ask(`${url}/api/mcp/client`, 'POST', { ...HTTP, disabled: true });
  expect(taken).toEqual(refusal(409, 'An MCP client with this name already exists'));
  const sameId = await ask(`${url}/api/mcp/client`, 'POST', { ...HTTP, name: 'b', client_id: 'id-a', disabled: true });
  expect(sameId.status).toBe(409);
});

test('a disabled client is registered without a connection, and cannot be reconnected', async () => {
  const { url } = await admin();
  const { answer } = await ask(`${url}/api/mcp/client`, 'POST', { ...HTTP, client_id: 'id-a', disabled: true });
  expect(answer).toMatchObject({ message: 'MCP client registered in disabled state', mcp_client_id: 'id-a' });
  expect((await listed(url)).clients[0]).toMatchObject({ state: 'disabled', tools: [] });
  expect(await ask(`${url}/api/mcp/client/id-a/reconnect`, 'POST')).toEqual(
    refusal(400, 'cannot reconnect a disabled MCP client: enable the client first'),
  );
});

test('J8 PUT changes what it names, keeps headers that come back redacted, and ignores what cannot change', async () => {
  const file = {
    client_id: 'id-a',
    name: 'a',
    connection_type: 'http',
    connection_string: await upstream(),
    headers: { authorization: SECRET },
    tools_to_execute: ['*'],
  };
  const { url, clients } = await admin([file]);
  const shown = (await listed(url)).clients[0]?.config.headers;
  const edited = await ask(`${url}/api/mcp/client/id-a`, 'PUT', {
    name: 'b',
    headers: { ...(shown as object), 'x-new': 'new' },
    tools_to_execute: ['read'],
    tool_execution_timeout: 90,
    connection_type: 'stdio',
    connection_string: 'http://elsewhere.example.com',
  });
  expect(edited).toEqual({ status: 200, answer: { status: 'success', message: 'MCP client edited successfully' } });
  const restarted = await admin([file]);
  for (const config of [clients.config('id-a'), restarted.clients.config('id-a')]) {
    expect(config).toMatchObject({
      name: 'b',
      connection_type: 'http',
      connection_string: { value: file.connection_string },
      headers: { authorization: { value: SECRET }, 'x-new': { value: 'new' } },
      tools_to_execute: ['read'],
      tool_execution_timeout: 90_000,
    });
  }
  expect((await listed(url)).clients[0]?.tools.map(({ name }) => name)).toEqual(['b-read']);
});

test('J9 an edit of the config file wins over an earlier change through the API', async () => {
  const file = { ...HTTP, client_id: 'id-a', disabled: true };
  const { url } = await admin([file]);
  await ask(`${url}/api/mcp/client/id-a`, 'PUT', { tools_to_execute: ['x'] });
  const { clients } = await admin([{ ...file, tools_to_execute: ['from-file'] }]);
  expect(clients.config('id-a')?.tools_to_execute).toEqual(['from-file']);
});

test.each([
  [{ name: 'has-hyphen' }, 400, 'Invalid client name: name cannot contain hyphens'],
  [{ name: 'other' }, 409, 'An MCP client with this name already exists'],
  [{ tool_execution_timeout: -5 }, 400, 'tool_execution_timeout must be >= 0'],
  [{ tools_to_execute: ['x'], tools_to_auto_execute: ['y'] }, 400, expect.stringContaining("tool 'y'")],
])('PUT %o is refused', async (body, status, message) => {
  const { url } = await admin([
    { ...HTTP, client_id: 'id-a', disabled: true },
    { ...HTTP, name: 'other', disabled: true },
  ]);
  expect(await ask(`${url}/api/mcp/client/id-a`, 'PUT', body)).toEqual(refusal(status, message));
});

test('a removed client is gone, after a restart too', async () => {
  const file = { ...HTTP, client_id: 'id-a', disabled: true };
  const { url } = await admin([file]);
  const removed = await ask(`${url}/api/mcp/client/id-a`, 'DELETE');
  expect(removed.answer).toEqual({ status: 'success', message: 'MCP client removed successfully' });
  for (const gateway of [url, (await admin([file])).url]) expect((await listed(gateway)).clients).toEqual([]);
});

test('a reconnect dials anew', async () => {
  const { url } = await admin([
    { name: 'a', client_id: 'id-a', connection_type: 'http', connection_string: await upstream() },
  ]);
  expect((await ask(`${url}/api/mcp/client/id-a/reconnect`, 'POST')).answer).toEqual({
    status: 'success',
    message: 'MCP client reconnected successfully',
  });
  expect((await listed(url)).clients[0]?.restarts).toBe(1);
});

test.each([
  ['PUT', '/nobody'],
  ['DELETE', '/nobody'],
  ['POST', '/nobody/reconnect'],
])('%s of an unknown client is 404', async (method, path) => {
  const { url } = await admin();
  const body = method === 'PUT' ? {} : undefined;
  expect(await ask(`${url}/api/mcp/client${path}`, method, body)).toEqual(refusal(404, 'MCP client not found'));
});

test('clients are found by name, state and connection, and come in pages', async () => {
  const stdio = { connection_type: 'stdio', stdio_config: { command: 'x' }, disabled: true };
  const { url } = await admin([
    { ...HTTP, name: 'alpha', disabled: true },
    { ...stdio, name: 'beta' },
    { ...stdio, name: 'alphabet' },
  ]);
  const names = async (query: string) => (await listed(url, query)).clients.map(({ config }) => config.name);
  expect(await names('?search=ALPHA')).toEqual(['alpha', 'alphabet']);
  expect(await names('?connection_type=stdio')).toEqual(['alphabet', 'beta']);
  expect(await names('?state=healthy')).toEqual([]);
  expect(await listed(url, '?limit=1&offset=2')).toMatchObject({ count: 1, total_count: 3, limit: 1, offset: 2 });
  expect(await listed(url, '?limit=0')).toMatchObject({ limit: 25 });
  expect(await listed(url, '?limit=1000')).toMatchObject({ limit: 100 });
});

test.each([
  ['?limit=x', 'Invalid limit parameter: must be a number'],
  ['?limit=-1', 'Invalid limit parameter: must be non-negative'],
  ['?code_mode=yes', 'Invalid code_mode parameter: must be a boolean'],
  ['?offset=-1', 'Invalid offset parameter: must be non-negative'],
  [
    '?state=happy',
    "Invalid state parameter: must be 'healthy' or 'unstable', or one of needs_reauth, pending_verification, disabled, error",
  ],
  ['?connection_type=x', 'Invalid connection_type parameter: must be one of http, sse, stdio, openapi'],
])('GET /api/mcp/clients%s is refused', async (query, message) => {
  const { url } = await admin();
  expect(await ask(`${url}/api/mcp/clients${query}`, 'GET')).toEqual(refusal(400, message));
});

test('the logs are asked with the query as it came', async () => {
  const { url } = await admin();
  const get = (path: string) => ask(`${url}/api/${path}`, 'GET');
  expect((await get('logs?providers=a,b&providers=c&limit=2')).answer).toEqual({
    logs: [],
    query: { providers: 'a,b,c', limit: '2' },
  });
  expect((await get('mcp-logs?status=error')).answer).toEqual({ logs: [], mcp: { status: 'error' } });
  expect((await get('logs/one')).answer).toEqual({ id: 'one' });
  expect((await get('mcp-logs/one')).answer).toEqual({ id: 'one', mcp: true });
  expect(await get('logs/two')).toEqual(refusal(404, 'log not found'));
  expect(await get('logs?limit=x')).toEqual(refusal(400, 'limit must be a whole number'));
});

test('version, config and providers are shown without secrets', async () => {
  const { url } = await admin([], {
    providers: {
      openai: {
        keys: [
          { name: 'main', value: 'sk-secret-1234567890', models: ['*'] },
          { name: 'env', value: 'env.ADMIN_UNSET' },
        ],
        network_config: { extra_headers: { 'x-token': 'sk-secret-header-1' } },
      },
    },
    mcp: {
      client_configs: [
        {
          name: 'a',
          connection_type: 'stdio',
          stdio_config: {
            command: 'npx',
            args: ['-y', 'server', '--api-key', 'sk-secret-arg-1', '--token=sk-secret-arg-2', '--port', '80'],
            envs: ['PATH', 'TOKEN=sk-secret-env-1'],
          },
          oauth_config: { client_secret: 'sk-secret-oauth-1', client_id: 'public' },
        },
      ],
    },
    governance: { virtual_keys: [{ id: 'vk', name: 'team', value: 'sk-bf-sk-secret-vk' }] },
  });
  const get = (path: string) => ask(`${url}/api/${path}`, 'GET');
  expect((await get('version')).answer).toEqual({ version: '1.2.3' });
  const config = JSON.stringify((await get('config')).answer);
  expect(config).not.toContain('secret-');
  for (const kept of ['env.ADMIN_UNSET', '"--port","80"', '"PATH"', '"public"']) expect(config).toContain(kept);
  const providers = (await get('providers')).answer;
  expect(JSON.stringify(providers)).not.toContain('sk-secret');
  expect(providerList.parse(providers)).toEqual({
    providers: [
      {
        name: 'openai',
        keys: [
          { name: 'main', has_value: true, models: ['*'], blacklisted_models: [], weight: 1, enabled: true },
          expect.objectContaining({ name: 'env', has_value: false, reference: 'env.ADMIN_UNSET' }),
        ],
      },
    ],
    total: 1,
  });
});

test.each([
  ['GET', '/api/nothing'],
  ['POST', '/api/mcp/nothing'],
  ['GET', '/.well-known/oauth-protected-resource'],
  ['GET', '/.well-known/oauth-protected-resource/mcp'],
  ['GET', '/.well-known/oauth-authorization-server'],
  ['GET', '/.well-known/openid-configuration'],
  ['POST', '/register'],
  ['GET', '/authorize'],
  ['POST', '/token'],
  ['GET', '/nothing'],
])('%s %s is JSON 404', async (method, path) => {
  const { url } = await admin();
  expect((await ask(`${url}${path}`, method, method === 'POST' ? {} : undefined)).status).toBe(404);
});

test.each([
  ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
  ['plain text', { 'content-type': 'text/plain' }, 415],
  ['a page of another site', { 'content-type': 'application/json', origin: 'https://evil.example.com' }, 403],
  ['a page that hides its origin', { 'content-type': 'application/json', origin: 'null' }, 403],
  ['a request that the browser calls cross-site', { 'sec-fetch-site': 'cross-site' }, 403],
])('a write by %s is refused and changes nothing', async (_, headers, status) => {
  const { url, clients } = await admin();
  const body = JSON.stringify({ ...HTTP, disabled: true });
  expect((await ask(`${url}/api/mcp/client`, 'POST', body, headers)).status).toBe(status);
  expect(clients.statuses()).toEqual([]);
});
