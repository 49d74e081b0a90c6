import { GatewayError } from '../model/errors.ts';
import type { StreamBody } from './direct-response.ts';

/** How long an upstream may keep a connection open behind a complete answer. */
const GRACE_MS = 1_000;

/** Cancels a stream whose upstream has gone silent. */
export interface IdleWatch {
  /** Something came. */
  heard(): void;
  /** The answer is complete: the upstream gets a moment to close, so that the connection can be used again. */
  complete(): void;
  stop(): void;
}

/** A read under way throws GatewayError('timeout') once nothing was heard for `idleMs`. */
export function watchIdle(body: StreamBody, idleMs: number, provider: string): IdleWatch {
  const onSilence = () =>
    body.cancel(
      new GatewayError(
        'timeout',
        `${provider} sent nothing for ${idleMs / 1_000} s in the middle of its answer; raise network_config.stream_idle_timeout_in_seconds if it needs longer`,
        { provider },
      ),
    );
  let timer = setTimeout(onSilence, idleMs);
  return {
    heard: () => timer.refresh(),
    complete: () => {
      clearTimeout(timer);
      timer = setTimeout(onSilence, GRACE_MS);
    },
    stop: () => clearTimeout(timer),
  };
}
