import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { eventually, type Gateway, keyed, post, startGatewayHere, testServer } from '../support/gateway.ts';

let upstream: ChatUpstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await startChatUpstream(() => ({ text: 'hello' }));
  gateway = await startGatewayHere({
    client: { logging_headers: ['X-Team', 'Authorization'] },
    providers: { openai: keyed(upstream.url) },
    mcp: { client_configs: [testServer('ref')] },
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const HEADERS = { 'x-team': 'blue', 'x-bf-lh-run': '7', authorization: 'Bearer sk-secret', 'x-other': 'never' };

interface Page {
  readonly logs: readonly { readonly metadata?: object }[];
}

const firstOf = async (path: string): Promise<Page['logs'][number] | undefined> => {
  const { logs } = await eventually(
    async () => (await (await fetch(`${gateway.url}/api/${path}`)).json()) as Page,
    (page) => page.logs.length > 0,
  );
  return logs[0];
};

test('what logging_headers and x-bf-lh-* say stands in the records of models and of tools, and no key ever', async () => {
  const chat = { model: 'openai/gpt-4o', messages: [{ role: 'user', content: 'hi' }] };
  await post(`${gateway.url}/v1/chat/completions`, chat, HEADERS);
  const call = { id: 'c', type: 'function', function: { name: 'ref-echo', arguments: '{"value":"x"}' } };
  await post(`${gateway.url}/v1/mcp/tool/execute`, call, HEADERS);
  const metadata = { 'x-team': 'blue', run: '7' };
  expect((await firstOf('logs'))?.metadata).toEqual(metadata);
  expect((await firstOf('mcp-logs'))?.metadata).toEqual(metadata);
  expect((await firstOf('logs?metadata_run=7'))?.metadata).toEqual(metadata);
});

test('a request without such headers has no labels', async () => {
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'ref-echo', arguments: { value: 'y' } } };
  await post(`${gateway.url}/mcp`, call, { accept: 'application/json' });
  expect((await firstOf('mcp-logs?content_search=%22y%22'))?.metadata).toBeUndefined();
});
