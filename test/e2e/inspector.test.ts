import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GatewayProcess, startGateway } from '../support/gateway-process.ts';
import { serverFile } from '../support/mcp-clients.ts';
import { runCommand } from './command.ts';
import { installed, NODE_22, nodeOf } from './installed.ts';
import { toolsThere } from './tools-there.ts';

/** The newest when this was written; it needs Node 22. */
const VERSION = '2.12.0';

let gateway: GatewayProcess;
let folder: string;

beforeAll(async () => {
  folder = await installed(`mcp-inspector-${VERSION}`, `@modelcontextprotocol/inspector@${VERSION}`, NODE_22);
  const stdio_config = { command: process.execPath, args: [serverFile('everything-like.mjs')] };
  const client = { name: 'whole', connection_type: 'stdio', stdio_config, tools_to_execute: ['*'] };
  gateway = await toolsThere(await startGateway({ mcp: { client_configs: [client] } }));
});

afterAll(() => gateway?.stop());

/** `npx @modelcontextprotocol/inspector --cli <url> --method ...`. */
async function inspected(path: string, method: string, ...more: string[]): Promise<unknown> {
  const main = join(folder, 'node_modules/.bin/mcp-inspector');
  const args = [main, '--cli', `${gateway.url}${path}`, '--transport', 'http', '--method', method, ...more];
  const env = { HOME: gateway.appDir };
  const { code, stdout, stderr } = await runCommand(nodeOf(folder), args, { cwd: gateway.appDir, env });
  expect({ code, stderr: code === 0 ? '' : `${stdout}${stderr}` }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

const named = (name: string) => expect.arrayContaining([expect.objectContaining({ name })]);

describe.each([
  ['/mcp', 'whole-'],
  ['/mcp/whole', ''],
])('the MCP Inspector at %s', (path, prefix) => {
  test('lists tools', async () => {
    expect(await inspected(path, 'tools/list')).toMatchObject({ tools: named(`${prefix}test_simple_text`) });
  });

  test('lists resources', async () => {
    const resources = expect.arrayContaining([expect.objectContaining({ uri: 'test://static-text' })]);
    expect(await inspected(path, 'resources/list')).toMatchObject({ resources });
  });

  test('lists prompts', async () => {
    expect(await inspected(path, 'prompts/list')).toMatchObject({ prompts: named(`${prefix}test_simple_prompt`) });
  });

  test('calls a tool', async () => {
    const result = await inspected(path, 'tools/call', '--tool-name', `${prefix}test_simple_text`);
    expect(result).toMatchObject({ content: [{ text: 'This is a simple text response for testing.' }] });
  });
});
