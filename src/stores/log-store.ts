import { type Expression, type Selectable, type SqlBool, sql } from 'kysely';
import type { LogDriver } from './log-driver.ts';
import { type LogFilters, type LogPaging, logConditions, type McpLogFilters, mcpLogConditions } from './log-filters.ts';
import {
  type McpLogBucket,
  type McpLogFacets,
  type McpToolTotals,
  mcpLogFacets,
  mcpLogHistogram,
  mcpToolTotals,
} from './mcp-log-questions.ts';
import { type LogLimits, type Swept, sweep } from './retention.ts';
import {
  CONTENT_COLUMNS,
  CONTENT_TABLE,
  type LogContentsTable,
  type LogsTable,
  type LogTable,
  type McpLogContentsTable,
  type McpLogsTable,
  PROCESSING,
  type Row,
} from './schema.ts';

export type LogFacts = Selectable<LogsTable>;
export type LogContents = Omit<Selectable<LogContentsTable>, 'number'>;
export type McpLogFacts = Selectable<McpLogsTable>;
export type McpLogContents = Omit<Selectable<McpLogContentsTable>, 'number'>;

/** Sums over all rows that match, not only those on the page. */
export interface LogTotals {
  readonly total: number;
  readonly successes: number;
  readonly errors: number;
  /** Undefined when there is no row to average. */
  readonly averageLatencyMs: number | undefined;
  readonly tokens: number;
  /** Sum of the known costs. */
  readonly costUsd: number;
  /** How many rows have no known cost. */
  readonly unknownCosts: number;
}

export interface LogPage<Facts> {
  readonly rows: readonly Facts[];
  readonly totals: LogTotals;
  /** Whether the log holds anything at all, filters aside. */
  readonly hasLogs: boolean;
}

export interface LogStore {
  /** Gives how many rows were new; a row whose id is there already changes nothing, but for tool runs that went on. */
  insert(table: LogTable, rows: readonly Row[]): Promise<number>;
  listLogs(filters: LogFilters, paging: LogPaging): Promise<LogPage<LogFacts>>;
  getLog(id: string): Promise<LogFacts | undefined>;
  /** Undefined when nothing was kept of what was said. */
  logContents(number: number): Promise<LogContents | undefined>;
  listMcpLogs(filters: McpLogFilters, paging: LogPaging): Promise<LogPage<McpLogFacts>>;
  getMcpLog(id: string): Promise<McpLogFacts | undefined>;
  mcpLogContents(number: number): Promise<McpLogContents | undefined>;
  logTotals(filters: LogFilters): Promise<LogTotals>;
  mcpLogTotals(filters: McpLogFilters): Promise<LogTotals>;
  mcpLogFacets(): Promise<McpLogFacets>;
  mcpLogHistogram(filters: McpLogFilters, bucketMs: number): Promise<readonly McpLogBucket[]>;
  mcpToolTotals(filters: McpLogFilters, limit: number): Promise<readonly McpToolTotals[]>;
  /** Ends the tool runs that the log has as going on, as errors; gives how many there were. */
  endLeftRuns(): Promise<number>;
  /** Gives how many were there to delete. */
  deleteRows(table: LogTable, ids: readonly string[]): Promise<number>;
  /** Makes the log keep its limits, in short batches with a pause between them. */
  sweep(limits: LogLimits, nowMs: number): Promise<Swept>;
  /** Whether the database was moved or deleted since it was opened: what is written to it is lost. */
  isGone(): boolean;
  close(): Promise<void>;
}

const LOG_ORDER = {
  timestamp: 'timestamp_ms',
  latency: 'latency_ms',
  tokens: 'total_tokens',
  cost: 'cost_usd',
} as const;

/** A tool run has no tokens; asked to sort by them, the newest come first. */
const MCP_LOG_ORDER = { ...LOG_ORDER, tokens: 'timestamp_ms' } as const;

/** Everything a log is asked, in SQL that every driver's database understands. */
export const logStoreOn = (driver: LogDriver): LogStore => ({
  insert: driver.insert,
  ...callQuestions(driver.db),
  ...toolRunQuestions(driver.db),
  deleteRows: (table, ids) => deleteRows(driver.db, table, ids),
  sweep: (limits, nowMs) => sweep(driver, limits, nowMs),
  isGone: driver.isGone,
  close: driver.close,
});

type CallQuestions = Pick<LogStore, 'listLogs' | 'getLog' | 'logContents' | 'logTotals'>;

