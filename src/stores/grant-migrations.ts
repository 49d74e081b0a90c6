import type { Kysely, Migration } from 'kysely';

const createTables: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('oauth2_clients')
      .addColumn('client_id', 'text', (column) => column.primaryKey())
      .addColumn('details', 'text', (column) => column.notNull())
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('oauth2_grants')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('client_id', 'text', (column) => column.notNull())
      .addColumn('client_name', 'text', (column) => column.notNull())
      .addColumn('mode', 'text', (column) => column.notNull())
      .addColumn('subject', 'text', (column) => column.notNull())
      .addColumn('scope', 'text', (column) => column.notNull())
      .addColumn('resource', 'text', (column) => column.notNull())
      .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
      .addColumn('last_used_at_ms', 'bigint')
      .addColumn('revoked_at_ms', 'bigint')
      .execute();
    await db.schema
      .createTable('oauth2_refresh_tokens')
      .addColumn('hash', 'text', (column) => column.primaryKey())
      .addColumn('grant_id', 'text', (column) => column.notNull())
      .addColumn('spent_at_ms', 'bigint')
      .execute();
    await db.schema
      .createIndex('oauth2_refresh_tokens_of_grant')
      .on('oauth2_refresh_tokens')
      .column('grant_id')
      .execute();
    await db.schema
      .createTable('oauth2_facts')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('value', 'text', (column) => column.notNull())
      .execute();
  },
};

/** In the order of their names; what has shipped is never edited, only followed. */
export const GRANT_MIGRATIONS: Readonly<Record<string, Migration>> = { '0001_grants': createTables };
