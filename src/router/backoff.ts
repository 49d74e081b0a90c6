import { setTimeout as timer } from 'node:timers/promises';
import type { NetworkConfig } from '../config/schema.ts';
import { timerMs } from '../model/timer-ms.ts';

/** Resolves after `ms`; rejects when the signal fires. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

export const sleep: Sleep = (ms, signal) => timer(timerMs(ms), undefined, { signal });

type Limits = Pick<NetworkConfig, 'retry_backoff_initial' | 'retry_backoff_max'>;

/**
 * Milliseconds to wait before retry n (from 0): doubles from the initial pause, +-20 % jitter, capped at the maximum.
 * The provider's own `retry-after` counts when it is longer, within the same cap.
 */
export function backoffMs(retry: number, limits: Limits, retryAfterMs: number, random: () => number): number {
  const { retry_backoff_initial: initial, retry_backoff_max: max } = limits;
  const pause = Math.min(initial * 2 ** retry, max) * (0.8 + random() * 0.4);
  return Math.min(Math.max(pause, retryAfterMs), max);
}
