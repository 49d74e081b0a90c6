import type { Attempt } from '../model/call.ts';
import { type JsonObject, type JsonValue, jsonOrText } from '../model/json.ts';
import type { LogPaging } from '../stores/log-filters.ts';
import type { LogFacts, LogTotals, McpLogContents, McpLogFacts } from '../stores/log-store.ts';
import { PROCESSING } from '../stores/schema.ts';
import { CONTENT_STATE } from './record.ts';

// The log as the admin API shows it, in the original's words (its log record and `SearchResult`).

export interface ShownUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_read_tokens: number; readonly cached_write_tokens: number };
  readonly completion_tokens_details: { readonly reasoning_tokens: number };
}

export interface ShownAttempt {
  readonly provider: string;
  readonly model: string;
  readonly key_name: string;
  readonly fallback_index: number;
  readonly started_at: string;
  readonly error?: string;
}

interface ShownCommon {
  readonly id: string;
  readonly timestamp: string;
  readonly created_at: string;
  readonly virtual_key_id: string | null;
  readonly virtual_key_name: string | null;
  /** Milliseconds; null while a tool run goes on. */
  readonly latency: number | null;
  /** US dollars; null when unknown, which is not the same as free. */
  readonly cost: number | null;
  readonly status: string;
  readonly error_details?: JsonValue;
  readonly metadata?: JsonValue;
  /** Contents were cut at the byte cap. */
  readonly content_truncated: boolean;
  /** Contents were left out because the log could not keep up. */
  readonly content_dropped: boolean;
}

/** What was said in a call, in the chat dialect whatever it travelled in, beside the bytes as they travelled. */
export interface ShownContents {
  readonly input_history?: JsonValue;
  readonly params?: JsonObject;
  readonly tools?: JsonValue;
  readonly output_message?: JsonValue;
  /** As the client sent it; where the raw exchange is stored, as the provider was sent it. */
  readonly raw_request?: string;
  readonly raw_response?: string;
}

export interface ShownLog extends ShownCommon, ShownContents {
  readonly inc_number: number;
  readonly parent_request_id: string | null;
  readonly object: string;
  readonly provider: string | null;
  readonly model: string;
  /** The name the client used, where it is another. */
  readonly alias?: string;
  readonly stream: boolean;
  readonly time_to_first_token: number | null;
  /** Null when the provider did not say. */
  readonly token_usage: ShownUsage | null;
  readonly stop_reason: string | null;
  readonly selected_key_name: string | null;
  readonly number_of_retries: number;
  readonly fallback_index: number;
  readonly attempt_trail: readonly ShownAttempt[] | null;
  readonly losses: JsonValue;
  readonly user_agent: string | null;
  /** The last thing the user said, shortened. */
  readonly content_summary?: string;
}

export interface ShownMcpLog extends ShownCommon {
  readonly llm_request_id: string | null;
  readonly tool_name: string;
  readonly server_label: string;
  readonly virtual_key?: { readonly id: string; readonly name: string };
  readonly arguments?: JsonValue;
  readonly result?: JsonValue;
}

/** `success_rate` is a percentage of what ended by itself: a call its caller left is neither success nor failure. */
export interface LogStats {
  readonly total_requests: number;
  readonly success_rate: number;
  readonly user_facing_success_rate: number;
  readonly user_facing_total_requests: number;
  readonly average_latency: number;
  readonly total_tokens: number;
  /** Of the calls whose cost is known. */
  readonly total_cost: number;
  readonly unknown_cost_requests: number;
}

export interface McpLogStats {
  readonly total_executions: number;
  readonly success_rate: number;
  readonly average_latency: number;
  readonly total_cost: number;
}

export interface ShownPaging {
  readonly limit: number;
  readonly offset: number;
  readonly sort_by: LogPaging['sortBy'];
  readonly order: LogPaging['order'];
  readonly total_count: number;
}

interface Page<Log, Stats> {
  readonly logs: readonly Log[];
  readonly pagination: ShownPaging;
  readonly stats: Stats;
  readonly has_logs: boolean;
}

export type LogsPage = Page<ShownLog, LogStats>;
export type McpLogsPage = Page<ShownMcpLog, McpLogStats>;

