import { type ErrorKind, type GatewayError, statusOf } from '../model/errors.ts';
import type { ModelCallRecord, ToolRunRecord } from './record.ts';
import { CONTENT_TYPE, createRegistry, type Family, type Histogram, type Registry, type Value } from './registry.ts';
import type { WriterCounters } from './writer.ts';

/** The gateway's numbers for Prometheus, under the original's names. */
export interface Metrics {
  readonly contentType: string;
  text(): string;
  /** `path` is the route's template, never the path as it came. */
  httpRequest(path: string, method: string, status: number, seconds: number): void;
  /** +1 when a request begins, -1 when it ends. */
  activeRequests(method: string, change: 1 | -1): void;
  modelCall(record: ModelCallRecord): void;
  toolRun(record: ToolRunRecord): void;
  /** Shows what the log writer counts. */
  showLog(counters: () => WriterCounters): void;
}

/** Values from outside (models as clients name them, tools) become `_OTHER` beyond this many series (pitfall J11). */
const MAX_SERIES = 1_000;
const OTHER = '_OTHER';
/** What callers say for labels of their own: so many combinations, and `_OTHER` for all beyond. */
const MAX_DIMENSIONS = 200;

const CALL_LABELS = [
  'provider',
  'model',
  'method',
  'virtual_key_id',
  'virtual_key_name',
  'selected_key_name',
  'fallback_index',
] as const;
const TOOL_LABELS = ['mcp_client', 'mcp_tool_name', 'mcp_method', 'error_type', 'virtual_key_id', 'virtual_key_name'];
/** The original's; nobody belongs to any of them here, and queries that name them still find their series. */
const OWNER_LABELS = ['team_id', 'team_name', 'customer_id', 'customer_name', 'business_unit_id', 'business_unit_name'];
const NO_OWNERS = OWNER_LABELS.map(() => '');

const HTTP_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900];
const UPSTREAM_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 900];
const FIRST_TOKEN_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const TOOL_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** All series of one set of labels, found with one look-up a call. */
interface CallSeries {
  readonly labels: readonly string[];
  readonly requests: Value;
  readonly successes: Value;
  readonly successLatency: Histogram;
  readonly failureLatency: Histogram;
  readonly firstToken: Histogram;
  readonly input: Value;
  readonly output: Value;
  readonly cacheRead: Value;
  readonly cacheWrite: Value;
  readonly cost: Value;
}

/** `ownLabels`: those that the configuration adds, with values from each record's dimensions. */
export function createMetrics(ownLabels: readonly string[] = []): Metrics {
  const registry = createRegistry();
  const http = ['path', 'method', 'status'];
  const httpRequests = registry.counter('http_requests_total', 'HTTP requests answered.', http);
  const httpSeconds = registry.histogram('http_request_duration_seconds', 'Time to answer.', http, HTTP_BUCKETS);
  const active = registry.gauge('bifrost_active_requests', 'Requests under way.', ['method']);
  const calls = callFamilies(registry, [...CALL_LABELS, ...ownLabels]);
  const dimensionsOf = boundedDimensions(ownLabels);
  const toolSeconds = registry.histogram(
    'bifrost_mcp_client_operation_duration_seconds',
    'Time of MCP tool runs.',
    [...TOOL_LABELS, ...ownLabels, ...OWNER_LABELS],
    TOOL_BUCKETS,
  );
  const callSeries = bounded((labels) => calls.seriesOf(labels));
  const toolSeries = bounded((labels) => toolSeconds.series(...labels, ...NO_OWNERS));
  processMetrics(registry);

  return {
    contentType: CONTENT_TYPE,
    text: registry.text,
    httpRequest(path, method, status, seconds) {
      httpRequests.series(path, method, `${status}`).add(1);
      httpSeconds.series(path, method, `${status}`).observe(seconds);
    },
    activeRequests: (method, change) => active.series(method).add(change),
    modelCall(record) {
      const { provider = '', model, operation, virtualKeyId = '', virtualKeyName = '', keyName = '' } = record;
      const fallback = `${record.fallbackIndex}`;
      const own = dimensionsOf(record);
      const labels = [provider, model, operation, virtualKeyId, virtualKeyName, keyName, fallback];
      const other = () => [provider, OTHER, operation, '', '', '', fallback, ...own.map(() => OTHER)];
      const series = callSeries(own.length === 0 ? labels : [...labels, ...own], other);
      countCall(series, record);
      if (record.status !== 'success') calls.errors.series(...series.labels, ...errorLabels(record)).add(1);
    },
    toolRun(record) {
      const { serverLabel, toolName, error, virtualKeyId = '', virtualKeyName = '' } = record;
      const errorType = toolErrorType(error);
      const own = dimensionsOf(record);
      const labels = [serverLabel, toolName, 'tools/call', errorType, virtualKeyId, virtualKeyName];
      const other = () => [OTHER, OTHER, 'tools/call', errorType, '', '', ...own.map(() => OTHER)];
      toolSeries(own.length === 0 ? labels : [...labels, ...own], other).observe(record.latencyMs / 1e3);
    },
    showLog: (counters) => logMetrics(registry, counters),
  };
}

