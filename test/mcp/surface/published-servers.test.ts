import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, type Gateway, startGatewayHere } from '../../support/gateway.ts';
import { connect, textIn } from '../../support/mcp-surface.ts';

// The servers that the MCP project publishes, as they are.

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'bifrost-published-')));
const rooted = realpathSync(mkdtempSync(join(tmpdir(), 'bifrost-rooted-')));
let gateway: Gateway;

const published = (name: string, more: string[] = []) => ({
  name,
  connection_type: 'stdio',
  stdio_config: {
    command: process.execPath,
    args: [resolve(`node_modules/@modelcontextprotocol/server-${name}/dist/index.js`), ...more],
    ...(name === 'memory' && { envs: [`MEMORY_FILE_PATH=${join(folder, 'memory.json')}`] }),
  },
  tools_to_execute: ['*'],
});

beforeAll(async () => {
  writeFileSync(join(folder, 'note.txt'), 'from the folder');
  writeFileSync(join(rooted, 'root.txt'), 'from the root');
  gateway = await startGatewayHere({
    mcp: {
      client_configs: [published('everything', ['stdio']), published('filesystem', [folder]), published('memory')],
    },
  });
  await fetch(`${gateway.url}/mcp`, { method: 'DELETE' });
});

afterAll(async () => {
  await gateway?.stop();
  for (const each of [folder, rooted]) rmSync(each, { recursive: true });
});

test('one session uses the tools of all of them, and the resources and prompts of the one that has them', async () => {
  const { client } = await connect(`${gateway.url}/mcp`);
  const { tools } = await client.listTools();
  expect(new Set(tools.map(({ name }) => name.split('-')[0]))).toEqual(new Set(['everything', 'filesystem', 'memory']));
  const path = join(folder, 'note.txt');
  const read = await client.callTool({ name: 'filesystem-read_text_file', arguments: { path } });
  expect(textIn(read)).toBe('from the folder');
  const entities = [{ name: 'Bifrost', entityType: 'bridge', observations: ['burns'] }];
  await client.callTool({ name: 'memory-create_entities', arguments: { entities } });
  const graph = await client.callTool({ name: 'memory-read_graph' });
  expect(graph.structuredContent).toMatchObject({ entities });
  const { resources } = await client.listResources();
  const [first] = resources;
  expect((await client.readResource({ uri: first?.uri ?? '' })).contents).toHaveLength(1);
  const { prompts } = await client.listPrompts();
  const simple = prompts.find(({ arguments: given }) => !given?.some(({ required }) => required));
  expect((await client.getPrompt({ name: simple?.name ?? '' })).messages.length).toBeGreaterThan(0);
  await client.close();
});

test('server-everything asks its caller for a completion', async () => {
  const { client } = await connect(`${gateway.url}/mcp/everything`, { capabilities: { sampling: {} }, name: 'ann' });
  const { tools } = await client.listTools();
  const name = tools.find((tool) => /sampling/i.test(tool.name) && !/async|tools/i.test(tool.name))?.name ?? '';
  const result = await client.callTool({ name, arguments: { prompt: 'hello', maxTokens: 10 } });
  expect(JSON.stringify(result)).toContain('ann heard: ');
  await client.close();
});

test('server-filesystem works in the roots of its caller, and only there', async () => {
  const capabilities = { roots: { listChanged: true } };
  const { client } = await connect(`${gateway.url}/mcp/filesystem`, {
    capabilities,
    roots: [pathToFileURL(rooted).href],
  });
  const allowed = async () => textIn(await client.callTool({ name: 'list_allowed_directories' }));
  expect(await eventually(allowed, (text) => text.includes(rooted))).not.toContain(folder);
  const { client: other } = await connect(`${gateway.url}/mcp/filesystem`);
  expect(textIn(await other.callTool({ name: 'list_allowed_directories' }))).toContain(folder);
  await Promise.all([client.close(), other.close()]);
});
