import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { LogSchema } from './schema.ts';

interface CommonFilters {
  readonly statuses?: readonly string[] | undefined;
  readonly virtualKeyIds?: readonly string[] | undefined;
  readonly startMs?: number | undefined;
  readonly endMs?: number | undefined;
  readonly minLatencyMs?: number | undefined;
  readonly maxLatencyMs?: number | undefined;
  /** Found anywhere in what was said, upper or lower case. */
  readonly contentSearch?: string | undefined;
  /** True when the caller asked for a thing that no row of ours has. */
  readonly nothing?: boolean | undefined;
}

/** Which model calls: each given filter must hold; of a list, one entry. */
export interface LogFilters extends CommonFilters {
  readonly providers?: readonly string[] | undefined;
  readonly models?: readonly string[] | undefined;
  readonly requestedModels?: readonly string[] | undefined;
  readonly objects?: readonly string[] | undefined;
  readonly keyNames?: readonly string[] | undefined;
  readonly stopReasons?: readonly string[] | undefined;
  readonly userAgents?: readonly string[] | undefined;
  readonly parentRequestId?: string | undefined;
  /** A call's own id, or that of the request it was part of. */
  readonly requestId?: string | undefined;
  readonly rootsOnly?: boolean | undefined;
  readonly minTokens?: number | undefined;
  readonly maxTokens?: number | undefined;
  readonly minCostUsd?: number | undefined;
  readonly maxCostUsd?: number | undefined;
  readonly missingCostOnly?: boolean | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** Which tool runs. */
export interface McpLogFilters extends CommonFilters {
  readonly toolNames?: readonly string[] | undefined;
  readonly serverLabels?: readonly string[] | undefined;
  readonly llmRequestIds?: readonly string[] | undefined;
}

export interface LogPaging {
  readonly limit: number;
  readonly offset: number;
  readonly sortBy: 'timestamp' | 'latency' | 'tokens' | 'cost';
  readonly order: 'asc' | 'desc';
}

type Condition = Expression<SqlBool>;

export function logConditions(eb: ExpressionBuilder<LogSchema, 'logs'>, filters: LogFilters): Condition {
  const { requestId, contentSearch } = filters;
  return eb.and(
    present([
      filters.nothing && sql<SqlBool>`1 = 0`,
      filters.providers && eb('provider', 'in', filters.providers),
      filters.models && eb('model', 'in', filters.models),
      filters.requestedModels && eb('requested_model', 'in', filters.requestedModels),
      filters.statuses && eb('status', 'in', filters.statuses),
      filters.objects && eb('object', 'in', filters.objects),
      filters.keyNames && eb('key_name', 'in', filters.keyNames),
      filters.virtualKeyIds && eb('virtual_key_id', 'in', filters.virtualKeyIds),
      filters.stopReasons && eb('stop_reason', 'in', filters.stopReasons),
      filters.userAgents && eb('user_agent', 'in', filters.userAgents),
      filters.parentRequestId !== undefined && eb('parent_request_id', '=', filters.parentRequestId),
      requestId !== undefined && eb.or([eb('id', '=', requestId), eb('parent_request_id', '=', requestId)]),
      filters.rootsOnly && eb('parent_request_id', 'is', null),
      filters.startMs !== undefined && eb('timestamp_ms', '>=', filters.startMs),
      filters.endMs !== undefined && eb('timestamp_ms', '<=', filters.endMs),
      filters.minLatencyMs !== undefined && eb('latency_ms', '>=', filters.minLatencyMs),
      filters.maxLatencyMs !== undefined && eb('latency_ms', '<=', filters.maxLatencyMs),
      filters.minTokens !== undefined && eb('total_tokens', '>=', filters.minTokens),
      filters.maxTokens !== undefined && eb('total_tokens', '<=', filters.maxTokens),
      filters.minCostUsd !== undefined && eb('cost_usd', '>=', filters.minCostUsd),
      filters.maxCostUsd !== undefined && eb('cost_usd', '<=', filters.maxCostUsd),
      filters.missingCostOnly && eb('cost_usd', 'is', null),
      ...Object.entries(filters.metadata ?? {}).map(([key, value]) =>
        contains('metadata', `${JSON.stringify(key)}:${JSON.stringify(value)}`),
      ),
      contentSearch !== undefined &&
        eb.exists(
          eb
            .selectFrom('log_contents')
            .select('log_contents.number')
            .whereRef('log_contents.number', '=', 'logs.number')
            .where((contents) =>
              contents.or(
                (['request', 'appended', 'response'] as const).map((column) => contains(column, contentSearch)),
              ),
            ),
        ),
    ]),
  );
}

export function mcpLogConditions(eb: ExpressionBuilder<LogSchema, 'mcp_logs'>, filters: McpLogFilters): Condition {
  const { contentSearch } = filters;
  return eb.and(
    present([
      filters.nothing && sql<SqlBool>`1 = 0`,
      filters.toolNames && eb('tool_name', 'in', filters.toolNames),
      filters.serverLabels && eb('server_label', 'in', filters.serverLabels),
      filters.statuses && eb('status', 'in', filters.statuses),
      filters.virtualKeyIds && eb('virtual_key_id', 'in', filters.virtualKeyIds),
      filters.llmRequestIds && eb('llm_request_id', 'in', filters.llmRequestIds),
      filters.startMs !== undefined && eb('timestamp_ms', '>=', filters.startMs),
      filters.endMs !== undefined && eb('timestamp_ms', '<=', filters.endMs),
      filters.minLatencyMs !== undefined && eb('latency_ms', '>=', filters.minLatencyMs),
      filters.maxLatencyMs !== undefined && eb('latency_ms', '<=', filters.maxLatencyMs),
      contentSearch !== undefined &&
        eb.exists(
          eb
            .selectFrom('mcp_log_contents')
            .select('mcp_log_contents.number')
            .whereRef('mcp_log_contents.number', '=', 'mcp_logs.number')
            .where((contents) =>
              contents.or((['arguments', 'result'] as const).map((column) => contains(column, contentSearch))),
            ),
        ),
    ]),
  );
}

const present = (conditions: readonly (Condition | false | undefined)[]): Condition[] =>
  conditions.filter((condition) => condition !== undefined && condition !== false);

/** Text anywhere in a column, its LIKE wildcards taken literally; databases differ in whether LIKE minds the case. */
const contains = (column: string, text: string): Condition =>
  sql<SqlBool>`lower(${sql.ref(column)}) like lower(${`%${text.replace(/[\\%_]/g, '\\$&')}%`}) escape '\\'`;
