import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { sql } from 'kysely';
import { afterAll, describe, expect, test } from 'vitest';
import { logStoreOn } from '../../src/stores/log-store.ts';
import { adviceOn, openSqlite } from '../../src/stores/sqlite.ts';
import { describeLogStore } from './contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'log-store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
const freshPath = (): string => join(folder, `logs-${++count}.db`);

describeLogStore('SQLite', async () => logStoreOn(await openSqlite(freshPath())));

describe('the SQLite file', () => {
  test('J13 is in WAL mode, with incremental vacuum, so that readers and clean-up lock nobody out', async () => {
    const path = freshPath();
    const driver = await openSqlite(path);
    const reader = new Database(path, { readonly: true });
    expect(reader.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(reader.pragma('auto_vacuum', { simple: true })).toBe(2);
    reader.close();
    await driver.close();
  });

  test('opened again, keeps its rows and its schema', async () => {
    const path = freshPath();
    await (await openSqlite(path)).close();
    const again = await openSqlite(path);
    expect(
      (await logStoreOn(again).listLogs({}, { limit: 1, offset: 0, sortBy: 'timestamp', order: 'asc' })).hasLogs,
    ).toBe(false);
    await again.close();
  });

  test('of an older version is brought to the newest schema, and keeps what it had', async () => {
    const path = freshPath();
    const old = await openSqlite(path);
    for (const column of ['raw_request', 'raw_response']) {
      await sql`alter table log_contents drop column ${sql.ref(column)}`.execute(old.db);
    }
    await sql`delete from kysely_migration where name > '0002_mcp_logs'`.execute(old.db);
    await sql`insert into log_contents (number, request) values (1, 'from before')`.execute(old.db);
    await old.close();
    const store = logStoreOn(await openSqlite(path));
    expect(await store.logContents(1)).toMatchObject({ request: 'from before', raw_request: null });
    await store.close();
  });

  test('J1 becomes smaller once contents are cleared', async () => {
    const path = freshPath();
    const driver = await openSqlite(path);
    const { db } = driver;
    for (let number = 1; number <= 20; number++) {
      await db
        .insertInto('log_contents')
        .values({ number, request: 'x'.repeat(1024 * 1024) })
        .execute();
    }
    const store = logStoreOn(driver);
    await store.sweep({ maxBytes: 1 }, 0);
    await store.close();
    expect(statSync(path).size).toBeLessThan(1024 * 1024);
  });

  test('that is no database is refused in SQLite’s own words', async () => {
    const path = freshPath();
    writeFileSync(path, 'this is a text file, and a long enough one to look like something else entirely');
    await expect(openSqlite(path)).rejects.toThrow('file is not a database');
  });

  const failureAt = (path: string): Promise<unknown> => openSqlite(path).catch((error: unknown) => error);

  test.each([
    ['is no database', (path: string) => writeFileSync(path, 'x'.repeat(10_000)), 'move the file away'],
    ['is a folder', (path: string) => mkdirSync(path), 'make its folder one that this user may write to'],
  ])('that %s is told what mends it', async (_, make, advice) => {
    const path = freshPath();
    make(path);
    expect(adviceOn(await failureAt(path))).toContain(advice);
  });

  test('in a folder that is not there is told what mends it, and what nobody knows is not', async () => {
    expect(adviceOn(await failureAt(join(folder, 'nowhere', 'logs.db')))).toContain('logs_store.config.path');
    expect(adviceOn(new Error('whatever'))).toBeUndefined();
  });

  test('of a newer version is left alone, and said to be one', async () => {
    const path = freshPath();
    const { db, close } = await openSqlite(path);
    await sql`insert into kysely_migration values ('0099_more', '2027-01-01')`.execute(db);
    await close();
    await expect(openSqlite(path)).rejects.toThrow(
      'a newer version of the gateway wrote it (0099_more); run that one, or move the file away',
    );
  });
});