export function shownLog(facts: LogFacts, contents: ShownContents & Pick<ShownLog, 'content_summary'>): ShownLog {
  return {
    ...shownCommon(facts),
    inc_number: facts.number,
    parent_request_id: facts.parent_request_id,
    object: facts.object,
    provider: facts.provider,
    model: facts.model,
    ...(facts.requested_model !== facts.model && { alias: facts.requested_model }),
    stream: facts.stream === 1,
    time_to_first_token: facts.first_token_ms,
    token_usage: usageOf(facts),
    stop_reason: facts.stop_reason,
    selected_key_name: facts.key_name,
    number_of_retries: facts.retries,
    fallback_index: facts.fallback_index,
    attempt_trail: facts.attempts === null ? onlyAttempt(facts) : attemptsOf(facts.attempts),
    losses: facts.losses === null ? [] : jsonOrText(facts.losses),
    user_agent: facts.user_agent,
    ...contents,
  };
}

export function shownMcpLog(facts: McpLogFacts, contents: McpLogContents | undefined): ShownMcpLog {
  return {
    ...shownCommon(facts),
    llm_request_id: facts.llm_request_id,
    tool_name: facts.tool_name,
    server_label: facts.server_label,
    ...(facts.virtual_key_id !== null && {
      virtual_key: { id: facts.virtual_key_id, name: facts.virtual_key_name ?? '' },
    }),
    ...(typeof contents?.arguments === 'string' && { arguments: jsonOrText(contents.arguments) }),
    ...(typeof contents?.result === 'string' && { result: jsonOrText(contents.result) }),
  };
}

export const shownPaging = (paging: LogPaging, totals: LogTotals): ShownPaging => ({
  limit: paging.limit,
  offset: paging.offset,
  sort_by: paging.sortBy,
  order: paging.order,
  total_count: totals.total,
});

/** A chain of fallbacks is one row here, so what the user faced and what was tried count the same. */
export const logStatsOf = (totals: LogTotals): LogStats => ({
  total_requests: totals.total,
  success_rate: successRate(totals),
  user_facing_success_rate: successRate(totals),
  user_facing_total_requests: totals.total,
  average_latency: totals.averageLatencyMs ?? 0,
  total_tokens: totals.tokens,
  total_cost: totals.costUsd,
  unknown_cost_requests: totals.unknownCosts,
});

export const mcpLogStatsOf = (totals: LogTotals): McpLogStats => ({
  total_executions: totals.total,
  success_rate: successRate(totals),
  average_latency: totals.averageLatencyMs ?? 0,
  total_cost: totals.costUsd,
});

function successRate({ successes, errors }: LogTotals): number {
  const ended = successes + errors;
  return ended === 0 ? 0 : (100 * successes) / ended;
}

function shownCommon(facts: LogFacts | McpLogFacts): ShownCommon {
  return {
    id: facts.id,
    timestamp: new Date(facts.timestamp_ms).toISOString(),
    created_at: new Date(facts.timestamp_ms + facts.latency_ms).toISOString(),
    virtual_key_id: facts.virtual_key_id,
    virtual_key_name: facts.virtual_key_name,
    latency: facts.status === PROCESSING ? null : facts.latency_ms,
    cost: facts.cost_usd,
    status: facts.status,
    ...(facts.error !== null && { error_details: jsonOrText(facts.error) }),
    ...(facts.metadata !== null && { metadata: jsonOrText(facts.metadata) }),
    content_truncated: facts.content_state === CONTENT_STATE.truncated,
    content_dropped: facts.content_state === CONTENT_STATE.dropped,
  };
}

function usageOf(facts: LogFacts): ShownUsage | null {
  if (facts.input_tokens === null) return null;
  return {
    prompt_tokens: facts.input_tokens,
    completion_tokens: facts.output_tokens ?? 0,
    total_tokens: facts.total_tokens ?? 0,
    prompt_tokens_details: {
      cached_read_tokens: facts.cache_read_tokens ?? 0,
      cached_write_tokens: facts.cache_write_tokens ?? 0,
    },
    completion_tokens_details: { reasoning_tokens: facts.reasoning_tokens ?? 0 },
  };
}

/** An attempt that went well at once is not stored: the row says it all. */
function onlyAttempt(facts: LogFacts): ShownAttempt[] {
  if (facts.provider === null) return [];
  return [
    {
      provider: facts.provider,
      model: facts.model,
      key_name: facts.key_name ?? '',
      fallback_index: facts.fallback_index,
      started_at: new Date(facts.timestamp_ms).toISOString(),
    },
  ];
}

function attemptsOf(text: string): ShownAttempt[] {
  // written by rowOfCall from Attempt[]
  const attempts = JSON.parse(text) as Attempt[];
  return attempts.map(({ provider, model, keyName, fallbackIndex, startedAtMs, error }) => ({
    provider,
    model,
    key_name: keyName,
    fallback_index: fallbackIndex,
    started_at: new Date(startedAtMs).toISOString(),
    ...(error !== undefined && { error }),
  }));
}
