import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { JsonObject } from '../model/json.ts';
import type { CredentialStore, PendingFlow, StoredCredential, StoredOauthConfig } from '../model/mcp-credentials.ts';
import { CREDENTIAL_MIGRATIONS } from './credential-migrations.ts';
import { openPrivateSqlite } from './private-sqlite.ts';
import { noSeal, openedObject, openSeal, type Seal, sealedObject } from './seal.ts';

interface CredentialRow {
  id: string;
  mcp_client_id: string;
  identity: string;
  kind: string;
  state: string;
  secret: string;
  expires_at_ms: number | null;
  created_at_ms: number;
  updated_at_ms: number;
}

interface OauthConfigRow {
  id: string;
  mcp_client_id: string;
  status: string;
  secret: string;
  created_at_ms: number;
  expires_at_ms: number;
}

interface FlowRow {
  id: string;
  kind: string;
  mcp_client_id: string;
  identity: string;
  oauth_config_id: string | null;
  state_hash: string | null;
  secret: string;
  expires_at_ms: number;
}

interface Schema {
  mcp_credentials: CredentialRow;
  oauth_configs: OauthConfigRow;
  mcp_login_flows: FlowRow;
  mcp_credential_facts: { name: string; value: string };
}

const SEALED_TABLES = ['mcp_credentials', 'oauth_configs', 'mcp_login_flows'] as const;

export interface CredentialStoreOptions {
  readonly path: string;
  /** The first seals; the others open what they have sealed once. None = everything is kept in plain text. */
  readonly encryptionKeys: readonly string[];
}

/**
 * Opens (or makes) the store of logins at `path`, for this user's eyes only. What was kept in plain text, or under an
 * older key, is sealed anew. Throws GatewayError when it is sealed with a key that is not given.
 */
export async function openCredentialStore({ path, encryptionKeys }: CredentialStoreOptions): Promise<CredentialStore> {
  return openPrivateSqlite(path, {
    prefix: 'mcp_login',
    migrations: CREDENTIAL_MIGRATIONS,
    open: async (db: Kysely<Schema>) => {
      const seal = await sealOf(db, encryptionKeys);
      await sealAnew(db, seal);
      return storeOf(db, seal);
    },
  });
}

async function sealOf(db: Kysely<Schema>, [current, ...older]: readonly string[]): Promise<Seal> {
  if (current === undefined) return noSeal();
  const fresh = randomBytes(16).toString('base64');
  await db
    .insertInto('mcp_credential_facts')
    .values({ name: 'salt', value: fresh })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const salt = await db
    .selectFrom('mcp_credential_facts')
    .select('value')
    .where('name', '=', 'salt')
    .executeTakeFirst();
  return openSeal([current, ...older], Buffer.from(salt?.value ?? fresh, 'base64'));
}

async function sealAnew(db: Kysely<Schema>, seal: Seal): Promise<void> {
  for (const table of SEALED_TABLES) {
    for (const { id, secret } of await db.selectFrom(table).select(['id', 'secret']).execute()) {
      const text = seal.open(secret);
      if (!seal.isOutdated(secret)) continue;
      await db
        .updateTable(table)
        .set({ secret: seal.seal(text) })
        .where('id', '=', id)
        .execute();
    }
  }
}

const storeOf = (db: Kysely<Schema>, seal: Seal): CredentialStore => ({
  ...credentialsIn(db, seal),
  ...oauthConfigsIn(db, seal),
  ...flowsIn(db, seal),
  async removeCredentialsOf(client) {
    await db.deleteFrom('mcp_credentials').where('mcp_client_id', '=', client).execute();
    await db.deleteFrom('mcp_login_flows').where('mcp_client_id', '=', client).execute();
    await db.deleteFrom('oauth_configs').where('mcp_client_id', '=', client).execute();
  },
  close: () => db.destroy(),
});

type Credentials = Pick<CredentialStore, 'credential' | 'credentialsOf' | 'putCredential'>;

function credentialsIn(db: Kysely<Schema>, seal: Seal): Credentials {
  const rowsOf = (client: string) => db.selectFrom('mcp_credentials').selectAll().where('mcp_client_id', '=', client);
  const credentialOf = (row: CredentialRow) => storedCredential(row, openedObject(seal, row.secret));
  return {
    async credential(client, identity) {
      const row = await rowsOf(client).where('identity', '=', identity).executeTakeFirst();
      return row && credentialOf(row);
    },
    credentialsOf: async (client) => (await rowsOf(client).execute()).map(credentialOf),
    async putCredential(credential) {
      const row = credentialRow(credential, sealedObject(seal, credential.secret));
      const { id: _, created_at_ms: __, ...changes } = row;
      await db
        .insertInto('mcp_credentials')
        .values(row)
        .onConflict((conflict) => conflict.columns(['mcp_client_id', 'identity']).doUpdateSet(changes))
        .execute();
    },
  };
}