function callQuestions(db: LogDriver['db']): CallQuestions {
  const logTotals = async (filters: LogFilters): Promise<LogTotals> =>
    totalsOf(
      await db
        .selectFrom('logs')
        .where((eb) => logConditions(eb, filters))
        .select([...COMMON_SUMS, sql<number | null>`sum(total_tokens)`.as('tokens')])
        .executeTakeFirstOrThrow(),
    );
  return {
    logTotals,
    async listLogs(filters, paging) {
      const rows = await db
        .selectFrom('logs')
        .selectAll()
        .where((eb) => logConditions(eb, filters))
        .orderBy(LOG_ORDER[paging.sortBy], paging.order)
        .orderBy('number', paging.order)
        .limit(paging.limit)
        .offset(paging.offset)
        .execute();
      const totals = await logTotals(filters);
      return { rows, totals, hasLogs: totals.total > 0 || (await holdsAny(db, 'logs')) };
    },
    getLog: (id) => db.selectFrom('logs').selectAll().where('id', '=', id).executeTakeFirst(),
    logContents: (number) =>
      db.selectFrom('log_contents').select(CONTENT_COLUMNS.logs).where('number', '=', number).executeTakeFirst(),
  };
}

type ToolRunQuestions = Pick<
  LogStore,
  | 'listMcpLogs'
  | 'getMcpLog'
  | 'mcpLogContents'
  | 'mcpLogTotals'
  | 'mcpLogFacets'
  | 'mcpLogHistogram'
  | 'mcpToolTotals'
  | 'endLeftRuns'
>;

function toolRunQuestions(db: LogDriver['db']): ToolRunQuestions {
  const mcpLogTotals = async (filters: McpLogFilters): Promise<LogTotals> =>
    totalsOf(
      await db
        .selectFrom('mcp_logs')
        .where((eb) => mcpLogConditions(eb, filters))
        .select(COMMON_SUMS)
        .executeTakeFirstOrThrow(),
    );
  return {
    mcpLogTotals,
    mcpLogFacets: () => mcpLogFacets(db),
    mcpLogHistogram: (filters, bucketMs) => mcpLogHistogram(db, filters, bucketMs),
    mcpToolTotals: (filters, limit) => mcpToolTotals(db, filters, limit),
    async listMcpLogs(filters, paging) {
      const rows = await db
        .selectFrom('mcp_logs')
        .selectAll()
        .where((eb) => mcpLogConditions(eb, filters))
        .orderBy(MCP_LOG_ORDER[paging.sortBy], paging.order)
        .orderBy('number', paging.order)
        .limit(paging.limit)
        .offset(paging.offset)
        .execute();
      const totals = await mcpLogTotals(filters);
      return { rows, totals, hasLogs: totals.total > 0 || (await holdsAny(db, 'mcp_logs')) };
    },
    getMcpLog: (id) => db.selectFrom('mcp_logs').selectAll().where('id', '=', id).executeTakeFirst(),
    mcpLogContents: (number) =>
      db.selectFrom('mcp_log_contents').select(['arguments', 'result']).where('number', '=', number).executeTakeFirst(),
    async endLeftRuns() {
      const { numUpdatedRows } = await db
        .updateTable('mcp_logs')
        .set({ status: 'error', error: LEFT_RUN })
        .where('status', '=', PROCESSING)
        .executeTakeFirstOrThrow();
      return Number(numUpdatedRows);
    },
  };
}

async function holdsAny(db: LogDriver['db'], table: LogTable): Promise<boolean> {
  return (await db.selectFrom(table).select('number').limit(1).executeTakeFirst()) !== undefined;
}

async function deleteRows(db: LogDriver['db'], table: LogTable, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  const rows = db.selectFrom(table).select('number').where('id', 'in', ids);
  // Contents first: a row without contents is a row, contents without a row are lost space.
  await db.deleteFrom(CONTENT_TABLE[table]).where('number', 'in', rows).execute();
  const { numDeletedRows } = await db.deleteFrom(table).where('id', 'in', ids).executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

const LEFT_RUN = JSON.stringify({ error: { message: 'the gateway ended before the tool did' } });

const countWhen = (condition: Expression<SqlBool>) => sql<number | null>`sum(case when ${condition} then 1 else 0 end)`;

const COMMON_SUMS = [
  sql<number>`count(*)`.as('total'),
  countWhen(sql`status = 'success'`).as('successes'),
  countWhen(sql`status = 'error'`).as('errors'),
  sql<number | null>`avg(case when status <> 'processing' then latency_ms end)`.as('averageLatencyMs'),
  sql<number | null>`sum(cost_usd)`.as('costUsd'),
  countWhen(sql`cost_usd is null`).as('unknownCosts'),
] as const;

interface Sums {
  readonly total: number;
  readonly successes: number | null;
  readonly errors: number | null;
  readonly averageLatencyMs: number | null;
  readonly costUsd: number | null;
  readonly unknownCosts: number | null;
  readonly tokens?: number | null;
}

/** Sums over no rows are NULL, and Postgres gives its wide integers as text. */
const totalsOf = (sums: Sums): LogTotals => ({
  total: Number(sums.total),
  successes: Number(sums.successes),
  errors: Number(sums.errors),
  averageLatencyMs: sums.averageLatencyMs === null ? undefined : Number(sums.averageLatencyMs),
  tokens: Number(sums.tokens ?? 0),
  costUsd: Number(sums.costUsd),
  unknownCosts: Number(sums.unknownCosts),
});
