import type { McpLogBucket, McpLogFacets, McpToolTotals } from '../stores/mcp-log-questions.ts';

// What the admin API tells of all tool runs together, in the original's words.

export interface ShownMcpFacets {
  readonly tool_names: readonly string[];
  readonly server_labels: readonly string[];
  readonly virtual_keys: readonly { readonly id: string; readonly name: string }[];
}

export interface ShownMcpHistogram {
  readonly buckets: readonly {
    readonly timestamp: string;
    readonly count: number;
    readonly success: number;
    readonly error: number;
  }[];
  readonly bucket_size_seconds: number;
}

export interface ShownMcpCostHistogram {
  readonly buckets: readonly { readonly timestamp: string; readonly total_cost: number }[];
  readonly bucket_size_seconds: number;
}

export interface ShownMcpTool {
  readonly tool_name: string;
  readonly server_label: string;
  readonly count: number;
  readonly success: number;
  readonly error: number;
  /** Percentage of what ended by itself. */
  readonly success_rate: number;
  readonly average_latency: number;
  readonly cost: number;
  readonly last_used: string;
}

export const shownMcpFacets = ({ toolNames, serverLabels, virtualKeys }: McpLogFacets): ShownMcpFacets => ({
  tool_names: toolNames,
  server_labels: serverLabels,
  virtual_keys: virtualKeys,
});

const DAY_SECONDS = 86_400;

/** Ranges of at least so many days, and the buckets they are shown in; the original's. */
const BUCKET_SECONDS: readonly (readonly [days: number, seconds: number])[] = [
  [365, 30 * DAY_SECONDS],
  [90, 7 * DAY_SECONDS],
  [30, 3 * DAY_SECONDS],
  [7, DAY_SECONDS],
  [3, DAY_SECONDS / 3],
  [1, 3_600],
  [1 / 12, 600],
];

/** Without both ends an hour, below two hours a minute. */
export function bucketSecondsOf(startMs: number | undefined, endMs: number | undefined): number {
  if (startMs === undefined || endMs === undefined) return 3_600;
  const days = (endMs - startMs) / (DAY_SECONDS * 1_000);
  return BUCKET_SECONDS.find(([least]) => days >= least)?.[1] ?? 60;
}

/** Every bucket of the range, empty ones as well, where both ends are given and sane. */
export function allBuckets(
  found: readonly McpLogBucket[],
  seconds: number,
  startMs: number | undefined,
  endMs: number | undefined,
): readonly McpLogBucket[] {
  const bucketMs = seconds * 1_000;
  const first = Math.floor((startMs ?? 0) / bucketMs);
  const last = Math.floor((endMs ?? 0) / bucketMs);
  if (startMs === undefined || endMs === undefined || last < first || last - first > MAX_BUCKETS) return found;
  const known = new Map(found.map((bucket) => [bucket.startMs, bucket]));
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const start = (first + index) * bucketMs;
    return known.get(start) ?? { startMs: start, count: 0, successes: 0, errors: 0, costUsd: 0 };
  });
}

const MAX_BUCKETS = 5_000;

const moment = (ms: number): string => new Date(ms).toISOString();

export const shownMcpHistogram = (buckets: readonly McpLogBucket[], seconds: number): ShownMcpHistogram => ({
  buckets: buckets.map(({ startMs, count, successes, errors }) => ({
    timestamp: moment(startMs),
    count,
    success: successes,
    error: errors,
  })),
  bucket_size_seconds: seconds,
});

export const shownMcpCosts = (buckets: readonly McpLogBucket[], seconds: number): ShownMcpCostHistogram => ({
  buckets: buckets.map(({ startMs, costUsd }) => ({ timestamp: moment(startMs), total_cost: costUsd })),
  bucket_size_seconds: seconds,
});

export const shownMcpTool = (totals: McpToolTotals): ShownMcpTool => {
  const { successes, errors } = totals;
  return {
    tool_name: totals.toolName,
    server_label: totals.serverLabel,
    count: totals.count,
    success: successes,
    error: errors,
    success_rate: successes + errors === 0 ? 0 : (100 * successes) / (successes + errors),
    average_latency: totals.averageLatencyMs,
    cost: totals.costUsd,
    last_used: moment(totals.lastMs),
  };
};
