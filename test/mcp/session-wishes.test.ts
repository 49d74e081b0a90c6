import { afterEach, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { eventually } from '../support/gateway.ts';
import { callOf, clientConfig, newClients, nobody } from '../support/mcp-clients.ts';
import { startEverythingLike } from '../support/mcp-servers/everything-like.mjs';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

test('G10 after a reconnect the server is asked again for subscriptions and the log level', async () => {
  const first = await startEverythingLike();
  const { clients } = newClients([
    clientConfig({ name: 'http', connection_type: 'http', connection_string: first.url }),
  ]);
  closing.push(() => clients.close());
  await clients.start();
  const peer = {
    capabilities: {},
    identity: {},
    hasSession: true,
    ask: async () => ({}),
    tell: () => undefined,
  };
  const { signal } = new AbortController();
  const ask = (method: string, params: JsonObject) =>
    clients.servers.ask({ client: 'http', method, params, caller: nobody, signal, peer });
  await ask('resources/subscribe', { uri: 'test://watched-resource' });
  await ask('resources/subscribe', { uri: 'test://static-text' });
  await ask('resources/unsubscribe', { uri: 'test://static-text' });
  await ask('logging/setLevel', { level: 'warning' });

  await first.close();
  const second = await startEverythingLike({ port: Number(new URL(first.url).port) });
  closing.push(() => second.close());
  const state = async () => {
    const { content } = await clients.call(callOf('http-state')).catch(() => ({ content: [] }));
    return JSON.parse(String(content[0]?.text ?? '{}')) as { subscriptions?: string[]; level?: string };
  };
  const asked = await eventually(state, ({ subscriptions, level }) => subscriptions?.length === 1 && level !== '');
  expect(asked).toMatchObject({ subscriptions: ['test://watched-resource'], level: 'warning' });
});
