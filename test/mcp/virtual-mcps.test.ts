import { expect, test } from 'vitest';
import { mcpClient } from '../../src/config/schema.ts';
import { virtualMcp } from '../../src/config/virtual-mcp.ts';
import { buildCatalog } from '../../src/mcp/catalog.ts';
import { slugClashes, slugOf } from '../../src/mcp/endpoints.ts';
import { narrowedTo } from '../../src/mcp/filters.ts';
import { readTools } from '../../src/mcp/listed-tools.ts';
import { entriesOf, VirtualMcps } from '../../src/mcp/virtual-mcps.ts';
import { nobody } from '../support/mcp-clients.ts';

const client = (name: string, ...tools: string[]) => ({
  config: mcpClient.parse({
    name,
    client_id: `id-${name}`,
    connection_type: 'http',
    connection_string: 'http://x',
    tools_to_execute: ['*'],
  }),
  listed: readTools(
    tools.map((tool) => ({ name: tool })),
    () => {},
  ),
});

const catalog = buildCatalog(1, [
  client('files', 'read', 'Write', 'a-b'),
  client('web', 'search'),
  client('web_2', 'search'),
]);

test.each([
  [[{ mcp_client_id: 'id-files', tool_names: ['*'] }], ['files-*']],
  [[{ mcp_client_name: 'files', tool_names: ['READ', 'write', 'gone'] }], ['files-Write', 'files-read']],
  [[{ mcp_client_id: 'web', tool_names: ['search'] }], ['web-search']],
  [[{ mcp_client_name: 'files', tool_names: [] }], []],
  [[{ mcp_client_name: 'files' }], []],
  [[{ mcp_client_name: 'nobody', tool_names: ['*'] }], []],
  [
    [
      { mcp_client_name: 'web_2', tool_names: ['*'] },
      { mcp_client_name: 'files', tool_names: ['a-b'] },
    ],
    ['web_2-*', 'files-a-b'],
  ],
])('%j lets through %j', (tools, entries) => {
  expect(entriesOf(virtualMcp.parse({ name: 'v', tools }), catalog)).toEqual(entries);
});

test.each([
  [undefined, ['a-*'], ['a-*']],
  [['a-x', 'b-y'], ['a-*'], ['a-x']],
  [['a-*'], ['a-x', 'b-y'], ['a-x']],
  [['a-*'], ['a-*'], ['a-*']],
  [['a-x'], ['a-x', 'a-y'], ['a-x']],
  [[], ['a-*'], []],
  [['a-*'], [], []],
  [['*'], ['a-*'], []],
  [['ab-x'], ['a-*'], []],
])('a caller with %j, narrowed to %j, may use %j', (includeTools, entries, left) => {
  expect(narrowedTo({ ...nobody, ...(includeTools && { includeTools }) }, entries).includeTools).toEqual(left);
});

test.each([
  ['Development Tools', 'development-tools'],
  ['web_search', 'web_search'],
  [' Ünder  Way! ', 'nder-way'],
  ['日本', 'mcp'],
  ['x'.repeat(80), 'x'.repeat(63)],
])('the slug of %j is %s', (name, slug) => {
  expect(slugOf(name)).toBe(slug);
});

test('ids are numbers, the same at each start, and different for different names', () => {
  const configs = ['a', 'b', 'c'].map((name) => virtualMcp.parse({ name }));
  const ids = () => new VirtualMcps(configs).list.map(({ id }) => id);
  expect(ids()).toEqual(ids());
  expect(new Set(ids()).size).toBe(3);
});

test('one that is switched off is served to nobody', () => {
  const virtualMcps = new VirtualMcps([
    virtualMcp.parse({ name: 'v', enabled: false, tools: [{ mcp_client_name: 'web', tool_names: ['*'] }] }),
  ]);
  expect(virtualMcps.serving('v', nobody, catalog)).toBeUndefined();
});

test('slugs that two want are told', () => {
  const virtuals = [
    { name: 'A', endpoint_slug: 'files' },
    { name: 'B', endpoint_slug: 'files' },
  ];
  expect(slugClashes(virtuals, [{ name: 'files' }])).toEqual([
    expect.stringContaining("virtual MCP 'A' and MCP client 'files' both want /mcp/files"),
    expect.stringContaining("virtual MCP 'B' and virtual MCP 'A' both want /mcp/files"),
  ]);
});
