import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { parseArguments } from '../../src/cli.ts';
import { configFile } from '../../src/config/config-file.ts';
import { loadConfig } from '../../src/config/load.ts';

const root = resolve(import.meta.dirname, '../..');

test('config.schema.json says what the code says (`npm run schema` writes it)', async () => {
  const schema = z.toJSONSchema(configFile, { io: 'input' });
  const published = { ...schema, title: 'Bifrost config.json' };
  await expect(`${JSON.stringify(published, null, 2)}\n`).toMatchFileSnapshot(resolve(root, 'config.schema.json'));
});

test('the config.json that ships starts the bundled servers and needs no key', async () => {
  const listen = { host: 'localhost', port: 8080 };
  const loaded = await loadConfig({ appDir: root, env: {}, listen, detectable: [], probe: async () => false });
  expect(loaded.warnings).toEqual([]);
  expect(loaded.config.providers).toEqual({});
  const clients = loaded.config.mcp.client_configs;
  expect(clients.map(({ name }) => name)).toEqual(['filesystem', 'fetch', 'memory', 'time']);
  for (const { name, stdio_config, tools_to_execute } of clients) {
    expect(stdio_config?.command).toBe('bifrost');
    expect(parseArguments(stdio_config?.args ?? [], {})).toMatchObject({ type: 'mcp-server', server: name });
    expect(tools_to_execute).toEqual(['*']);
  }
});

test('what may destroy or lose something never runs by itself', () => {
  const file = JSON.parse(readFileSync(resolve(root, 'config.json'), 'utf8'));
  const automatic = configFile.parse(file).mcp.client_configs.flatMap((client) => client.tools_to_auto_execute);
  expect(automatic).not.toEqual(expect.arrayContaining([expect.stringMatching(/delete|move|forget/)]));
});
