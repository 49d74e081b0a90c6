import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { mcpClient } from '../../src/config/schema.ts';
import { openClientOverrides } from '../../src/stores/client-overrides.ts';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const client = (more: object = {}) =>
  mcpClient.parse({ name: 'web', connection_type: 'http', connection_string: 'http://127.0.0.1/mcp', ...more });
const withToken = client({ headers: { Authorization: 'Bearer s3cret' } });

async function warningsFor(config: ReturnType<typeof client>, encryptionKey?: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'plain-secrets-'));
  folders.push(folder);
  const warnings: string[] = [];
  const options = { path: join(folder, 'clients.json'), fileClients: [], encryptionKey };
  const open = () => openClientOverrides({ ...options, warn: (message) => warnings.push(message) });
  await (await open()).put(config);
  await open();
  return warnings;
}

test('secrets kept in plain text are told of when they are written and at each start, and not shown', async () => {
  const warnings = await warningsFor(withToken);
  expect(warnings).toHaveLength(2);
  expect(warnings[0]).toMatch(/^MCP client 'web' has secrets that .+ keeps in plain text: set encryption_key/);
  expect(warnings.join()).not.toContain('s3cret');
});

test('so are those in the environment of a process', async () => {
  const envs = ['HOME', 'GITHUB_TOKEN=ghp_1'];
  const stdio = mcpClient.parse({ name: 'web', connection_type: 'stdio', stdio_config: { command: 'x', envs } });
  expect(await warningsFor(stdio)).toHaveLength(2);
});

test.each([
  ['encrypted', withToken, 'a key of sixteen letters'],
  ['none', client(), undefined],
])('nothing is told where secrets are %s', async (_, config, key) => {
  expect(await warningsFor(config, key)).toEqual([]);
});
