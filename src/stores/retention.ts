import { setImmediate } from 'node:timers/promises';
import type { LogDriver } from './log-driver.ts';
import { CONTENT_TABLE, type LogTable } from './schema.ts';

/** How much a log may keep; each limit may be absent. */
export interface LogLimits {
  readonly retentionDays?: number | undefined;
  /** What was said may go before the numbers do. */
  readonly contentRetentionDays?: number | undefined;
  /** Of each table. */
  readonly maxRows?: number | undefined;
  /** Of the database file with its journal: the oldest contents go first, then the oldest rows. */
  readonly maxBytes?: number | undefined;
}

export interface Swept {
  readonly rows: number;
  readonly contents: number;
}

const TABLES: readonly LogTable[] = ['logs', 'mcp_logs'];
const DAY_MS = 86_400_000;
/** Some milliseconds of work, so that no write waits for long behind it. */
const BATCH_ROWS = 500;
/** What is left after these is given back by the next sweep, or used for new rows. */
const STEPS_OF_GIVING_BACK = 64;

export async function sweep(driver: LogDriver, limits: LogLimits, nowMs: number): Promise<Swept> {
  let rows = 0;
  let contents = 0;
  const { retentionDays, contentRetentionDays, maxRows, maxBytes } = limits;
  for (const table of TABLES) {
    if (retentionDays) {
      const beforeMs = nowMs - retentionDays * DAY_MS;
      rows += await repeated(async () => deleteRows(driver, table, await rowsBefore(driver, table, beforeMs)));
    }
    if (maxRows) {
      const upTo = (await lastNumber(driver, table)) - maxRows;
      rows += await repeated(async () => deleteRows(driver, table, await oldestRows(driver, table, upTo)));
    }
    if (contentRetentionDays) {
      const beforeMs = nowMs - contentRetentionDays * DAY_MS;
      contents += await repeated(async () =>
        deleteContents(driver, table, await contentsBefore(driver, table, beforeMs)),
      );
    }
  }
  if (maxBytes) {
    const isOver = async (): Promise<boolean> => {
      if ((await driver.usedBytes()) <= maxBytes) return false;
      await driver.giveBackSpace();
      return (await driver.usedBytes()) > maxBytes;
    };
    contents += await repeated(() => eachTable((table) => clearOldest(driver, table)), isOver);
    rows += await repeated(() => eachTable((table) => deleteOldest(driver, table)), isOver);
  }
  for (let step = 0; step < STEPS_OF_GIVING_BACK && (await driver.giveBackSpace()); step++) await setImmediate();
  return { rows, contents };
}

/** Repeats a batch until it finds nothing to do; between batches the writes that wait get their turn. */
async function repeated(batch: () => Promise<number>, isNeeded = async () => true): Promise<number> {
  let total = 0;
  while (await isNeeded()) {
    const count = await batch();
    if (count === 0) break;
    total += count;
    await setImmediate();
  }
  return total;
}

async function eachTable(batch: (table: LogTable) => Promise<number>): Promise<number> {
  let total = 0;
  for (const table of TABLES) total += await batch(table);
  return total;
}

async function deleteRows(driver: LogDriver, table: LogTable, numbers: readonly number[]): Promise<number> {
  if (numbers.length === 0) return 0;
  await deleteContents(driver, table, numbers);
  await driver.db.deleteFrom(table).where('number', 'in', numbers).execute();
  return numbers.length;
}

async function deleteContents(driver: LogDriver, table: LogTable, numbers: readonly number[]): Promise<number> {
  if (numbers.length > 0) {
    await driver.db.deleteFrom(CONTENT_TABLE[table]).where('number', 'in', numbers).execute();
  }
  return numbers.length;
}

const deleteOldest = async (driver: LogDriver, table: LogTable): Promise<number> =>
  deleteRows(driver, table, await oldestRows(driver, table, Number.MAX_SAFE_INTEGER));

async function clearOldest(driver: LogDriver, table: LogTable): Promise<number> {
  const oldest = driver.db.selectFrom(CONTENT_TABLE[table]).select('number').orderBy('number').limit(BATCH_ROWS);
  return deleteContents(driver, table, numbersOf(await oldest.execute()));
}

const rowsBefore = async ({ db }: LogDriver, table: LogTable, timeMs: number): Promise<number[]> =>
  numbersOf(await db.selectFrom(table).select('number').where('timestamp_ms', '<', timeMs).limit(BATCH_ROWS).execute());

const oldestRows = async ({ db }: LogDriver, table: LogTable, upTo: number): Promise<number[]> =>
  numbersOf(
    await db
      .selectFrom(table)
      .select('number')
      .where('number', '<=', upTo)
      .orderBy('number')
      .limit(BATCH_ROWS)
      .execute(),
  );

/** Looks at the oldest contents only: numbers may be kept for years longer, and are not read again at each sweep. */
async function contentsBefore({ db }: LogDriver, table: LogTable, timeMs: number): Promise<number[]> {
  const oldest = db.selectFrom(CONTENT_TABLE[table]).select('number').orderBy('number').limit(BATCH_ROWS);
  const rows = db.selectFrom(table).select('number').where('number', 'in', oldest).where('timestamp_ms', '<', timeMs);
  return numbersOf(await rows.execute());
}

async function lastNumber({ db }: LogDriver, table: LogTable): Promise<number> {
  const { last } = await db.selectFrom(table).select(db.fn.max('number').as('last')).executeTakeFirstOrThrow();
  return Number(last);
}

const numbersOf = (rows: readonly { readonly number: number }[]): number[] => rows.map(({ number }) => number);
