import Database from 'better-sqlite3';
import { Kysely, type Migration, Migrator, SqliteDialect } from 'kysely';
import { makePrivate } from './private-file.ts';

/** Tables that share their file with others. */
export interface PrivateTables<Schema, Store> {
  /** Before the names of their own count of migrations. */
  readonly prefix: string;
  /** In the order of their names; what has shipped is never edited, only followed. */
  readonly migrations: Readonly<Record<string, Migration>>;
  readonly open: (db: Kysely<Schema>) => Promise<Store>;
}

/** Opens (or makes) tables in the file at `path`, in the newest schema and for this user's eyes only. Throws what `open` throws. */
export async function openPrivateSqlite<Schema, Store>(
  path: string,
  { prefix, migrations, open }: PrivateTables<Schema, Store>,
): Promise<Store> {
  makePrivate(path);
  const database = new Database(path);
  try {
    database.pragma('journal_mode = WAL');
    database.pragma('busy_timeout = 2000');
    const db = new Kysely<Schema>({ dialect: new SqliteDialect({ database }) });
    const { error } = await new Migrator({
      db,
      provider: { getMigrations: async () => ({ ...migrations }) },
      migrationTableName: `${prefix}_migrations`,
      migrationLockTableName: `${prefix}_migration_lock`,
    }).migrateToLatest();
    if (error) throw error;
    return await open(db);
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}
