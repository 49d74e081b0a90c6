import { expect, test } from 'vitest';
import { toolManager } from '../../src/config/schema.ts';
import { buildCatalog } from '../../src/mcp/catalog.ts';
import { injectedTools } from '../../src/mcp/inject.ts';
import { readTools } from '../../src/mcp/listed-tools.ts';
import { clientConfig } from '../support/mcp-clients.ts';

const config = clientConfig({ name: 'files', connection_type: 'http', connection_string: 'http://127.0.0.1' });
const { tools: visible } = buildCatalog(1, [
  {
    config,
    listed: readTools(
      [{ name: 'read_file', description: 'Reads' }, { name: 'write-file' }, { name: 'stat' }],
      () => {},
    ),
  },
]);

const injected = (
  ownNames: string[],
  userAgent?: string,
  filters: { includeTools?: string[] } = {},
  onlyOnDemand = false,
) => injectedTools({ visible, ownNames, caller: { ...(userAgent && { userAgent }), ...filters }, onlyOnDemand });

const names = (...given: Parameters<typeof injected>) => injected(...given).map((tool) => tool.name);

const ALL = ['files-read_file', 'files-stat', 'files-write-file'];

test('every visible tool is appended, in catalog order, as a tool of the gateway', () => {
  expect(names([])).toEqual(ALL);
  expect(injected([])[0]).toEqual({
    type: 'function',
    name: 'files-read_file',
    description: 'Reads',
    inputSchema: { type: 'object', properties: {} },
    owner: 'gateway',
  });
});

test('A15 the same catalog gives the same array', () => {
  expect(injected([])).toBe(injected(['Bash', 'mcp__other__tool'], 'claude-cli/2.1.330 (external, cli)'));
});

test("the request's own tool wins over one of ours with its name", () => {
  expect(names(['files-stat', 'Bash'])).toEqual(['files-read_file', 'files-write-file']);
});

test.each([
  ['Claude Code', 'claude-cli/2.1.330 (external, sdk-cli)', 'mcp__bifrost__files-read_file', 'files-read_file'],
  [
    'Claude Code, hyphens',
    'claude-cli/2.1.330 (external, sdk-cli)',
    'mcp__bifrost__files-write-file',
    'files-write-file',
  ],
  ['Claude Code, a server name with __', 'claude-cli/1.0.128', 'mcp__my__gateway__files-stat', 'files-stat'],
  [
    'Gemini CLI',
    'GeminiCLI-tui/0.61.0/gemini/gemini-2.5-pro (linux; x64; terminal)',
    'mcp_bifrost_files-read_file',
    'files-read_file',
  ],
  ['Qwen Code', 'QwenCode/0.10 (linux; x64)', 'mcp__bifrost__files-stat', 'files-stat'],
  ['Codex', 'codex_cli_rs/0.169.0', 'mcp__bifrost__files_write_file', 'files-write-file'],
  ['OpenCode', 'opencode/1.0', 'bifrost_files-read_file', 'files-read_file'],
])('I11 %s does not get a tool twice that it has by /mcp', (_, userAgent, own, ours) => {
  expect(names([own], userAgent)).toEqual(ALL.filter((name) => name !== ours));
});

test('I11 a name that only looks like one of ours leaves ours in place', () => {
  expect(names(['files_stat'], 'claude-cli/2.1.330')).toEqual(ALL);
  expect(names(['mcp__bifrost__files-stat'])).toEqual(ALL);
});

test('with disable_auto_tool_inject only a caller that asks by header gets tools', () => {
  const onlyOnDemand = toolManager.parse({ disable_auto_tool_inject: true }).disable_auto_tool_inject;
  expect(names([], undefined, {}, onlyOnDemand)).toEqual([]);
  expect(names([], undefined, { includeTools: ['files-*'] }, onlyOnDemand)).toEqual(ALL);
});
