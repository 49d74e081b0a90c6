import { afterEach, expect, test } from 'vitest';
import { type Connect, legacyClient, modernClient } from '../support/era-clients.ts';
import { startGatewayHere } from '../support/gateway.ts';
import { until } from '../support/mcp-clients.ts';
import { startBothErasServer } from '../support/mcp-servers/both-eras-http.mjs';
import { startModernHttpServer } from '../support/mcp-servers/modern-http.mjs';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** The gateway with this server as its client `table`, and whoever connects to `/mcp/table`. */
async function inFrontOf(server: { readonly url: string; close(): Promise<void> }) {
  closing.push(() => server.close());
  const rules = { name: 'table', tools_to_execute: ['*'] };
  const gateway = await startGatewayHere({
    mcp: { client_configs: [{ ...rules, connection_type: 'http', connection_string: server.url }] },
  });
  closing.push(() => gateway.stop());
  return async (connect: Connect, options?: { mute?: boolean }) => {
    const client = await connect(`${gateway.url}/mcp/table`, options);
    closing.push(() => client.close());
    return client;
  };
}

const times = (requests: readonly { readonly rpc?: string }[], method: string): number =>
  requests.filter(({ rpc }) => rpc === method).length;

test('a client that can be asked is served in its own era by a server that has sessions in both', async () => {
  const server = await startBothErasServer();
  const connected = await inFrontOf(server);
  const [older, newer] = [await connected(legacyClient), await connected(modernClient)];
  expect(await older.callTool('elicit')).toMatchObject({ content: [{ text: 'Hello Ada' }] });
  expect([times(server.older, 'tools/call'), times(server.newer, 'tools/call')]).toEqual([1, 0]);
  expect(await newer.callTool('elicit')).toMatchObject({ content: [{ text: 'Hello Ada' }] });
  expect(times(server.older, 'tools/call')).toBe(1);
  expect(times(server.newer, 'tools/call')).toBeGreaterThan(0);
});

test('so are subscriptions, whoever makes them', async () => {
  const server = await startBothErasServer();
  const connected = await inFrontOf(server);
  const client = await connected(legacyClient, { mute: true });
  await client.callTool('echo', { value: 'shared' });
  expect([times(server.older, 'tools/call'), times(server.newer, 'tools/call')]).toEqual([0, 1]);
  const seen: string[] = [];
  await client.onResourceUpdated('test://note', (uri) => seen.push(uri));
  expect(times(server.older, 'resources/subscribe')).toBe(1);
  await client.callTool('touch', { uri: 'test://note' });
  await until(() => seen.length > 0);
});

test('a server that has no sessions is asked for one once, and serves older clients in the newer era', async () => {
  const server = await startModernHttpServer();
  const connected = await inFrontOf(server);
  for (const client of [await connected(legacyClient), await connected(legacyClient)])
    expect(await client.callTool('elicit')).toMatchObject({ content: [{ text: 'Hello Ada' }] });
  expect(times(server.requests, 'initialize')).toBe(1);
});
