import { afterEach, expect, test } from 'vitest';
import type { Peer } from '../../src/mcp/peer.ts';
import { eventually } from '../support/gateway.ts';
import { callOf, clientConfig, newClients, nobody, serverFile, until } from '../support/mcp-clients.ts';
import { startEverythingLike } from '../support/mcp-servers/everything-like.mjs';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A client session at /mcp/own that hears of resources. */
const listener = (): Peer => ({
  capabilities: { roots: {} },
  identity: {},
  hasSession: true,
  scope: 'own',
  ask: async () => ({ roots: [] }),
  tell: () => undefined,
});

async function started(config: object) {
  const { clients } = newClients([clientConfig({ name: 'own', ...config })], {
    ownSessions: { reopenMs: 20, idleMs: 30 },
  });
  closing.push(() => clients.close());
  await clients.start();
  const peer = listener();
  const { signal } = new AbortController();
  const subscribe = () =>
    clients.servers.ask({
      client: 'own',
      method: 'resources/subscribe',
      params: { uri: 'test://watched-resource' },
      caller: nobody,
      signal,
      peer,
    });
  const state = async () => {
    const { content } = await clients.call(callOf('own-state', {}, { peer }));
    return JSON.parse(String(content[0]?.text)) as { subscriptions: string[] };
  };
  return { clients, peer, subscribe, state };
}

const stdio = {
  connection_type: 'stdio',
  stdio_config: { command: process.execPath, args: [serverFile('everything-like.mjs')] },
};

test('G10 a session that somebody listens to is not given up for want of calls', async () => {
  const { clients, peer, subscribe, state } = await started(stdio);
  await state();
  await until(() => clients.ownSessions === 0);
  await subscribe();
  await new Promise((resolve) => setTimeout(resolve, 120));
  expect(clients.ownSessions).toBe(1);
  expect(await state()).toMatchObject({ subscriptions: ['test://watched-resource'] });
  clients.servers.forget(peer.identity);
  expect(clients.ownSessions).toBe(0);
});

test.each([true, false])(
  'G10 what was asked of a lost session is asked of the next one (stickiness: %s)',
  async (sticky) => {
    const first = await startEverythingLike();
    const config = { connection_type: 'http', connection_string: first.url, needs_session_stickiness: sticky };
    const { clients, subscribe, state } = await started(config);
    await subscribe();
    expect(await state()).toMatchObject({ subscriptions: ['test://watched-resource'] });
    await first.close();
    const second = await startEverythingLike({ port: Number(new URL(first.url).port) });
    closing.push(() => second.close());
    const found = await eventually(
      () => state().catch(() => ({ subscriptions: [] as string[] })),
      ({ subscriptions }) => subscriptions.length === 1,
    );
    expect(found.subscriptions).toEqual(['test://watched-resource']);
    expect(clients.ownSessions).toBe(1);
  },
);

test('G10 a session that is lost while nobody calls is opened anew for who listens', async () => {
  const first = await startEverythingLike();
  const config = { connection_type: 'http', connection_string: first.url, needs_session_stickiness: false };
  const { subscribe } = await started(config);
  await subscribe();
  await first.close();
  const second = await startEverythingLike({ port: Number(new URL(first.url).port) });
  closing.push(() => second.close());
  await until(() => second.sessions.size > 0);
  expect(second.sessions.size).toBe(1);
});
