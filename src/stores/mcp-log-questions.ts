import { type Kysely, sql } from 'kysely';
import { type McpLogFilters, mcpLogConditions } from './log-filters.ts';
import type { LogSchema } from './schema.ts';

/** What tool runs can be narrowed by, as far as some run has it. */
export interface McpLogFacets {
  readonly toolNames: readonly string[];
  readonly serverLabels: readonly string[];
  readonly virtualKeys: readonly { readonly id: string; readonly name: string }[];
}

export interface McpLogBucket {
  /** When it begins. */
  readonly startMs: number;
  readonly count: number;
  readonly successes: number;
  readonly errors: number;
  readonly costUsd: number;
}

/** All runs of one tool of one server. */
export interface McpToolTotals {
  readonly serverLabel: string;
  readonly toolName: string;
  readonly count: number;
  readonly successes: number;
  readonly errors: number;
  readonly averageLatencyMs: number;
  readonly costUsd: number;
  readonly lastMs: number;
}

const MAX_FACETS = 1_000;

const SUMS = [
  sql<number>`count(*)`.as('count'),
  sql<number>`sum(case when status = 'success' then 1 else 0 end)`.as('successes'),
  sql<number>`sum(case when status = 'error' then 1 else 0 end)`.as('errors'),
  sql<number | null>`sum(cost_usd)`.as('costUsd'),
] as const;

export async function mcpLogFacets(db: Kysely<LogSchema>): Promise<McpLogFacets> {
  const distinct = async (column: 'tool_name' | 'server_label'): Promise<string[]> => {
    const rows = await db.selectFrom('mcp_logs').select(column).distinct().orderBy(column).limit(MAX_FACETS).execute();
    return rows.flatMap((row) => row[column] ?? []);
  };
  const keys = await db
    .selectFrom('mcp_logs')
    .select(['virtual_key_id', 'virtual_key_name'])
    .distinct()
    .where('virtual_key_id', 'is not', null)
    .orderBy('virtual_key_name')
    .limit(MAX_FACETS)
    .execute();
  return {
    toolNames: await distinct('tool_name'),
    serverLabels: await distinct('server_label'),
    virtualKeys: keys.map(({ virtual_key_id: id, virtual_key_name: name }) => ({ id: id ?? '', name: name ?? '' })),
  };
}

/** Runs by time, without the buckets that nothing fell into. */
export async function mcpLogHistogram(
  db: Kysely<LogSchema>,
  filters: McpLogFilters,
  bucketMs: number,
): Promise<McpLogBucket[]> {
  // A bound number is a float in SQLite, and dividing by it would not cut anything off.
  const bucket = sql<number>`timestamp_ms / ${sql.lit(bucketMs)}`;
  const rows = await db
    .selectFrom('mcp_logs')
    .where((eb) => mcpLogConditions(eb, filters))
    .select([bucket.as('bucket'), ...SUMS])
    .groupBy(bucket)
    .orderBy(bucket)
    .execute();
  return rows.map((row) => ({ ...sumsOf(row), startMs: Math.floor(Number(row.bucket)) * bucketMs }));
}

/** The tools that ran most come first. */
export async function mcpToolTotals(
  db: Kysely<LogSchema>,
  filters: McpLogFilters,
  limit: number,
): Promise<McpToolTotals[]> {
  const rows = await db
    .selectFrom('mcp_logs')
    .where((eb) => mcpLogConditions(eb, filters))
    .select([
      'server_label',
      'tool_name',
      ...SUMS,
      sql<number | null>`avg(case when status <> 'processing' then latency_ms end)`.as('averageLatencyMs'),
      sql<number>`max(timestamp_ms)`.as('lastMs'),
    ])
    .groupBy(['server_label', 'tool_name'])
    .orderBy('count', 'desc')
    .orderBy('server_label')
    .orderBy('tool_name')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    ...sumsOf(row),
    serverLabel: row.server_label,
    toolName: row.tool_name,
    averageLatencyMs: Number(row.averageLatencyMs),
    lastMs: Number(row.lastMs),
  }));
}

interface Sums {
  readonly count: number;
  readonly successes: number;
  readonly errors: number;
  readonly costUsd: number | null;
}

/** Postgres gives its wide integers as text. */
const sumsOf = ({ count, successes, errors, costUsd }: Sums) => ({
  count: Number(count),
  successes: Number(successes),
  errors: Number(errors),
  costUsd: Number(costUsd),
});
