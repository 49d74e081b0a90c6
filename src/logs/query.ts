import { z } from 'zod';
import { durationMs } from '../config/durations.ts';
import { GatewayError } from '../model/errors.ts';
import type { LogFilters, LogPaging, McpLogFilters } from '../stores/log-filters.ts';

export interface LogQuery {
  readonly filters: LogFilters;
  readonly paging: LogPaging;
}

export interface McpLogQuery {
  readonly filters: McpLogFilters;
  readonly paging: LogPaging;
}

/** The query of GET /api/logs. Throws GatewayError('invalid-request') that names the parameter; unknown ones are ignored. */
export function logQueryOf(params: URLSearchParams, nowMs: number = Date.now()): LogQuery {
  const query = checked(logParameters, params);
  const filters: LogFilters = {
    ...commonFilters(query, nowMs),
    nothing: ABSENT_IN_LOGS.some((name) => params.get(name)),
    providers: query.providers,
    models: query.models,
    requestedModels: query.aliases,
    objects: query.objects,
    // a key's name is its id here
    keyNames: query.selected_key_ids,
    stopReasons: query.stop_reasons,
    userAgents: query.user_agents,
    parentRequestId: query.parent_request_id ?? query.session_id,
    requestId: query.request_id,
    rootsOnly: query.roots_only,
    minTokens: query.min_tokens,
    maxTokens: query.max_tokens,
    minCostUsd: query.min_cost,
    maxCostUsd: query.max_cost,
    missingCostOnly: query.missing_cost_only,
    metadata: metadataOf(params),
  };
  return { filters, paging: pagingOf(query) };
}

/** The query of GET /api/mcp-logs; as `logQueryOf`. */
export function mcpLogQueryOf(params: URLSearchParams, nowMs: number = Date.now()): McpLogQuery {
  const query = checked(mcpLogParameters, params);
  const filters: McpLogFilters = {
    ...commonFilters(query, nowMs),
    toolNames: query.tool_names,
    serverLabels: query.server_labels,
    llmRequestIds: query.llm_request_ids,
  };
  return { filters, paging: pagingOf(query) };
}

/** What the original can filter by and no row of ours has: nothing matches, rather than everything. */
const ABSENT_IN_LOGS = [
  'routing_rule_ids',
  'routing_engine_used',
  'team_ids',
  'customer_ids',
  'user_ids',
  'business_unit_ids',
  'apps',
  'cache_hit_types',
] as const;

const MAX_LIMIT = 1_000;
const METADATA = 'metadata_';

const text = z.string().optional();

const list = text.transform((value) => {
  const entries = value?.split(',').flatMap((entry) => entry.trim() || []);
  return entries?.length ? entries : undefined;
});

const number = (name: string) =>
  text.transform((value, context) => {
    if (value === undefined) return undefined;
    const parsed = Number(value);
    if (value.trim() !== '' && Number.isFinite(parsed)) return parsed;
    context.addIssue({ code: 'custom', message: `invalid ${name}: "${value}" is not a number` });
    return z.NEVER;
  });

const integer = (name: string) =>
  number(name).refine((value) => value === undefined || Number.isInteger(value), {
    message: `invalid ${name}: it must be a whole number`,
  });

const moment = (name: string) =>
  text.transform((value, context) => {
    if (value === undefined) return undefined;
    // a `+` of a time zone arrives as a space when the sender did not escape it
    const parsed = RFC_3339.test(value) ? Date.parse(value.replace(' ', '+')) : Number.NaN;
    if (!Number.isNaN(parsed)) return parsed;
    context.addIssue({ code: 'custom', message: `invalid ${name}: "${value}" is not an RFC 3339 time` });
    return z.NEVER;
  });

const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+ -]\d{2}:\d{2})$/;

