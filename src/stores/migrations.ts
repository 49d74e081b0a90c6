import { type Kysely, type Migration, type MigrationProvider, Migrator } from 'kysely';

const createLogs: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('logs')
      .addColumn('number', 'integer', (column) => column.primaryKey())
      .addColumn('id', 'text', (column) => column.notNull().unique())
      .addColumn('parent_request_id', 'text')
      .addColumn('timestamp_ms', 'bigint', (column) => column.notNull())
      .addColumn('object', 'text', (column) => column.notNull())
      .addColumn('provider', 'text')
      .addColumn('model', 'text', (column) => column.notNull())
      .addColumn('requested_model', 'text', (column) => column.notNull())
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('stream', 'integer', (column) => column.notNull())
      .addColumn('latency_ms', 'double precision', (column) => column.notNull())
      .addColumn('first_token_ms', 'double precision')
      .addColumn('input_tokens', 'bigint')
      .addColumn('output_tokens', 'bigint')
      .addColumn('cache_read_tokens', 'bigint')
      .addColumn('cache_write_tokens', 'bigint')
      .addColumn('reasoning_tokens', 'bigint')
      .addColumn('total_tokens', 'bigint')
      .addColumn('cost_usd', 'double precision')
      .addColumn('stop_reason', 'text')
      .addColumn('key_name', 'text')
      .addColumn('virtual_key_id', 'text')
      .addColumn('virtual_key_name', 'text')
      .addColumn('retries', 'integer', (column) => column.notNull())
      .addColumn('fallback_index', 'integer', (column) => column.notNull())
      .addColumn('attempts', 'text')
      .addColumn('losses', 'text')
      .addColumn('error', 'text')
      .addColumn('user_agent', 'text')
      .addColumn('metadata', 'text')
      .addColumn('content_state', 'integer', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('log_contents')
      .addColumn('number', 'integer', (column) => column.primaryKey())
      .addColumn('request_codec', 'text')
      .addColumn('request', 'text')
      .addColumn('appended', 'text')
      .addColumn('response_codec', 'text')
      .addColumn('response', 'text')
      .execute();
    await db.schema.createIndex('logs_by_time').on('logs').column('timestamp_ms').execute();
    // most rows have no parent, and an index costs every row it holds
    await db.schema
      .createIndex('logs_by_parent')
      .on('logs')
      .column('parent_request_id')
      .where('parent_request_id', 'is not', null)
      .execute();
  },
};

const createMcpLogs: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('mcp_logs')
      .addColumn('number', 'integer', (column) => column.primaryKey())
      .addColumn('id', 'text', (column) => column.notNull().unique())
      .addColumn('llm_request_id', 'text')
      .addColumn('timestamp_ms', 'bigint', (column) => column.notNull())
      .addColumn('tool_name', 'text', (column) => column.notNull())
      .addColumn('server_label', 'text', (column) => column.notNull())
      .addColumn('virtual_key_id', 'text')
      .addColumn('virtual_key_name', 'text')
      .addColumn('latency_ms', 'double precision', (column) => column.notNull())
      .addColumn('cost_usd', 'double precision')
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('error', 'text')
      .addColumn('metadata', 'text')
      .addColumn('content_state', 'integer', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('mcp_log_contents')
      .addColumn('number', 'integer', (column) => column.primaryKey())
      .addColumn('arguments', 'text')
      .addColumn('result', 'text')
      .execute();
    await db.schema.createIndex('mcp_logs_by_time').on('mcp_logs').column('timestamp_ms').execute();
    await db.schema.createIndex('mcp_logs_by_request').on('mcp_logs').column('llm_request_id').execute();
  },
};

const addRawExchange: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable('log_contents').addColumn('raw_request', 'text').execute();
    await db.schema.alterTable('log_contents').addColumn('raw_response', 'text').execute();
  },
};

/** In the order of their names; what has shipped is never edited, only followed. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_logs': createLogs,
  '0002_mcp_logs': createMcpLogs,
  '0003_raw_exchange': addRawExchange,
};

const provider: MigrationProvider = { getMigrations: async () => ({ ...MIGRATIONS }) };

/** Kysely's own words for a step that is not among ours speak of a corruption. */
function ofNewerVersion(error: unknown): Error | undefined {
  const message = error instanceof Error ? error.message : '';
  const [, step] = /previously executed migration (\S+) is missing/.exec(message) ?? [];
  return step === undefined
    ? undefined
    : new Error(`a newer version of the gateway wrote it (${step}); run that one, or move the file away`, {
        cause: error,
      });
}

/** Brings a database to the newest schema; does nothing to one that has it. Throws what stopped a migration. */
export async function migrate<Schema>(db: Kysely<Schema>): Promise<void> {
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  if (error) throw ofNewerVersion(error) ?? error;
}
