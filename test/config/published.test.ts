import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { parseArguments } from '../../src/cli.ts';
import { configFile } from '../../src/config/config-file.ts';
import { loadConfig } from '../../src/config/load.ts';
import { WITHOUT_EFFECT } from '../../src/config/without-effect.ts';
import { isObject } from '../../src/model/json.ts';
import { type ServerName, startServer } from '../mcp-servers/server-process.ts';

const root = resolve(import.meta.dirname, '../..');

test('config.schema.json says what the code says (`npm run schema` writes it)', async () => {
  const schema = z.toJSONSchema(configFile, { io: 'input' });
  const published = { ...schema, title: 'Bifrost config.json' };
  await expect(`${JSON.stringify(published, null, 2)}\n`).toMatchFileSnapshot(resolve(root, 'config.schema.json'));
});

test('config.schema.json tells what each setting is for', () => {
  const schema: unknown = z.toJSONSchema(configFile, { io: 'input' });
  expect(undescribed(schema, [])).toEqual([]);
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

test('what runs by itself is a tool that its server has', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bifrost-servers-'));
  const argumentsOf = { filesystem: [folder], fetch: [], memory: [join(folder, 'memory.db')], time: [] };
  await Promise.all(
    shippedClients().map(async ({ name, tools_to_auto_execute }) => {
      const server = await startServer(name as ServerName, argumentsOf[name as ServerName]);
      const { tools } = await server.client.listTools();
      await server.close();
      const known = ['*', ...tools.map((tool) => tool.name)];
      expect(tools_to_auto_execute.filter((tool) => !known.includes(tool))).toEqual([]);
    }),
  );
  await rm(folder, { recursive: true });
});

test('what may destroy or lose something never runs by itself', () => {
  const automatic = shippedClients().flatMap((client) => client.tools_to_auto_execute);
  expect(automatic.filter((tool) => /delete|move|forget/.test(tool))).toEqual([]);
});

const shippedClients = () =>
  configFile.parse(JSON.parse(readFileSync(resolve(root, 'config.json'), 'utf8'))).mcp.client_configs;

/** The settings without a description, by their path. What has no effect needs no words for its parts. */
function undescribed(schema: unknown, path: readonly string[]): string[] {
  if (Array.isArray(schema)) return schema.flatMap((each) => undescribed(each, path));
  if (!isObject(schema)) return [];
  const { properties, $defs, description, ...parts } = schema;
  if (description === WITHOUT_EFFECT) return [];
  const named = Object.entries(isObject(properties) ? properties : {}).flatMap(([name, property]) => {
    const place = [...path, name];
    const own = isObject(property) && typeof property.description !== 'string' ? [place.join('.')] : [];
    return [...own, ...undescribed(property, place)];
  });
  const shared = Object.values(isObject($defs) ? $defs : {});
  return [...named, ...undescribed([...shared, ...Object.values(parts)], path)];
}
