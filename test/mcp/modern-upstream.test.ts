import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { McpClientConfig } from '../../src/config/schema.ts';
import type { ToolProgress } from '../../src/mcp/contract.ts';
import { callOf, clientConfig, firstText, serverFile, startedClients, until } from '../support/mcp-clients.ts';
import { type ModernHttpServer, startModernHttpServer } from '../support/mcp-servers/modern-http.mjs';

const started = startedClients();
const servers: ModernHttpServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function overHttp(): Promise<McpClientConfig> {
  const server = await startModernHttpServer();
  servers.push(server);
  return clientConfig({ name: 'new', connection_type: 'http', connection_string: server.url });
}

const overStdio = (...args: string[]): McpClientConfig =>
  clientConfig({
    name: 'new',
    connection_type: 'stdio',
    stdio_config: { command: process.execPath, args: [serverFile('modern-stdio.mjs'), ...args] },
  });

describe.each([
  ['HTTP', overHttp],
  ['stdio', async () => overStdio()],
])('a server that speaks 2026-07-28 only, over %s', (_, config) => {
  test('is connected, listed and called', async () => {
    const { clients } = await started([await config()]);
    const [status] = clients.statuses();
    expect(status).toMatchObject({ state: 'healthy', serverInfo: { name: 'table', version: '2.0.0' } });
    expect(clients.catalog.byName.get('new-echo')?.annotations).toEqual({ readOnlyHint: true });
    const result = await clients.call(callOf('new-echo', { value: 'hi' }));
    expect(result).toMatchObject({ content: [{ type: 'text', text: 'hi' }] });
    expect(result).not.toHaveProperty('resultType');
  });

  test('is told who asks, in each request', async () => {
    const { clients } = await started([await config()]);
    const envelope: unknown = JSON.parse(firstText(await clients.call(callOf('new-meta'))));
    expect(envelope).toMatchObject({
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    });
  });

  test('G1 has its progress passed on', async () => {
    const { clients } = await started([await config()]);
    const seen: ToolProgress[] = [];
    const onProgress = (progress: ToolProgress) => seen.push(progress);
    await clients.call(callOf('new-progress', { steps: 3 }, { onProgress }));
    expect(seen).toEqual([1, 2, 3].map((progress) => ({ progress, total: 3 })));
  });

  test('H5 is told of a cancelled call', async () => {
    const { clients } = await started([await config()]);
    const file = join(mkdtempSync(join(tmpdir(), 'eras-')), 'state');
    const cancel = new AbortController();
    const call = clients.call(callOf('new-cancellable', { file }, { signal: cancel.signal }));
    const said = () => {
      try {
        return readFileSync(file, 'utf8');
      } catch {
        return '';
      }
    };
    await until(() => said() === 'started');
    cancel.abort();
    await expect(call).rejects.toMatchObject({ kind: 'cancelled' });
    await until(() => said() === 'cancelled');
  });

  test('G10 has its new tools listed', async () => {
    const { clients } = await started([await config()]);
    await clients.call(callOf('new-add_tool', { name: 'fresh' }));
    await until(() => clients.catalog.byName.has('new-fresh'));
    expect(firstText(await clients.call(callOf('new-fresh')))).toBe('extra fresh');
  });

  test('fails a call for which nobody can be asked, and says why', async () => {
    const { clients } = await started([await config()]);
    await expect(clients.call(callOf('new-elicit'))).rejects.toThrow(/capabilit/i);
  });

  test('has its completions from the gateway, where the config says so and the caller has none', async () => {
    const { clients } = await started([{ ...(await config()), sampling: LENT }]);
    clients.relay.answerSampling = async ({ name }, { maxTokens }) => ({
      role: 'assistant',
      model: name,
      content: { type: 'text', text: `at most ${maxTokens} tokens` },
    });
    expect(firstText(await clients.call(callOf('new-sample', { question: 'What?' })))).toBe('new: at most 10 tokens');
  });
});

const LENT = { enabled: true, model: 'openai/gpt-4o', max_tokens: 100, max_depth: 5 };
