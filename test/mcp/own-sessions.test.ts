import { afterEach, expect, test } from 'vitest';
import type { Peer } from '../../src/mcp/peer.ts';
import { callOf, clientConfig, newClients, nobody, serverFile, until } from '../support/mcp-clients.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

/** A client session at /mcp/pipe that answers for its roots. */
const peer = (name: string, roots = true): Peer => ({
  capabilities: roots ? { roots: {} } : {},
  identity: { name },
  hasSession: true,
  scope: 'pipe',
  ask: async () => ({ roots: [{ uri: `file:///${name}` }] }),
  tell: () => undefined,
});

async function started(limits: { maxSessions?: number; idleMs?: number }) {
  const stdio_config = { command: process.execPath, args: [serverFile('everything-like.mjs')] };
  const { clients } = newClients([clientConfig({ name: 'pipe', connection_type: 'stdio', stdio_config })], {
    ownSessions: limits,
  });
  open.push(clients);
  await clients.start();
  const rootsOf = async (asked: Peer) => {
    const { content } = await clients.call(callOf('pipe-roots', {}, { peer: asked }));
    return content[0]?.text;
  };
  return { clients, rootsOf };
}

test('G8 the calls of one client session share a server of its own', async () => {
  const { clients, rootsOf } = await started({});
  const [ann, bob] = [peer('ann'), peer('bob')];
  expect(await Promise.all([rootsOf(ann), rootsOf(bob), rootsOf(ann)])).toEqual([
    '{"roots":[{"uri":"file:///ann"}]}',
    '{"roots":[{"uri":"file:///bob"}]}',
    '{"roots":[{"uri":"file:///ann"}]}',
  ]);
  expect(clients.ownSessions).toBe(2);
  clients.servers.forget(ann.identity);
  expect(clients.ownSessions).toBe(1);
});

test('G4 beyond the cap sessions share, and an idle one is given up', async () => {
  const { clients, rootsOf } = await started({ maxSessions: 1, idleMs: 30 });
  await rootsOf(peer('ann'));
  expect(await rootsOf(peer('bob'))).toBe('{"roots":[{"uri":"file:///bob"}]}');
  await until(() => clients.ownSessions === 0);
  expect(await rootsOf(peer('eve'))).toBe('{"roots":[{"uri":"file:///eve"}]}');
});

test('who has nothing to be asked for shares', async () => {
  const { clients } = await started({});
  await clients.call(callOf('pipe-test_simple_text', {}, { peer: peer('ann', false) }));
  await clients.call(callOf('pipe-test_simple_text', {}, { caller: nobody }));
  expect(clients.ownSessions).toBe(0);
});
