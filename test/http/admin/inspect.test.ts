import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CatalogInspection, catalogInspection } from '../../../src/http/admin/contract.ts';
import { type Gateway, post, startGatewayHere, testServer } from '../../support/gateway.ts';

let gateway: Gateway;

beforeAll(async () => {
  gateway = await startGatewayHere({
    mcp: {
      client_configs: [
        testServer('all'),
        testServer('some', { tools_to_execute: ['echo', 'peek'], tools_to_auto_execute: ['peek'] }),
        testServer('off', { disabled: true }),
        testServer('gone', { stdio_config: { command: '/no/such/program' } }),
        testServer('coded', { tool_mode: 'code', tools_to_execute: ['echo'] }),
      ],
      virtual_mcps: [{ name: 'v', tools: [{ mcp_client_name: 'all', tool_names: ['echo'] }] }],
    },
  });
});

afterAll(() => gateway.stop());

async function inspect(query = '', headers: Record<string, string> = {}): Promise<CatalogInspection> {
  const response = await fetch(`${gateway.url}/api/mcp/catalog/inspect${query}`, { headers });
  expect(response.status).toBe(200);
  return catalogInspection.parse(await response.json());
}

const toolOf = ({ tools }: CatalogInspection, name: string) => tools.find((tool) => tool.name === name);

test('every tool is told, with the reason where it would not be seen', async () => {
  const inspection = await inspect();
  expect(toolOf(inspection, 'all-echo')).toEqual({
    name: 'all-echo',
    client: 'all',
    upstream_name: 'echo',
    visible: true,
    tool_mode: 'direct',
    auto_execute: true,
    injected: true,
  });
  expect(toolOf(inspection, 'some-slow')).toMatchObject({
    visible: false,
    reason: 'not-in-tools-to-execute',
    explanation: "tool 'some-slow' is not permitted (not in client's ToolsToExecute allow-list)",
    injected: false,
  });
  expect(toolOf(inspection, 'some-echo')).toMatchObject({ visible: true, auto_execute: false });
  expect(toolOf(inspection, 'coded-echo')).toMatchObject({ visible: true, tool_mode: 'code' });
  expect(inspection.clients).toEqual([
    expect.objectContaining({ name: 'all', state: 'healthy' }),
    expect.objectContaining({ name: 'coded', visible_count: 1 }),
    expect.objectContaining({ name: 'gone', tool_count: 0, last_failure: expect.stringContaining('/no/such/program') }),
    expect.objectContaining({ name: 'off', state: 'disabled', tool_count: 0 }),
    expect.objectContaining({ name: 'some', visible_count: 2 }),
  ]);
});

test.each([
  [{ 'x-bf-mcp-include-clients': 'some' }, 'all-echo', 'client-not-included'],
  [{ 'x-bf-mcp-include-clients': '' }, 'some-echo', 'client-not-included'],
  [{ 'x-bf-mcp-include-tools': 'all-*' }, 'some-echo', 'filtered-by-request'],
  [{ 'x-bf-mcp-include-tools': '' }, 'all-echo', 'filtered-by-request'],
])('with %j, %s is not seen: %s', async (headers, name, reason) => {
  expect(toolOf(await inspect('', headers), name)).toMatchObject({ visible: false, reason });
});

test.each([
  ['', {}],
  ['', { 'x-bf-mcp-include-clients': 'some' }],
  ['', { 'x-bf-mcp-include-tools': 'all-echo,some-*' }],
  ['/v', {}],
  ['/v', { 'x-bf-mcp-include-tools': 'some-*' }],
])('at /mcp%s with %j the inspection offers just what the list holds', async (slug, headers) => {
  const answer = await post(
    `${gateway.url}/mcp${slug}`,
    { jsonrpc: '2.0', id: 1, method: 'tools/list' },
    { accept: 'application/json', ...headers },
  );
  const { result } = (await answer.json()) as { result: { tools: { name: string }[] } };
  const inspection = await inspect(slug && `?slug=${slug.slice(1)}`, headers);
  expect(inspection.offered).toEqual(result.tools.map(({ name }) => name));
});

test('a tool of the request’s own keeps the one of that name out', async () => {
  const inspection = await inspect('?tools=all-echo,other');
  expect(toolOf(inspection, 'all-echo')).toMatchObject({
    visible: true,
    injected: false,
    not_injected_because: 'own-tool-of-that-name',
  });
});

test('a client’s own address shows that client alone, an unknown one nothing', async () => {
  const inspection = await inspect('?slug=some');
  expect(inspection.tools.filter(({ visible }) => visible).map(({ name }) => name)).toEqual(['some-echo', 'some-peek']);
  expect((await fetch(`${gateway.url}/api/mcp/catalog/inspect?slug=nobody`)).status).toBe(404);
});

test('G15 a foreign page is refused, and a virtual key is not shown', async () => {
  const foreign = await fetch(`${gateway.url}/api/mcp/catalog/inspect`, {
    headers: { origin: 'https://evil.example' },
  });
  expect(foreign.status).toBe(403);
  const inspection = await inspect('', { 'x-bf-vk': 'sk-bf-very-secret' });
  expect(inspection.caller.has_virtual_key).toBe(true);
  expect(JSON.stringify(inspection)).not.toContain('very-secret');
});
