import type { Database } from 'better-sqlite3';

/**
 * Runs `change` in a transaction that nobody else writes beside. Two gateways that start on one file would both make its
 * tables, and one would fail: for SQLite Kysely's migrator locks nothing. Throws SQLITE_BUSY while somebody else writes.
 */
export async function oneAtATime<Result>(database: Database, change: () => Promise<Result>): Promise<Result> {
  database.exec('begin immediate');
  try {
    const result = await change();
    database.exec('commit');
    return result;
  } catch (thrown) {
    if (database.inTransaction) database.exec('rollback');
    throw thrown;
  }
}