type OauthConfigs = Pick<CredentialStore, 'oauthConfig' | 'oauthConfigOf' | 'putOauthConfig'>;

function oauthConfigsIn(db: Kysely<Schema>, seal: Seal): OauthConfigs {
  const rows = () => db.selectFrom('oauth_configs').selectAll();
  const configOf = (row: OauthConfigRow | undefined) => row && storedConfig(row, openedObject(seal, row.secret));
  return {
    oauthConfig: async (id) => configOf(await rows().where('id', '=', id).executeTakeFirst()),
    oauthConfigOf: async (client) =>
      configOf(await rows().where('mcp_client_id', '=', client).orderBy('created_at_ms', 'desc').executeTakeFirst()),
    async putOauthConfig(config) {
      const row = configRow(config, sealedObject(seal, config.secret));
      await db
        .insertInto('oauth_configs')
        .values(row)
        .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
        .execute();
    },
  };
}

type Flows = Pick<CredentialStore, 'flow' | 'putFlow' | 'takeFlow' | 'removeExpired'>;

function flowsIn(db: Kysely<Schema>, seal: Seal): Flows {
  const flowOf = (row: FlowRow | undefined) => row && storedFlow(row, openedObject(seal, row.secret));
  return {
    flow: async (id) =>
      flowOf(await db.selectFrom('mcp_login_flows').selectAll().where('id', '=', id).executeTakeFirst()),
    async putFlow(flow) {
      const row = flowRow(flow, sealedObject(seal, flow.secret));
      await db
        .insertInto('mcp_login_flows')
        .values(row)
        .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
        .execute();
    },
    async takeFlow(by) {
      const rows = db.deleteFrom('mcp_login_flows').returningAll();
      const found = 'id' in by ? rows.where('id', '=', by.id) : rows.where('state_hash', '=', by.stateHash);
      return flowOf(await found.executeTakeFirst());
    },
    async removeExpired(nowMs) {
      await db.deleteFrom('mcp_login_flows').where('expires_at_ms', '<', nowMs).execute();
    },
  };
}

const storedCredential = (row: CredentialRow, secret: JsonObject): StoredCredential => ({
  id: row.id,
  mcpClientId: row.mcp_client_id,
  identity: row.identity,
  // written by `credentialRow` only
  kind: row.kind as StoredCredential['kind'],
  state: row.state as StoredCredential['state'],
  secret,
  expiresAtMs: row.expires_at_ms,
  createdAtMs: row.created_at_ms,
  updatedAtMs: row.updated_at_ms,
});

const credentialRow = (credential: StoredCredential, secret: string): CredentialRow => ({
  id: credential.id,
  mcp_client_id: credential.mcpClientId,
  identity: credential.identity,
  kind: credential.kind,
  state: credential.state,
  secret,
  expires_at_ms: credential.expiresAtMs,
  created_at_ms: credential.createdAtMs,
  updated_at_ms: credential.updatedAtMs,
});

const storedConfig = (row: OauthConfigRow, secret: JsonObject): StoredOauthConfig => ({
  id: row.id,
  mcpClientId: row.mcp_client_id,
  // written by `configRow` only
  status: row.status as StoredOauthConfig['status'],
  secret,
  createdAtMs: row.created_at_ms,
  expiresAtMs: row.expires_at_ms,
});

const configRow = (config: StoredOauthConfig, secret: string): OauthConfigRow => ({
  id: config.id,
  mcp_client_id: config.mcpClientId,
  status: config.status,
  secret,
  created_at_ms: config.createdAtMs,
  expires_at_ms: config.expiresAtMs,
});

const storedFlow = (row: FlowRow, secret: JsonObject): PendingFlow => ({
  id: row.id,
  // written by `flowRow` only
  kind: row.kind as PendingFlow['kind'],
  mcpClientId: row.mcp_client_id,
  identity: row.identity,
  oauthConfigId: row.oauth_config_id,
  stateHash: row.state_hash,
  secret,
  expiresAtMs: row.expires_at_ms,
});

const flowRow = (flow: PendingFlow, secret: string): FlowRow => ({
  id: flow.id,
  kind: flow.kind,
  mcp_client_id: flow.mcpClientId,
  identity: flow.identity,
  oauth_config_id: flow.oauthConfigId,
  state_hash: flow.stateHash,
  secret,
  expires_at_ms: flow.expiresAtMs,
});
