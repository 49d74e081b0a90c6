import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { GrantStore, RegisteredClient, StoredGrant } from '../model/oauth-grants.ts';
import { GRANT_MIGRATIONS } from './grant-migrations.ts';
import { openPrivateSqlite } from './private-sqlite.ts';
import { noSeal, openedObject, openSeal, type Seal, type SealedThings, sealedObject } from './seal.ts';

interface GrantRow {
  id: string;
  client_id: string;
  client_name: string;
  mode: string;
  subject: string;
  scope: string;
  resource: string;
  created_at_ms: number;
  last_used_at_ms: number | null;
  revoked_at_ms: number | null;
}

interface Schema {
  oauth2_clients: { client_id: string; details: string; created_at_ms: number };
  oauth2_grants: GrantRow;
  oauth2_refresh_tokens: { hash: string; grant_id: string; spent_at_ms: number | null };
  oauth2_facts: { name: string; value: string };
}

export interface GrantStoreOptions {
  readonly path: string;
  /** The first seals; the others open what they have sealed once. None = secrets are kept in plain text. */
  readonly encryptionKeys: readonly string[];
  readonly now?: () => number;
}

/** How long it is remembered that a token was spent, or a grant revoked. */
const REMEMBERED_MS = 30 * 24 * 60 * 60_000;
const SALT = 'salt';
const THINGS: SealedThings = {
  what: 'the secrets of signing in at /mcp',
  otherwise: 'remove the rows of the table oauth2_facts, upon which everybody signs in again',
};

/**
 * Opens (or makes) the store of grants at `path`, for this user's eyes only. Throws GatewayError when its secrets were
 * sealed with a key that is not given.
 */
export async function openGrantStore(options: GrantStoreOptions): Promise<GrantStore> {
  const { path, encryptionKeys, now = Date.now } = options;
  return openPrivateSqlite(path, {
    prefix: 'oauth2',
    migrations: GRANT_MIGRATIONS,
    open: async (db: Kysely<Schema>) => {
      const seal = await sealOf(db, encryptionKeys);
      await sealAnew(db, seal);
      await forgetOld(db, now() - REMEMBERED_MS);
      return storeOf(db, seal);
    },
  });
}

async function sealOf(db: Kysely<Schema>, [current, ...older]: readonly string[]): Promise<Seal> {
  if (current === undefined) return noSeal(THINGS);
  const salt = await kept(db, SALT, randomBytes(16).toString('base64'));
  return openSeal([current, ...older], Buffer.from(salt, 'base64'), THINGS);
}

async function kept(db: Kysely<Schema>, name: string, value: string): Promise<string> {
  const facts = db.insertInto('oauth2_facts').values({ name, value });
  await facts.onConflict((conflict) => conflict.doNothing()).execute();
  const row = await db.selectFrom('oauth2_facts').select('value').where('name', '=', name).executeTakeFirst();
  return row?.value ?? value;
}

async function sealAnew(db: Kysely<Schema>, seal: Seal): Promise<void> {
  for (const { name, value } of await db.selectFrom('oauth2_facts').selectAll().where('name', '!=', SALT).execute()) {
    const text = seal.open(value);
    if (!seal.isOutdated(value)) continue;
    await db
      .updateTable('oauth2_facts')
      .set({ value: seal.seal(text) })
      .where('name', '=', name)
      .execute();
  }
}

async function forgetOld(db: Kysely<Schema>, beforeMs: number): Promise<void> {
  await db.deleteFrom('oauth2_grants').where('revoked_at_ms', '<', beforeMs).execute();
  const known = db.selectFrom('oauth2_grants').select('id');
  await db
    .deleteFrom('oauth2_refresh_tokens')
    .where((where) => where.or([where('spent_at_ms', '<', beforeMs), where('grant_id', 'not in', known)]))
    .execute();
}

const storeOf = (db: Kysely<Schema>, seal: Seal): GrantStore => ({
  ...secretsIn(db, seal),
  ...clientsIn(db),
  ...grantsIn(db),
  close: () => db.destroy(),
});

const secretsIn = (db: Kysely<Schema>, seal: Seal): Pick<GrantStore, 'secret' | 'keepSecret'> => ({
  async secret(name) {
    const row = await db.selectFrom('oauth2_facts').select('value').where('name', '=', name).executeTakeFirst();
    return row && openedObject(seal, row.value);
  },
  async keepSecret(name, value) {
    return openedObject(seal, await kept(db, name, sealedObject(seal, value)));
  },
});

