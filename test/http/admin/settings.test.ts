import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toolManager } from '../../../src/config/schema.ts';
import { openMcpSettings } from '../../../src/stores/mcp-settings.ts';
import { type Gateway, keyed, post, startGatewayHere, testServer } from '../../support/gateway.ts';
import { offeredModel } from '../../support/offered-model.ts';

let gateway: Gateway;
let model: Awaited<ReturnType<typeof offeredModel>>;

beforeAll(async () => {
  model = await offeredModel();
  gateway = await startGatewayHere({
    providers: { openai: keyed(model.url) },
    mcp: { client_configs: [testServer('ref', { tools_to_execute: ['hang', 'echo'] })] },
  });
});

afterAll(async () => {
  await gateway.stop();
  await model.close();
});

async function put(body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${gateway.url}/api/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    answer: (await response.json()) as { message?: string; error?: { message: string } },
  };
}

const settings = async () =>
  ((await (await fetch(`${gateway.url}/api/config`)).json()) as { client_config: object }).client_config;

const DEFAULTS = {
  mcp_agent_depth: 10,
  mcp_tool_execution_timeout: 30,
  mcp_code_mode_binding_level: 'server',
  mcp_tool_sync_interval: 10,
  mcp_disable_auto_tool_inject: false,
};

test('the words of tool_manager_config are taken at the older address', async () => {
  const older = async (body: object) => {
    const response = await fetch(`${gateway.url}/api/settings/mcp/tool-manager-config`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return response.status;
  };
  expect(await older({ max_agent_depth: 4, tool_execution_timeout: '2m' })).toBe(200);
  expect(await settings()).toEqual({ ...DEFAULTS, mcp_agent_depth: 4, mcp_tool_execution_timeout: 120 });
  expect(await older({ max_agent_depth: 'many' })).toBe(400);
  expect(await older({ max_agent_depth: 10, tool_execution_timeout: 30 })).toBe(200);
  expect(await settings()).toEqual(DEFAULTS);
});

test('the settings of MCP are shown, changed in part, and hold at once', async () => {
  expect(await settings()).toEqual(DEFAULTS);
  expect(await put({ client_config: { mcp_tool_execution_timeout: 0.1, mcp_agent_depth: 3 } })).toEqual({
    status: 200,
    answer: { status: 'success', message: 'configuration updated successfully' },
  });
  expect(await settings()).toEqual({ ...DEFAULTS, mcp_tool_execution_timeout: 0.1, mcp_agent_depth: 3 });
  const run = await post(`${gateway.url}/v1/mcp/tool/execute`, {
    id: '1',
    type: 'function',
    function: { name: 'ref-hang', arguments: '{}' },
  });
  expect(await run.text()).toContain('timed out after 100ms');
});

test('tools stop being injected when that is switched off', async () => {
  const ask = () =>
    post(`${gateway.url}/v1/chat/completions`, { model: 'openai/m', messages: [{ role: 'user', content: 'x' }] });
  await ask();
  await put({ client_config: { mcp_disable_auto_tool_inject: true } });
  await ask();
  expect(model.toolNames).toEqual([['ref-echo', 'ref-hang'], []]);
});

test.each([
  [{}, 'client_config is required'],
  [{ client_config: { mcp_agent_depth: 0 } }, 'mcp_agent_depth'],
  [{ client_config: { mcp_code_mode_binding_level: 'x' } }, 'mcp_code_mode_binding_level'],
  [{ client_config: { enable_logging: false } }, 'only the mcp_ settings'],
])('%j is refused', async (body, message) => {
  const { status, answer } = await put(body);
  expect(status).toBe(400);
  expect(answer.error?.message).toContain(message);
});

test('a foreign page is refused', async () => {
  expect((await put({ client_config: {} }, { origin: 'https://evil.example' })).status).toBe(403);
});

test('a change outlives a restart, until the config file says something else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'settings-'));
  const open = (given: object = {}, fileWins = false) =>
    openMcpSettings({
      path: join(folder, 'mcp-settings.json'),
      toolManager: toolManager.parse(given),
      syncIntervalMs: 600_000,
      fileWins,
    });
  await (await open()).change({ mcp_agent_depth: 2, mcp_tool_sync_interval: 5 });
  const again = await open();
  expect([again.toolManager.max_agent_depth, again.syncIntervalMs]).toEqual([2, 300_000]);
  expect((await open({ max_agent_depth: 7 })).toolManager.max_agent_depth).toBe(7);
  expect((await open({}, true)).toolManager.max_agent_depth).toBe(10);
  expect(JSON.parse(await readFile(join(folder, 'mcp-settings.json'), 'utf8'))).toMatchObject({ version: 1 });
  await rm(folder, { recursive: true });
});

test('without a config store nothing about MCP can be changed', async () => {
  const stateless = await startGatewayHere({ config_store: { enabled: false } });
  const answer = await post(`${stateless.url}/api/mcp/client`, testServer('a'));
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain('MCP operations unavailable: config store is disabled');
  expect((await fetch(`${stateless.url}/api/mcp/clients`)).status).toBe(200);
  await stateless.stop();
});
