import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import type { LogDriver } from './log-driver.ts';
import { migrate } from './migrations.ts';
import { oneAtATime } from './one-at-a-time.ts';
import {
  CONTENT_COLUMNS,
  CONTENT_TABLE,
  FACT_COLUMNS,
  type LogSchema,
  type LogTable,
  PROCESSING,
  type Row,
} from './schema.ts';

/** Short, for the thread hears nothing else meanwhile; whoever writes tries again. */
const BUSY_TIMEOUT_MS = 250;
const WAL_LIMIT_BYTES = 64 * 1024 * 1024;
/** A text of 100 KB costs 190 us in such pages and 390 in SQLite's usual ones of 4 KiB; small rows cost the same. */
const PAGE_BYTES = 16_384;
/** 8 MiB: some milliseconds of work, so that no write waits for long behind it. */
const PAGES_GIVEN_BACK_AT_ONCE = 512;

/** Opens (or makes) the log database at `path`, of any age, in the newest schema. Throws what SQLite says of the file. */
export async function openSqlite(path: string): Promise<LogDriver> {
  const database = new Database(path);
  try {
    configure(database);
    const db = new Kysely<LogSchema>({ dialect: new SqliteDialect({ database }) });
    await oneAtATime(database, () => migrate(db));
    return driverOf(path, database, db);
  } catch (error) {
    database.close();
    throw error;
  }
}

function configure(database: Database.Database): void {
  // Both take effect only before the first table, and before WAL writes the first page (sqlite.org/pragma.html).
  database.pragma(`page_size = ${PAGE_BYTES}`);
  database.pragma('auto_vacuum = incremental');
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = NORMAL');
  database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
  database.pragma(`journal_size_limit = ${WAL_LIMIT_BYTES}`);
}

function driverOf(path: string, database: Database.Database, db: Kysely<LogSchema>): LogDriver {
  const inserts = { logs: inserter(database, 'logs'), mcp_logs: inserter(database, 'mcp_logs') };
  const pragma = (name: string): number => Number(database.pragma(name, { simple: true }));
  const file = fileAt(path);
  const isGone = () => fileAt(path) !== file;
  return {
    db,
    isGone,
    insert: async (table, rows) => inserts[table](rows),
    usedBytes: async () =>
      (pragma('page_count') - pragma('freelist_count')) * pragma('page_size') + sizeOf(`${path}-wal`),
    giveBackSpace: async () => {
      // what waits in the journal is space too, and is given back only by a checkpoint that empties the file
      database.pragma('wal_checkpoint(TRUNCATE)');
      database.pragma(`incremental_vacuum(${PAGES_GIVEN_BACK_AT_ONCE})`);
      return pragma('freelist_count') > 0;
    },
    close: async () => {
      // into a file that was moved SQLite does not empty the journal by itself, which still stands where the file was
      if (isGone()) database.pragma('wal_checkpoint(TRUNCATE)');
      await db.destroy();
    },
  };
}

/** Whether the database only was in use by somebody else, so that trying again may help. */
export const isBusy = (error: unknown): boolean =>
  error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY');

const MOVE_AWAY = 'move the file away, and a new one is made';
const MAKE_WRITABLE = 'make its folder one that this user may write to, or name another in logs_store.config.path';

/** By SQLite's own codes, of which some are more exact than is of use (`SQLITE_CANTOPEN_ISDIR`). */
const ADVICE: readonly (readonly [code: string, advice: string])[] = [
  ['SQLITE_NOTADB', MOVE_AWAY],
  ['SQLITE_CORRUPT', MOVE_AWAY],
  ['SQLITE_CANTOPEN', MAKE_WRITABLE],
  ['SQLITE_READONLY', MAKE_WRITABLE],
  ['SQLITE_FULL', 'make room on its disk'],
  ['SQLITE_IOERR', 'look whether its disk is full, broken or gone, or whether files may not grow further (ulimit -f)'],
];

/** What mends a failure of the database; undefined where its own words must do. */
export function adviceOn(error: unknown): string | undefined {
  if (error instanceof Database.SqliteError) return ADVICE.find(([code]) => error.code.startsWith(code))?.[1];
  // better-sqlite3 looks for the folder itself
  return error instanceof TypeError && error.message.includes('directory does not exist') ? MAKE_WRITABLE : undefined;
}

/** Kysely would build the statement anew for each row; prepared once, a row costs a tenth of that. */
function inserter(database: Database.Database, table: LogTable): (rows: readonly Row[]) => number {
  const facts = FACT_COLUMNS[table];
  const contents = CONTENT_COLUMNS[table];
  const insertFacts = database.prepare(
    `insert into ${table} (${facts.join()}) values (${facts.map(() => '?').join()}) on conflict (id) do nothing`,
  );
  // Contents come as bytes and are kept as text: nobody decodes them on the way.
  const insertContents = database.prepare(
    `insert or replace into ${CONTENT_TABLE[table]} (number,${contents.join()}) values (?,${contents.map(() => 'cast(? as text)').join()})`,
  );
  const endRun = table === 'mcp_logs' ? runEnder(database) : undefined;
  return database.transaction((rows: readonly Row[]) => {
    let written = 0;
    for (const row of rows) {
      const { changes, lastInsertRowid } = insertFacts.run(...row.facts);
      const number = changes > 0 ? lastInsertRowid : endRun?.(row);
      if (number === undefined) continue;
      written += 1;
      if (row.contents)
        insertContents.run(number, ...contents.map((_, index) => bindable(row.contents?.[index] ?? null)));
    }
    return written;
  });
}

/** Puts a row in the place of the one with its id that says that the run goes on; gives its number, if there was one. */
function runEnder(database: Database.Database): (row: Row) => number | undefined {
  const columns = FACT_COLUMNS.mcp_logs;
  const update = database.prepare(
    `update mcp_logs set ${columns.map((column) => `${column} = ?`).join()} where id = ? and status = '${PROCESSING}' returning number`,
  );
  // an id stands first
  return ({ facts }) => (update.get(...facts, facts[0]) as { number: number } | undefined)?.number;
}

/** better-sqlite3 binds Buffers, and no other view of bytes. */
const bindable = (value: string | Uint8Array | null): string | Buffer | null =>
  value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;

/** Which file stands there now: whoever has a deleted one open writes on without a word, for nobody to read. */
const fileAt = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