const clientsIn = (db: Kysely<Schema>): Pick<GrantStore, 'client' | 'addClient'> => ({
  async client(id) {
    const rows = db.selectFrom('oauth2_clients').select('details').where('client_id', '=', id);
    const row = await rows.executeTakeFirst();
    // written by `addClient` only
    return row && (JSON.parse(row.details) as RegisteredClient);
  },
  async addClient(client, maxIdle) {
    const { clientId: client_id, createdAtMs: created_at_ms } = client;
    const row = { client_id, details: JSON.stringify(client), created_at_ms };
    await db.insertInto('oauth2_clients').values(row).execute();
    await forgetIdleClients(db, maxIdle);
  },
});

type Grants = Pick<GrantStore, 'grants' | 'addGrant' | 'grantOf' | 'rotate' | 'revoke'>;

const grantsIn = (db: Kysely<Schema>): Grants => ({
  async grants() {
    const rows = db.selectFrom('oauth2_grants').selectAll().where('revoked_at_ms', 'is', null);
    return (await rows.orderBy('created_at_ms', 'desc').orderBy('id').execute()).map(grantOf);
  },
  async addGrant(grant, hash) {
    await db.transaction().execute(async (inside) => {
      await inside.insertInto('oauth2_grants').values(rowOf(grant)).execute();
      await addToken(inside, hash, grant.id);
    });
  },
  async grantOf(hash) {
    const row = await db
      .selectFrom('oauth2_refresh_tokens')
      .innerJoin('oauth2_grants', 'oauth2_grants.id', 'oauth2_refresh_tokens.grant_id')
      .selectAll('oauth2_grants')
      .select('spent_at_ms')
      .where('hash', '=', hash)
      .where('revoked_at_ms', 'is', null)
      .executeTakeFirst();
    return row && { grant: grantOf(row), isSpent: row.spent_at_ms !== null };
  },
  rotate: (grantId, hash, nextHash, nowMs) =>
    db.transaction().execute(async (inside) => {
      const spent = await inside
        .updateTable('oauth2_refresh_tokens')
        .set({ spent_at_ms: nowMs })
        .where('hash', '=', hash)
        .where('spent_at_ms', 'is', null)
        .executeTakeFirst();
      if (spent.numUpdatedRows === 0n) return false;
      await addToken(inside, nextHash, grantId);
      await inside.updateTable('oauth2_grants').set({ last_used_at_ms: nowMs }).where('id', '=', grantId).execute();
      return true;
    }),
  async revoke(id, nowMs) {
    const revoked = await db
      .updateTable('oauth2_grants')
      .set({ revoked_at_ms: nowMs })
      .where('id', '=', id)
      .where('revoked_at_ms', 'is', null)
      .executeTakeFirst();
    return revoked.numUpdatedRows > 0n;
  },
});

async function addToken(db: Kysely<Schema>, hash: string, grantId: string): Promise<void> {
  const token = { hash, grant_id: grantId, spent_at_ms: null };
  await db.insertInto('oauth2_refresh_tokens').values(token).execute();
}

/** Anybody may register: what never came to a grant must not pile up. */
async function forgetIdleClients(db: Kysely<Schema>, maxIdle: number): Promise<void> {
  const granted = db.selectFrom('oauth2_grants').select('client_id').where('revoked_at_ms', 'is', null);
  const surplus = db
    .selectFrom('oauth2_clients')
    .select('client_id')
    .where('client_id', 'not in', granted)
    .orderBy('created_at_ms', 'desc')
    .orderBy('client_id')
    .limit(-1)
    .offset(maxIdle);
  await db.deleteFrom('oauth2_clients').where('client_id', 'in', surplus).execute();
}

const grantOf = (row: GrantRow): StoredGrant => ({
  id: row.id,
  clientId: row.client_id,
  clientName: row.client_name,
  // written by `rowOf` only
  mode: row.mode as StoredGrant['mode'],
  subject: row.subject,
  scope: row.scope,
  resource: row.resource,
  createdAtMs: row.created_at_ms,
  lastUsedAtMs: row.last_used_at_ms,
});

const rowOf = (grant: StoredGrant): GrantRow => ({
  id: grant.id,
  client_id: grant.clientId,
  client_name: grant.clientName,
  mode: grant.mode,
  subject: grant.subject,
  scope: grant.scope,
  resource: grant.resource,
  created_at_ms: grant.createdAtMs,
  last_used_at_ms: grant.lastUsedAtMs,
  revoked_at_ms: null,
});
