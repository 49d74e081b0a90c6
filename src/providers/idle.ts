import { GatewayError } from '../model/errors.ts';
import type { StreamBody } from './direct-response.ts';

/** How long an upstream may keep a connection open behind a complete answer. */
const GRACE_MS = 1_000;

/** Cancels a stream whose upstream has gone silent. */
export interface IdleWatch {
  /** Something came. */
  heard(): void;
  stop(): void;
}

export interface IdleLimits {
  readonly idleMs: number;
  readonly provider: string;
  /** Whether what came so far is a complete answer, so that there is no reason to wait any longer. */
  readonly isComplete: () => boolean;
}

/** A read under way throws GatewayError('timeout') once nothing was heard for `idleMs`, or a second behind the end. */
export function watchIdle(body: StreamBody, { idleMs, provider, isComplete }: IdleLimits): IdleWatch {
  const graceMs = Math.min(GRACE_MS, idleMs / 2);
  let isQuiet = false;
  let timer = setTimeout(onQuiet, graceMs);

  function onQuiet(): void {
    if (isComplete()) {
      onSilence();
      return;
    }
    isQuiet = true;
    timer = setTimeout(onSilence, idleMs - graceMs);
  }

  function onSilence(): void {
    body.cancel(silence(provider, idleMs));
  }

  return {
    heard: () => {
      if (!isQuiet) {
        timer.refresh();
        return;
      }
      clearTimeout(timer);
      isQuiet = false;
      timer = setTimeout(onQuiet, graceMs);
    },
    stop: () => clearTimeout(timer),
  };
}

const silence = (provider: string, idleMs: number): GatewayError =>
  new GatewayError(
    'timeout',
    `${provider} sent nothing for ${idleMs / 1_000} s in the middle of its answer; raise network_config.stream_idle_timeout_in_seconds if it needs longer`,
    { provider },
  );

/** What came was no complete answer, and nothing told why. */
export const cutShort = (provider: string): GatewayError =>
  new GatewayError('network', `the answer of ${provider} ended before it was complete; try again`, { provider });