const flag = (name: string) =>
  text.transform((value, context) => {
    if (value === undefined) return undefined;
    if (['true', '1', 't', 'TRUE', 'True'].includes(value)) return true;
    if (['false', '0', 'f', 'FALSE', 'False'].includes(value)) return false;
    context.addIssue({ code: 'custom', message: `invalid ${name}: "${value}" is neither true nor false` });
    return z.NEVER;
  });

const oneOf = <Word extends string>(name: string, words: readonly [Word, ...Word[]]) =>
  z.enum(words, { error: `invalid ${name}: it must be one of ${words.join(', ')}` });

const commonParameters = {
  status: list,
  virtual_key_ids: list,
  start_time: moment('start_time'),
  end_time: moment('end_time'),
  period: text.transform((value, context) => {
    const ms = value === undefined ? undefined : durationMs(value);
    if (value !== undefined && ms === undefined) {
      context.addIssue({ code: 'custom', message: `invalid period: "${value}" is no duration such as 1h, 24h or 7d` });
    }
    return ms;
  }),
  min_latency: number('min_latency'),
  max_latency: number('max_latency'),
  content_search: text,
  limit: integer('limit')
    .refine((value) => value === undefined || value > 0, { message: 'limit must be greater than 0' })
    .refine((value) => value === undefined || value <= MAX_LIMIT, { message: `limit cannot exceed ${MAX_LIMIT}` })
    .transform((value) => value ?? 50),
  offset: integer('offset')
    .refine((value) => value === undefined || value >= 0, { message: 'offset cannot be negative' })
    // SQLite counts no further
    .transform((value) => Math.min(value ?? 0, Number.MAX_SAFE_INTEGER)),
  order: oneOf('order', ['asc', 'desc']).default('desc'),
};

const logParameters = z.object({
  ...commonParameters,
  sort_by: oneOf('sort_by', ['timestamp', 'latency', 'tokens', 'cost']).default('timestamp'),
  providers: list,
  models: list,
  aliases: list,
  objects: list,
  parent_request_id: text,
  session_id: text,
  selected_key_ids: list,
  stop_reasons: list,
  user_agents: list,
  min_tokens: integer('min_tokens'),
  max_tokens: integer('max_tokens'),
  min_cost: number('min_cost'),
  max_cost: number('max_cost'),
  missing_cost_only: flag('missing_cost_only'),
  request_id: text,
  roots_only: flag('roots_only'),
});

const mcpLogParameters = z.object({
  ...commonParameters,
  sort_by: oneOf('sort_by', ['timestamp', 'latency', 'cost']).default('timestamp'),
  tool_names: list,
  server_labels: list,
  llm_request_ids: list,
});

/** An empty parameter is an absent one: forms send them all. */
function checked<Schema extends z.ZodType>(schema: Schema, params: URLSearchParams): z.output<Schema> {
  const given = Object.fromEntries([...params].filter(([, value]) => value !== ''));
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new GatewayError('invalid-request', issue?.message ?? 'invalid query', { param: String(issue?.path[0] ?? '') });
}

/** A period ends now and wins over times, as in the original. */
function commonFilters(query: z.output<typeof logParameters> | z.output<typeof mcpLogParameters>, nowMs: number) {
  return {
    statuses: query.status,
    virtualKeyIds: query.virtual_key_ids,
    startMs: query.period === undefined ? query.start_time : nowMs - query.period,
    endMs: query.period === undefined ? query.end_time : nowMs,
    minLatencyMs: query.min_latency,
    maxLatencyMs: query.max_latency,
    contentSearch: query.content_search,
  };
}

const pagingOf = (query: {
  limit: number;
  offset: number;
  sort_by: LogPaging['sortBy'];
  order: LogPaging['order'];
}) => ({
  limit: query.limit,
  offset: query.offset,
  sortBy: query.sort_by,
  order: query.order,
});

function metadataOf(params: URLSearchParams): Record<string, string> | undefined {
  const entries = [...params].flatMap(([name, value]) =>
    name.startsWith(METADATA) && value !== '' ? [[name.slice(METADATA.length), value]] : [],
  );
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}
