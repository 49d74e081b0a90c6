import { onAbort } from '../model/on-abort.ts';
import { timerMs } from '../model/timer-ms.ts';

/** Every wait of the MCP clients, in milliseconds where not said otherwise. */
export interface McpTiming {
  /** How long `start` waits for slow servers; they go on connecting in the background. */
  readonly bootWaitMs: number;
  /** For each step of a dial: starting the transport and `initialize`, then each page of `tools/list`. */
  readonly stepTimeoutMs: number;
  /** For each `ping` or `tools/list` of a health check. */
  readonly checkTimeoutMs: number;
  /** Pauses between the fast retries of a failed health check. */
  readonly checkRetriesMs: readonly number[];
  /** Between checks while healthy, where the client has no `tool_sync_interval` of its own. */
  readonly syncIntervalMs: number;
  /** Between checks while unstable. */
  readonly unstableCheckMs: number;
  /** Dials after the first that come at growing intervals; a server still not there is tried at an even pace. */
  readonly retries: number;
  readonly backoffInitialMs: number;
  readonly backoffMaxMs: number;
  /** Between dials that failed for a reason that waiting seldom mends (no such command, 401). */
  readonly permanentRetryMs: number;
  /** A connection that held this long was good: the next loss starts the backoff anew. */
  readonly stableAfterMs: number;
  /** From a `list_changed` notification to the relist, so that a burst of them costs one. */
  readonly listChangedDebounceMs: number;
  /** What a stdio server gets after each polite request to end: stdin closed, then SIGTERM. */
  readonly graceMs: number;
  /** A tool that reports progress ends after this many times its timeout at the latest. */
  readonly progressFactor: number;
  /** How long calls in flight may finish on a connection that was replaced. */
  readonly drainMs: number;
  /** A stored list of tools that was verified this long ago is verified anew, by a start of its server. */
  readonly manifestFreshMs: number;
  /** A process that crashed more often than it may is counted over this time. */
  readonly restartWindowMs: number;
  /** Between looks at the memory of processes that have a limit. */
  readonly memoryCheckMs: number;
}

/** Source of the figures: Bifrost v2, connection lifecycle; the rest is ours. */
export const DEFAULT_TIMING: McpTiming = {
  bootWaitMs: 3_000,
  stepTimeoutMs: 30_000,
  checkTimeoutMs: 5_000,
  checkRetriesMs: [500, 1_000, 2_000],
  syncIntervalMs: 600_000,
  unstableCheckMs: 10_000,
  retries: 5,
  backoffInitialMs: 1_000,
  backoffMaxMs: 30_000,
  permanentRetryMs: 60_000,
  stableAfterMs: 30_000,
  listChangedDebounceMs: 200,
  graceMs: 2_000,
  progressFactor: 10,
  drainMs: 30_000,
  manifestFreshMs: 86_400_000,
  restartWindowMs: 600_000,
  memoryCheckMs: 5_000,
};

/** Milliseconds to wait before dial n (from 0): doubles from the initial value, capped, +-20 % jitter. */
export function backoffMs(attempt: number, timing: McpTiming, random: () => number): number {
  const whole = Math.min(timing.backoffMaxMs, timing.backoffInitialMs * 2 ** Math.min(attempt, 30));
  return Math.round(whole * (0.8 + 0.4 * random()));
}

/** Resolves after `ms`, without keeping the process alive. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => void later(ms, resolve));

/** A timer that does not keep the process alive. */
export const later = (ms: number, action: () => void): NodeJS.Timeout => setTimeout(action, timerMs(ms)).unref();

/** True when `promise` settled within `ms`; it may go on afterwards. Rejects as it does. */
export async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), timerMs(ms));
  });
  try {
    return await Promise.race([promise.then(() => true as const), expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** How waiting for `promise` ended; it may go on afterwards. Rejects as it does. */
export async function waitFor(
  promise: Promise<unknown>,
  withinMs: number,
  signal: AbortSignal,
): Promise<'settled' | 'late' | 'aborted'> {
  let stop = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const forget = onAbort(signal, stop);
  if (signal.aborted) stop();
  try {
    const isInTime = await settlesWithin(Promise.race([promise, stopped]), withinMs);
    if (signal.aborted) return 'aborted';
    return isInTime ? 'settled' : 'late';
  } finally {
    forget();
  }
}
