import type { McpClientConfig } from '../config/schema.ts';
import type { ConnectionState, LastFailure } from './contract.ts';
import { backoffMs, type McpTiming } from './timing.ts';

/** What the connection was doing when it failed; the words of Bifrost's `last_failure`. */
export type FailureStage = 'connect' | 'ping' | 'list_tools' | 'tool_discovery' | 'transport_lost' | 'credential';

/** What is known of one enabled MCP client; replaced whole by each event. */
export interface Life {
  readonly state: Exclude<ConnectionState, 'disabled'>;
  /** Dials and connections lost in a row. */
  readonly attempts: number;
  /** The last dial failed for a reason that waiting seldom mends. */
  readonly isPermanent: boolean;
  /** There is a last good list of tools, perhaps an empty one. */
  readonly knowsTools: boolean;
  readonly lastFailure?: LastFailure;
}

/** What happened, as seen from outside. A failure comes without `since`, which is the lifecycle's to know. */
export type LifecycleEvent =
  | { readonly type: 'connected' }
  | { readonly type: 'check-passed' }
  | { readonly type: 'manifest-read' }
  | { readonly type: 'call-answered' }
  | { readonly type: 'check-failed'; readonly failure: Failure }
  | { readonly type: 'dial-failed'; readonly failure: Failure; readonly isPermanent: boolean }
  | { readonly type: 'connection-lost'; readonly failure: Failure; readonly wasStable: boolean }
  | { readonly type: 'credential-refused'; readonly failure: Failure }
  | { readonly type: 'verification-awaited'; readonly failure: Failure }
  | { readonly type: 'credential-renewed' };

type Failure = Omit<LastFailure, 'since'>;

/** Before the first dial has ended: informational as every `unstable`, and calls are tried. */
export const NEW_LIFE: Life = { state: 'unstable', attempts: 0, isPermanent: false, knowsTools: false };

/** States that end only by a person's doing, in which dialling is of no use. */
export const isBlocked = ({ state }: Life): boolean => state === 'needs_reauth' || state === 'pending_verification';

/** Why calls wait for a person; undefined where they may be tried. Where each user logs in alone, `needs_reauth` is display only. */
export function blockedReason(life: Life, client: Pick<McpClientConfig, 'name' | 'auth_type'>): string | undefined {
  if (!isBlocked(life)) return undefined;
  if (life.state === 'needs_reauth' && client.auth_type.startsWith('per_user')) return undefined;
  const todo = life.state === 'needs_reauth' ? 'needs a new login' : 'waits for its first login';
  return `MCP client ${client.name} ${todo}: ${life.lastFailure?.message ?? 'no credential'}`;
}

/** The one place where states change: pure, so that its whole table is a test. */
export function nextLife(life: Life, event: LifecycleEvent): Life {
  switch (event.type) {
    case 'connected':
      // Attempts stay: a server that crashes after each start is not to be started without a pause.
      return { ...life, state: 'healthy', isPermanent: false, knowsTools: true };
    case 'check-passed':
      return { ...life, state: 'healthy', attempts: 0, isPermanent: false, knowsTools: true };
    case 'manifest-read':
      return { ...life, state: 'healthy', knowsTools: true };
    case 'call-answered':
      return life.attempts === 0 ? life : { ...life, attempts: 0 };
    case 'check-failed':
      return failed(life, event.failure, {});
    case 'dial-failed':
      return failed(life, event.failure, { attempts: life.attempts + 1, isPermanent: event.isPermanent });
    case 'connection-lost':
      return failed(life, event.failure, { attempts: (event.wasStable ? 0 : life.attempts) + 1, isPermanent: false });
    case 'credential-refused':
      return { ...failed(life, event.failure, {}), state: 'needs_reauth' };
    case 'verification-awaited':
      return { ...failed(life, event.failure, {}), state: 'pending_verification' };
    case 'credential-renewed':
      return { ...life, state: 'unstable', attempts: 0, isPermanent: false };
  }
}

function failed(life: Life, failure: Failure, changes: Partial<Life>): Life {
  const next = { ...life, ...changes };
  // Trouble that goes on began when it began: `since` stays until the client was healthy in between.
  const since = life.state === 'healthy' ? failure.at : (life.lastFailure?.since ?? failure.at);
  return { ...next, state: stateAfterFailure(next), lastFailure: { ...failure, since } };
}

/** Never connected and no prospect of it is an error; everything else is worth another try at any time. */
function stateAfterFailure(life: Life): Life['state'] {
  if (isBlocked(life)) return life.state;
  return life.isPermanent && !life.knowsTools ? 'error' : 'unstable';
}

/** What beside its life decides when a client is looked at next. */
export interface Standing {
  readonly life: Life;
  /** A session is held, or none is to be held between calls and the last look found the server well. */
  readonly isReachable: boolean;
  /** A process, whose start costs more than a request. */
  readonly isProcess: boolean;
  /** Not started, or stopped, for want of calls: how long its list still counts as fresh. */
  readonly restsForMs?: number | undefined;
  /** The client's own `tool_sync_interval`: none or 0 = the global one, negative = no checks while healthy. */
  readonly syncIntervalMs: number | undefined;
}

/** Milliseconds until the next check of a reachable client, or the next dial of another; undefined = none is due. */
export function nextLookMs(standing: Standing, timing: McpTiming, random: () => number): number | undefined {
  const { life, isReachable, isProcess, restsForMs, syncIntervalMs = 0 } = standing;
  if (isBlocked(life)) return undefined;
  if (restsForMs !== undefined) return restsForMs;
  if (!isReachable) {
    if (life.isPermanent) return timing.permanentRetryMs;
    const isSpent = life.attempts > timing.retries && !isProcess;
    return isSpent ? timing.unstableCheckMs : backoffMs(Math.max(0, life.attempts - 1), timing, random);
  }
  if (life.state !== 'healthy') return timing.unstableCheckMs;
  if (syncIntervalMs < 0) return undefined;
  return syncIntervalMs || timing.syncIntervalMs;
}
