import type { Kysely, Migration } from 'kysely';

const createTables: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('mcp_credentials')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('mcp_client_id', 'text', (column) => column.notNull())
      .addColumn('identity', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('secret', 'text', (column) => column.notNull())
      .addColumn('expires_at_ms', 'bigint')
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
      .addUniqueConstraint('one_login_each', ['mcp_client_id', 'identity'])
      .execute();
    await db.schema
      .createTable('oauth_configs')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('mcp_client_id', 'text', (column) => column.notNull())
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('secret', 'text', (column) => column.notNull())
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('mcp_login_flows')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('mcp_client_id', 'text', (column) => column.notNull())
      .addColumn('identity', 'text', (column) => column.notNull())
      .addColumn('oauth_config_id', 'text')
      .addColumn('state_hash', 'text', (column) => column.unique())
      .addColumn('secret', 'text', (column) => column.notNull())
      .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('mcp_credential_facts')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('value', 'text', (column) => column.notNull())
      .execute();
  },
};

/** In the order of their names; what has shipped is never edited, only followed. */
export const CREDENTIAL_MIGRATIONS: Readonly<Record<string, Migration>> = { '0001_logins': createTables };