/** Remembers what `create` gave for a set of labels; once there are too many, every new set shares `other`'s. */
function bounded<Series>(create: (labels: readonly string[]) => Series) {
  const known = new Map<string, Series>();
  const remembered = (labels: readonly string[]): Series => {
    const series = create(labels);
    known.set(labels.join('\u0000'), series);
    return series;
  };
  return (labels: readonly string[], other: () => readonly string[]): Series => {
    const found = known.get(labels.join('\u0000'));
    if (found) return found;
    if (known.size < MAX_SERIES) return remembered(labels);
    const shared = other();
    return known.get(shared.join('\u0000')) ?? remembered(shared);
  };
}

const NO_DIMENSIONS: readonly string[] = [];

/** The values of the labels that the configuration adds; nothing is made where it adds none. */
function boundedDimensions(labels: readonly string[]) {
  const known = new Set<string>();
  const others = labels.map(() => OTHER);
  return ({ dimensions }: Pick<ModelCallRecord, 'dimensions'>): readonly string[] => {
    if (labels.length === 0) return NO_DIMENSIONS;
    const values = labels.map((label) => dimensions?.[label] ?? '');
    const key = values.join('\u0000');
    if (known.has(key)) return values;
    if (known.size >= MAX_DIMENSIONS) return others;
    known.add(key);
    return values;
  };
}

function callFamilies(
  registry: Registry,
  labels: readonly string[],
): {
  readonly errors: Family<Value>;
  seriesOf(labels: readonly string[]): CallSeries;
} {
  const counter = (name: string, help: string): Family<Value> => registry.counter(name, help, labels);
  const requests = counter('bifrost_upstream_requests_total', 'Model calls.');
  const successes = counter('bifrost_success_requests_total', 'Model calls that were answered.');
  const errors = registry.counter('bifrost_error_requests_total', 'Model calls that were not.', [
    ...labels,
    'status_code',
    'error_type',
  ]);
  const latencyLabels = [...labels, 'is_success'];
  const latency = registry.histogram(
    'bifrost_upstream_latency_seconds',
    'Time of model calls, to their end.',
    latencyLabels,
    UPSTREAM_BUCKETS,
  );
  const firstToken = registry.histogram(
    'bifrost_stream_first_token_latency_seconds',
    'Time to the first content of a stream.',
    labels,
    FIRST_TOKEN_BUCKETS,
  );
  const input = counter('bifrost_input_tokens_total', 'Tokens in, from and to the cache included.');
  const output = counter('bifrost_output_tokens_total', 'Tokens out, reasoning included.');
  const cacheRead = counter('bifrost_cache_read_input_tokens_total', 'Tokens in that came from the cache.');
  const cacheWrite = counter('bifrost_cache_write_input_tokens_total', 'Tokens in that went to the cache.');
  const cost = counter('bifrost_cost_total', 'US dollars, of the calls whose price is known.');
  return {
    errors,
    seriesOf: (values) => ({
      labels: values,
      requests: requests.series(...values),
      successes: successes.series(...values),
      successLatency: latency.series(...values, 'true'),
      failureLatency: latency.series(...values, 'false'),
      firstToken: firstToken.series(...values),
      input: input.series(...values),
      output: output.series(...values),
      cacheRead: cacheRead.series(...values),
      cacheWrite: cacheWrite.series(...values),
      cost: cost.series(...values),
    }),
  };
}

