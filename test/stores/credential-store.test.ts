import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CredentialStore, StoredCredential } from '../../src/model/mcp-credentials.ts';
import { openCredentialStore } from '../../src/stores/credential-store.ts';
import { openSeal } from '../../src/stores/seal.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bifrost-credentials-'));
  path = join(folder, 'config.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

const credential: StoredCredential = {
  id: 'a',
  mcpClientId: 'client',
  identity: 'shared',
  kind: 'oauth',
  state: 'active',
  secret: { accessToken: 'very-secret-token' },
  expiresAtMs: 5,
  createdAtMs: 1,
  updatedAtMs: 1,
};

async function using<Result>(keys: string[], work: (store: CredentialStore) => Promise<Result>): Promise<Result> {
  const store = await openCredentialStore({ path, encryptionKeys: keys });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

const kept = (keys: string[]) => using(keys, (store) => store.credential('client', 'shared'));

test('what was kept in plain text is sealed once there is a key, and under a new key once that comes first', async () => {
  await using([], (store) => store.putCredential(credential));
  expect(readFileSync(path, 'latin1')).toContain('very-secret-token');
  expect(await kept(['first'])).toEqual(credential);
  expect(await kept(['second', 'first'])).toEqual(credential);
  expect(await kept(['second'])).toEqual(credential);
});

test.each([[[]], [['another']]])(
  'with the keys %j the sealed logins cannot be read, and it is said why',
  async (keys) => {
    await using(['first'], (store) => store.putCredential(credential));
    await expect(kept(keys)).rejects.toThrow(/encryption_key they were written with/);
  },
);

test('one login for each client and identity; the later one stays under the first id', async () => {
  await using(['key'], async (store) => {
    await store.putCredential(credential);
    await store.putCredential({ ...credential, id: 'b', state: 'needs_reauth', updatedAtMs: 9 });
    expect(await store.credentialsOf('client')).toEqual([{ ...credential, state: 'needs_reauth', updatedAtMs: 9 }]);
    await store.removeCredentialsOf('client');
    expect(await store.credential('client', 'shared')).toBeUndefined();
  });
});

test('a flow is taken once', async () => {
  const flow = {
    id: 'flow',
    kind: 'oauth' as const,
    mcpClientId: 'client',
    identity: 'shared',
    oauthConfigId: 'config',
    stateHash: 'hash',
    secret: { codeVerifier: 'verifier' },
    expiresAtMs: 10,
  };
  await using(['key'], async (store) => {
    await store.putFlow(flow);
    const both = await Promise.all([store.takeFlow({ stateHash: 'hash' }), store.takeFlow({ stateHash: 'hash' })]);
    expect(both.filter((taken) => taken !== undefined)).toEqual([flow]);
    await store.putFlow(flow);
    await store.removeExpired(11);
    expect(await store.flow('flow')).toBeUndefined();
  });
});

test('sealed text that was changed is not opened', async () => {
  const seal = await openSeal(['key'], Buffer.alloc(16));
  const sealed = seal.seal('{"a":1}');
  expect(sealed).toMatch(/^v1\.[0-9a-f]{12}\./);
  expect(seal.seal('{"a":1}')).not.toBe(sealed);
  expect(seal.open(sealed)).toBe('{"a":1}');
  const pieces = sealed.split('.');
  const changed = [...pieces.slice(0, 4), Buffer.from('{"a":2}').toString('base64url')].join('.');
  expect(() => seal.open(changed)).toThrow(/changed/);
});

test('a file that is no database is not taken for one', async () => {
  writeFileSync(path, 'something else, longer than a header of a database would be, and no SQLite at all');
  await expect(kept([])).rejects.toThrow();
});
