// biome-ignore-all lint/suspicious/noTemplateCurlyInString: settings of agents name variables that way
import { afterAll, beforeAll, expect, test } from 'vitest';
import { importReport } from '../../../src/http/admin/contract.ts';
import { type Gateway, post, startGatewayHere, testServer } from '../../support/gateway.ts';
import { serverFile } from '../../support/mcp-clients.ts';

let gateway: Gateway;

beforeAll(async () => {
  gateway = await startGatewayHere(
    { mcp: { client_configs: [testServer('old', { disabled: true })] } },
    { env: { KEY: 'value-of-key' } },
  );
});

afterAll(() => gateway.stop());

const SERVERS = {
  'test-server': { command: process.execPath, args: [serverFile('stdio.mjs')], env: { SECRET: 'never-echoed-1' } },
  old: { command: 'x' },
  gone: { command: '/no/such/program', args: ['--token', 'never-echoed-2'] },
  asking: { url: 'https://a.example/mcp', headers: { Authorization: 'Bearer ${input:token}' } },
};

async function ask(body: unknown, headers: Record<string, string> = {}, query = '') {
  const response = await post(`${gateway.url}/api/mcp/import${query}`, body, headers);
  return { status: response.status, text: await response.text() };
}

const namesOf = async () => {
  const { clients } = (await (await fetch(`${gateway.url}/api/mcp/clients`)).json()) as {
    clients: { config: { name: string } }[];
  };
  return clients.map(({ config }) => config.name);
};

test('a dry run tells what would be, and adds nothing', async () => {
  const { text } = await ask({ config: { mcpServers: SERVERS }, dry_run: true });
  const report = importReport.parse(JSON.parse(text));
  expect(report).toMatchObject({ dry_run: true, added: 2, skipped: 2, failed: 0 });
  expect(await namesOf()).toEqual(['old']);
  expect(importReport.parse(JSON.parse((await ask(SERVERS_ONLY, {}, '?dry_run=true')).text)).dry_run).toBe(true);
});

const SERVERS_ONLY = { mcpServers: { one: { command: 'x' } } };

test('each server is added, skipped or failed with its reason, and no secret is echoed', async () => {
  const { text } = await ask({ config: JSON.stringify({ mcpServers: SERVERS }) });
  const { servers, ...counts } = importReport.parse(JSON.parse(text));
  expect(counts).toMatchObject({ status: 'success', dry_run: false, added: 1, skipped: 2, failed: 1 });
  expect(servers).toEqual([
    {
      source_name: 'test-server',
      name: 'test_server',
      status: 'added',
      connection_type: 'stdio',
      notes: [expect.stringContaining("is called 'test_server' here")],
      mcp_client_id: expect.any(String),
    },
    expect.objectContaining({ name: 'old', status: 'skipped', reason: expect.stringContaining('exists already') }),
    expect.objectContaining({
      name: 'gone',
      status: 'failed',
      reason: expect.stringMatching(/^Failed to connect MCP client/),
    }),
    expect.objectContaining({ name: 'asking', status: 'skipped', reason: expect.stringContaining('${input:token}') }),
  ]);
  expect(text).not.toContain('never-echoed');
  expect(await namesOf()).toEqual(['old', 'test_server']);
});

test.each([
  [{ nothing: 1 }, 'there are no MCP servers in it'],
  [{ config: '{' }, 'the settings are not JSON'],
  [[], 'Invalid request format'],
])('%j is refused', async (body, message) => {
  const { status, text } = await ask(body);
  expect(status).toBe(400);
  expect(text).toContain(message);
});

test('G15 a foreign page, or a form, imports nothing', async () => {
  expect((await ask({ mcpServers: SERVERS }, { origin: 'https://evil.example' })).status).toBe(403);
  expect((await ask('{}', { 'content-type': 'text/plain' })).status).toBe(415);
});
