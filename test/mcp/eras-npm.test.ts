import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Connect, type EraClient, legacyClient, modernClient } from '../support/era-clients.ts';
import { type Gateway, startGatewayHere } from '../support/gateway.ts';

const folder = mkdtempSync(join(tmpdir(), 'eras-npm-'));

/** A server of the Model Context Protocol's own, as it comes from npm. */
const published = (name: string, ...args: string[]) => {
  const file = resolve(`node_modules/@modelcontextprotocol/server-${name}/dist/index.js`);
  return {
    name,
    connection_type: 'stdio',
    stdio_config: {
      command: process.execPath,
      args: [file, ...args],
      envs: [`MEMORY_FILE_PATH=${join(folder, 'memory.json')}`],
    },
    tools_to_execute: ['*'],
  };
};

const CLIENTS: [string, Connect][] = [
  ['2025', legacyClient],
  ['2026', modernClient],
];

let gateway: Gateway;

beforeAll(async () => {
  writeFileSync(join(folder, 'note.txt'), 'from the file');
  const client_configs = [published('everything'), published('filesystem', folder), published('memory')];
  gateway = await startGatewayHere({ mcp: { client_configs } });
});

afterAll(async () => {
  await gateway?.stop();
  rmSync(folder, { recursive: true });
});

describe.each(CLIENTS)('the published servers and a client of %s', (_, connect) => {
  const clients: EraClient[] = [];
  const connected = async (path: string) => {
    const client = await connect(`${gateway.url}${path}`);
    clients.push(client);
    return client;
  };
  afterAll(() => Promise.all(clients.map((client) => client.close())));

  test('server-everything: tools, progress, resources, prompts, what it asks', async () => {
    const client = await connected('/mcp/everything');
    const names = (await client.listTools()).map(({ name }) => name);
    expect(await client.callTool('echo', { message: 'hi' })).toMatchObject({ content: [{ text: 'Echo: hi' }] });
    const seen: number[] = [];
    const onprogress = ({ progress }: { progress: number }) => seen.push(progress);
    await client.callTool('trigger-long-running-operation', { duration: 0.2, steps: 2 }, { onprogress });
    expect(seen).toEqual([1, 2]);
    const [resource] = await client.listResources();
    expect((await client.readResource(resource?.uri ?? '')).length).toBe(1);
    expect((await client.getPrompt('simple-prompt', {})).length).toBe(1);
    if (names.includes('trigger-sampling-request')) {
      const sampled = await client.callTool('trigger-sampling-request', { prompt: 'hi', maxTokens: 5 });
      expect(JSON.stringify(sampled)).toContain('forty-two');
    }
  });

  test('server-filesystem: reads a file of the folder it was given', async () => {
    const client = await connected('/mcp');
    const result = await client.callTool('filesystem-read_text_file', { path: join(folder, 'note.txt') });
    expect(result).toMatchObject({ content: [{ text: 'from the file' }] });
  });

  test('server-memory: remembers', async () => {
    const client = await connected('/mcp/memory');
    const ada = { name: 'Ada', entityType: 'person', observations: ['counts'] };
    await client.callTool('create_entities', { entities: [ada] });
    expect(await client.callTool('read_graph')).toMatchObject({ structuredContent: { entities: [ada] } });
  });
});
