import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { GrantStore, RegisteredClient, StoredGrant } from '../../src/model/oauth-grants.ts';
import { openGrantStore } from '../../src/stores/grant-store.ts';

let folder: string;
let store: GrantStore;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bifrost-grant-store-'));
  store = await opened();
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const opened = (now = 0) => openGrantStore({ path: join(folder, 'config.db'), encryptionKeys: [], now: () => now });

const client = (clientId: string, createdAtMs: number): RegisteredClient => ({
  clientId,
  name: clientId,
  redirectUris: ['https://a.b/c'],
  authMethod: 'none',
  secretHash: null,
  createdAtMs,
});

const grant = (id: string, clientId = 'client'): StoredGrant => ({
  id,
  clientId,
  clientName: 'Client',
  mode: 'vk',
  subject: 'vk-1',
  scope: 'mcp',
  resource: 'https://g/mcp',
  createdAtMs: 1,
  lastUsedAtMs: null,
});

test('a refresh token is renewed once, and known afterwards as spent', async () => {
  await store.addGrant(grant('one'), 'hash-1');
  expect(await store.grantOf('hash-1')).toEqual({ grant: grant('one'), isSpent: false });
  expect(await store.rotate('one', 'hash-1', 'hash-2', 5)).toBe(true);
  expect(await store.rotate('one', 'hash-1', 'hash-3', 6)).toBe(false);
  const used = { ...grant('one'), lastUsedAtMs: 5 };
  expect(await store.grantOf('hash-1')).toEqual({ grant: used, isSpent: true });
  expect(await store.grantOf('hash-2')).toEqual({ grant: used, isSpent: false });
  expect(await store.grantOf('hash-3')).toBeUndefined();
});

test('a revoked grant is neither listed nor found, and is revoked once', async () => {
  await store.addGrant(grant('one'), 'hash-1');
  expect(await store.revoke('one', 5)).toBe(true);
  expect(await store.revoke('one', 6)).toBe(false);
  expect(await store.grants()).toEqual([]);
  expect(await store.grantOf('hash-1')).toBeUndefined();
});

test('clients that never came to a grant do not pile up; those with one stay', async () => {
  await store.addClient(client('old', 1), 2);
  await store.addGrant(grant('one', 'old'), 'hash-1');
  for (const at of [2, 3, 4, 5]) await store.addClient(client(`idle-${at}`, at), 2);
  const known = await Promise.all(['old', 'idle-2', 'idle-3', 'idle-4', 'idle-5'].map((id) => store.client(id)));
  expect(known.map((one) => one?.clientId)).toEqual(['old', undefined, undefined, 'idle-4', 'idle-5']);
});

test('a secret that is kept once stays', async () => {
  expect(await store.keepSecret('key', { value: 1 })).toEqual({ value: 1 });
  expect(await store.keepSecret('key', { value: 2 })).toEqual({ value: 1 });
  expect(await store.secret('key')).toEqual({ value: 1 });
  expect(await store.secret('other')).toBeUndefined();
});

test('what is long over is forgotten at the next start, what lives is not', async () => {
  await store.addGrant(grant('over'), 'hash-1');
  await store.addGrant(grant('alive'), 'hash-2');
  await store.rotate('alive', 'hash-2', 'hash-3', 0);
  await store.revoke('over', 0);
  await store.close();
  store = await opened(31 * 24 * 60 * 60_000);
  expect(await store.grantOf('hash-2')).toBeUndefined();
  expect(await store.grantOf('hash-3')).toMatchObject({ isSpent: false });
  expect((await store.grants()).map(({ id }) => id)).toEqual(['alive']);
});