function countCall(series: CallSeries, record: ModelCallRecord): void {
  const { usage, costUsd, firstTokenMs } = record;
  const succeeded = record.status === 'success';
  series.requests.add(1);
  if (succeeded) series.successes.add(1);
  (succeeded ? series.successLatency : series.failureLatency).observe(record.latencyMs / 1e3);
  if (record.stream && firstTokenMs !== undefined) series.firstToken.observe(firstTokenMs / 1e3);
  if (usage) {
    series.input.add(usage.input);
    series.output.add(usage.output);
    series.cacheRead.add(usage.cacheRead);
    series.cacheWrite.add(usage.cacheWrite);
  }
  if (costUsd !== undefined) series.cost.add(costUsd);
}

/** A caller who leaves is no error of anybody's, yet not a success: the original counts it under this name. */
function errorLabels({ error, status }: ModelCallRecord): [statusCode: string, errorType: string] {
  if (status === 'cancelled' || !error) return ['499', 'caller_cancelled'];
  return [`${statusOf(error)}`, errorTypeOf(error)];
}

/** The original's word for each kind; `[the gateway's own refusal, the provider's]` where they differ. */
const ERROR_TYPES: Readonly<Record<ErrorKind, string | readonly [own: string, upstream: string]>> = {
  'invalid-request': 'caller_invalid_request',
  authentication: ['policy_access_denied', 'provider_auth_failed'],
  permission: ['policy_access_denied', 'provider_auth_failed'],
  billing: 'provider_billing',
  'not-found': ['caller_model_unknown', 'caller_model_not_available'],
  'too-large': 'caller_invalid_request',
  'rate-limit': ['policy_rate_limited', 'provider_rate_limited'],
  budget: 'policy_budget_exceeded',
  'content-policy': 'caller_invalid_request',
  overloaded: 'provider_overloaded',
  'queue-full': 'bifrost_queue_full',
  timeout: 'provider_timeout',
  network: 'provider_connection_failed',
  'bad-response': 'provider_server_error',
  cancelled: 'caller_cancelled',
  internal: 'bifrost_internal',
};

function errorTypeOf({ kind, details }: GatewayError): string {
  if (kind === 'overloaded' && (details.status === 500 || details.status === 502)) return 'provider_server_error';
  const word = ERROR_TYPES[kind];
  return typeof word === 'string' ? word : word[details.status === undefined ? 0 : 1];
}

function toolErrorType(error: GatewayError | undefined): string {
  if (!error) return '';
  return error.kind === 'authentication' ? 'auth_required' : OTHER;
}

function logMetrics(registry: Registry, counters: () => WriterCounters): void {
  const shown: readonly ['counter' | 'gauge', string, string, keyof WriterCounters][] = [
    ['counter', 'bifrost_log_rows_written_total', 'Log rows in the database.', 'rowsWritten'],
    ['counter', 'bifrost_log_rows_dropped_total', 'Log rows dropped because the queue was full.', 'rowsDropped'],
    ['counter', 'bifrost_log_contents_dropped_total', 'Log rows written without their contents.', 'contentsDropped'],
    ['counter', 'bifrost_log_rows_failed_total', 'Log rows that the database refused.', 'rowsFailed'],
    ['counter', 'bifrost_log_rows_repeated_total', 'Log rows whose id was there already.', 'rowsRepeated'],
    ['gauge', 'bifrost_log_rows_waiting', 'Log rows in memory.', 'rowsWaiting'],
    ['gauge', 'bifrost_log_bytes_waiting', 'Bytes of log contents in memory.', 'bytesWaiting'],
  ];
  for (const [type, name, help, key] of shown) registry.read(type, name, help, () => counters()[key]);
}

function processMetrics(registry: Registry): void {
  const startedAt = Date.now() / 1e3 - process.uptime();
  const cpuSeconds = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  registry.read('counter', 'process_cpu_seconds_total', 'CPU time of the process, all threads.', cpuSeconds);
  registry.read('gauge', 'process_start_time_seconds', 'When the process began, in Unix time.', () => startedAt);
  registry.read('gauge', 'process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  registry.read('gauge', 'nodejs_heap_used_bytes', 'JavaScript heap in use.', () => process.memoryUsage().heapUsed);
}
