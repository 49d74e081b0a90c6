import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, type Gateway, post, startGatewayHere, testServer } from '../support/gateway.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGatewayHere({ mcp: { client_configs: [testServer('ref')] } });
});
afterAll(() => gateway.stop());

async function initialized(): Promise<string> {
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
  const response = await post(`${gateway.url}/mcp`, { jsonrpc: '2.0', id: 0, method: 'initialize', params });
  return response.headers.get('mcp-session-id') ?? '';
}

interface Listening {
  heard: string;
  isOpen: boolean;
  leave(): void;
}

async function listening(session?: string): Promise<Listening> {
  const left = new AbortController();
  const headers = { accept: 'text/event-stream', ...(session !== undefined && { 'mcp-session-id': session }) };
  const response = await fetch(`${gateway.url}/mcp`, { headers, signal: left.signal });
  expect(response.status).toBe(200);
  const stream: Listening = { heard: '', isOpen: true, leave: () => left.abort() };
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) stream.heard += decoder.decode(chunk, { stream: true });
  };
  void read()
    .catch(() => undefined)
    .finally(() => {
      stream.isOpen = false;
    });
  return stream;
}

const addTool = (name: string) =>
  post(
    `${gateway.url}/mcp`,
    { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'ref-add_tool', arguments: { name } } },
    { accept: 'application/json' },
  );

test('a session has four streams at a time: one more ends the oldest, and the newest alone is told', async () => {
  const session = await initialized();
  const streams: Listening[] = [];
  for (let count = 0; count < 6; count += 1) streams.push(await listening(session));
  await eventually(
    async () => streams.map(({ isOpen }) => isOpen),
    (open) => open.join() === 'false,false,true,true,true,true',
  );
  await addTool('for_the_newest');
  await eventually(
    async () => streams.map(({ heard }) => heard.includes('list_changed')),
    (heard) => heard.join() === 'false,false,false,false,false,true',
  );
  for (const { leave } of streams) leave();
});

test('streams without a session are nobody’s but their own, and each is told', async () => {
  const streams = [await listening(), await listening(), await listening(), await listening(), await listening()];
  await addTool('for_all');
  await eventually(
    async () => streams.filter(({ heard, isOpen }) => isOpen && heard.includes('list_changed')).length,
    (told) => told === 5,
  );
  for (const { leave } of streams) leave();
});
