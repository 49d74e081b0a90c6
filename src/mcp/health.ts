import type { FailureStage } from './lifecycle.ts';
import type { Session } from './session.ts';
import { type McpTiming, pause } from './timing.ts';

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
      await pause(pauseMs);
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
