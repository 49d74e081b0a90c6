import { setTimeout as sleep } from 'node:timers/promises';
import type { Session } from './session.ts';
import { backoffMs, type McpTiming } from './timing.ts';

/** What the connection was doing when it failed; the words of Bifrost's `last_failure`. */
export type FailureStage = 'connect' | 'ping' | 'list_tools' | 'transport_lost';

/** A failure with the step it belongs to. */
export class StageError extends Error {
  readonly stage: FailureStage;

  constructor(stage: FailureStage, cause: unknown) {
    super('', { cause });
    this.stage = stage;
  }
}

/**
 * One health check: ping (where the server has it), then the tools, so that a check is also the poll for changes.
 * Fast retries first; throws StageError when all of them failed.
 */
export async function checkHealth(session: Session, usesPing: boolean, timing: McpTiming): Promise<unknown[]> {
  for (const pauseMs of timing.checkRetriesMs) {
    try {
      return await checkOnce(session, usesPing, timing.checkTimeoutMs);
    } catch (thrown) {
      if (session.closed) throw thrown;
      await sleep(pauseMs, undefined, { ref: false });
    }
  }
  return checkOnce(session, usesPing, timing.checkTimeoutMs);
}

async function checkOnce(session: Session, usesPing: boolean, timeoutMs: number): Promise<unknown[]> {
  if (usesPing) await staged('ping', session.ping(timeoutMs));
  return staged('list_tools', session.listTools(timeoutMs));
}

export async function staged<T>(stage: FailureStage, step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (thrown) {
    throw new StageError(stage, thrown);
  }
}

/** How things stand with a client, as far as the next look at it depends on that. */
export interface Standing {
  readonly isConnected: boolean;
  readonly isHealthy: boolean;
  /** The last dial failed for a reason that waiting seldom mends. */
  readonly isPermanent: boolean;
  /** Dials and connections lost in a row. */
  readonly attempts: number;
  /** The client's own `tool_sync_interval`: none or 0 = the global one, negative = no checks while healthy. */
  readonly syncIntervalMs: number | undefined;
}

/** Milliseconds until the next check of a connected client, or the next dial of another; undefined = none is due. */
export function nextLookMs(standing: Standing, timing: McpTiming, random: () => number): number | undefined {
  const { isConnected, isHealthy, isPermanent, attempts, syncIntervalMs = 0 } = standing;
  if (!isConnected) return isPermanent ? timing.permanentRetryMs : backoffMs(Math.max(0, attempts - 1), timing, random);
  if (!isHealthy) return timing.unstableCheckMs;
  if (syncIntervalMs < 0) return undefined;
  return syncIntervalMs || timing.syncIntervalMs;
}
