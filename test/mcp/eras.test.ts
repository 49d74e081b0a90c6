import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Connect, type EraClient, legacyClient, modernClient } from '../support/era-clients.ts';
import { type Gateway, startGatewayHere } from '../support/gateway.ts';
import { serverFile, until } from '../support/mcp-clients.ts';
import { startLegacyHttpServer } from '../support/mcp-servers/legacy-http.mjs';
import { startModernHttpServer } from '../support/mcp-servers/modern-http.mjs';

interface Upstream {
  readonly client: object;
  close(): Promise<void>;
}

const rules = { name: 'table', tools_to_execute: ['*'], tools_to_auto_execute: ['*'] };

const overStdio = (file: string) => async (): Promise<Upstream> => ({
  client: {
    ...rules,
    connection_type: 'stdio',
    stdio_config: { command: process.execPath, args: [serverFile(file)] },
  },
  close: async () => undefined,
});

const overHttp = (start: () => Promise<{ url: string; close(): Promise<void> }>) => async (): Promise<Upstream> => {
  const server = await start();
  return {
    client: { ...rules, connection_type: 'http', connection_string: server.url },
    close: () => server.close(),
  };
};

const SERVERS: [string, () => Promise<Upstream>][] = [
  ['a 2025 server over stdio', overStdio('legacy-stdio.mjs')],
  ['a 2025 server over HTTP', overHttp(startLegacyHttpServer)],
  ['a 2026 server over stdio', overStdio('modern-stdio.mjs')],
  ['a 2026 server over HTTP', overHttp(startModernHttpServer)],
];

const CLIENTS: [string, Connect, string][] = [
  ['a 2025 client', legacyClient, '2025-11-25'],
  ['a 2026 client', modernClient, '2026-07-28'],
];

const text = (value: string) => [{ type: 'text', text: value }];

describe.each(SERVERS)('%s', (_, start) => {
  let upstream: Upstream;
  let gateway: Gateway;
  const folder = mkdtempSync(join(tmpdir(), 'eras-'));
  const open: EraClient[] = [];

  beforeAll(async () => {
    upstream = await start();
    gateway = await startGatewayHere({ mcp: { client_configs: [upstream.client] } });
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map((client) => client.close()));
  });

  afterAll(async () => {
    await gateway?.stop();
    await upstream?.close();
    rmSync(folder, { recursive: true });
  });

  describe.each(CLIENTS)('and %s', (_era, connect, version) => {
    const connected = async (path = '/mcp/table', mute = false): Promise<EraClient> => {
      const client = await connect(`${gateway.url}${path}`, { mute });
      open.push(client);
      return client;
    };

    test('are connected, each in its own era', async () => {
      const client = await connected();
      expect(client.version).toBe(version);
      expect(client.instructions).toBe('Look, and touch.');
    });

    test('tools', async () => {
      const client = await connected();
      const tools = await client.listTools();
      expect(tools.find(({ name }) => name === 'echo')).toMatchObject({ annotations: { readOnlyHint: true } });
      expect(await client.callTool('echo', { value: 'hi' })).toMatchObject({ content: text('hi') });
    });

    test('tools of all servers, by their long names', async () => {
      const client = await connected('/mcp');
      expect((await client.listTools()).map(({ name }) => name)).toContain('table-echo');
      expect(await client.callTool('table-echo', { value: 'hi' })).toMatchObject({ content: text('hi') });
    });

    test('resources and their templates', async () => {
      const client = await connected();
      expect(await client.listResources()).toMatchObject([{ uri: 'test://note', name: 'note' }]);
      expect(await client.listTemplates()).toMatchObject([{ uriTemplate: 'test://items/{id}' }]);
      expect(await client.readResource('test://note')).toMatchObject([{ uri: 'test://note', text: 'a note' }]);
      expect(await client.readResource('test://items/7')).toMatchObject([{ text: 'item 7' }]);
    });

    test('prompts', async () => {
      const client = await connected();
      expect(await client.listPrompts()).toMatchObject([{ name: 'greet', arguments: [{ name: 'style' }] }]);
      const messages = await client.getPrompt('greet', { style: 'plain' });
      expect(messages).toMatchObject([{ role: 'user', content: { text: 'Greet in plain' } }]);
    });

    test('completions', async () => {
      const client = await connected();
      const prompt = { type: 'ref/prompt' as const, name: 'greet' };
      expect(await client.complete(prompt, { name: 'style', value: 'po' })).toEqual(['poem']);
      const template = { type: 'ref/resource' as const, uri: 'test://items/{id}' };
      expect(await client.complete(template, { name: 'id', value: 't' })).toEqual(['two', 'three']);
    });

    test('progress', async () => {
      const client = await connected();
      const seen: number[] = [];
      const onprogress = ({ progress }: { progress: number }) => seen.push(progress);
      expect(await client.callTool('progress', { steps: 3 }, { onprogress })).toMatchObject({ content: text('done') });
      expect(seen).toEqual([1, 2, 3]);
    });

    test('H5 cancellation', async () => {
      const client = await connected();
      const file = join(folder, `${version}-cancelled`);
      const said = () => (existsSync(file) ? readFileSync(file, 'utf8') : '');
      const cancel = new AbortController();
      const call = client.callTool('cancellable', { file }, { signal: cancel.signal });
      call.catch(() => undefined);
      await until(() => said() === 'started');
      cancel.abort();
      await expect(call).rejects.toThrow();
      await until(() => said() === 'cancelled');
    });

    test('H4 elicitation', async () => {
      const client = await connected();
      expect(await client.callTool('elicit')).toMatchObject({ content: text('Hello Ada') });
    });

    test('H4 sampling', async () => {
      const client = await connected();
      const result = await client.callTool('sample', { question: 'What is it?' });
      expect(result).toMatchObject({ content: text('small: forty-two') });
    });

    test('H4 roots', async () => {
      const client = await connected();
      expect(await client.callTool('roots')).toMatchObject({ content: text('file:///home/ada') });
    });

    test('H4 asked at the address of all servers, too', async () => {
      const client = await connected('/mcp');
      expect(await client.callTool('table-elicit')).toMatchObject({ content: text('Hello Ada') });
    });

    test('H4 a client that cannot be asked does not hang', async () => {
      const client = await connected('/mcp/table', true);
      const outcome = await client.callTool('elicit').catch((error: unknown) => ({ isError: true, error }));
      expect(outcome).toMatchObject({ isError: true });
    });

    test('G10 list_changed', async () => {
      // one that cannot be asked shares its server with everybody, and so does the new tool
      const client = await connected('/mcp/table', true);
      let changes = 0;
      await client.onToolsChanged(() => {
        changes += 1;
      });
      const name = `fresh_${version.replaceAll('-', '_')}`;
      await client.callTool('add_tool', { name });
      await until(() => changes > 0);
      expect((await client.listTools()).map((tool) => tool.name)).toContain(name);
    });

    test('resource subscriptions', async () => {
      const client = await connected();
      const seen: string[] = [];
      await client.onResourceUpdated('test://note', (uri) => seen.push(uri));
      await client.callTool('touch', { uri: 'test://note' });
      await until(() => seen.length > 0);
      expect(seen[0]).toBe('test://note');
    });
  });
});
