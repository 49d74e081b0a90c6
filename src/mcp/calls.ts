import { GatewayError } from '../model/errors.ts';
import type { ToolResult } from './contract.ts';
import { type Execution, execute, timedOut } from './execute.ts';
import { isNeverExecuted, isTransient } from './failures.ts';
import type { Session } from './session.ts';
import { waitFor } from './timing.ts';

/** A connection, as far as a call cares. */
export interface Dialable {
  readonly session: Session | undefined;
  readonly isDialling: boolean;
  /** The last dial failed a moment ago. */
  readonly isRefused: boolean;
  /** Why there is no session, for whoever wanted one. */
  readonly absence: string;
  /** Gives a new session; single-flight. */
  dial(): Promise<void>;
}

/** Gives sessions for one call each. */
export interface OwnSessions {
  open(): Promise<Session>;
  release(session: Session): void;
}

/** Runs one call on a session of its own, for servers that are to have none between calls. */
export async function runAlone(sessions: OwnSessions, execution: Execution): Promise<ToolResult> {
  try {
    return await onOwnSession(sessions, execution);
  } catch (thrown) {
    if (!mayRepeat(thrown, execution)) throw thrown;
  }
  return onOwnSession(sessions, execution);
}

async function onOwnSession(sessions: OwnSessions, execution: Execution): Promise<ToolResult> {
  const session = await sessions.open();
  try {
    return await execute(session, execution);
  } finally {
    sessions.release(session);
  }
}

/** A request that may have been run is sent again only where that does no harm. */
const mayRepeat = (thrown: unknown, { request, isRepeatable }: Execution): boolean =>
  !request.signal.aborted && (isNeverExecuted(thrown) || (isRepeatable === true && isTransient(thrown)));

/** Runs one call, on a new session where there is none or where the server forgot ours. */
export async function runCall(connection: Dialable, execution: Execution): Promise<ToolResult> {
  const session = connection.session ?? (await sessionFor(connection, execution));
  try {
    return await execute(session, execution);
  } catch (thrown) {
    if (!mayRepeat(thrown, execution)) throw thrown;
  }
  // Whoever comes first dials; the others find the new session, or wait for it.
  const isNewer = connection.session !== undefined && connection.session !== session;
  const fresh = isNewer ? connection.session : undefined;
  return execute(fresh ?? (await sessionFor(connection, execution)), execution);
}

/** A new session for this call, which waits no longer than its own timeout. */
export async function sessionFor(connection: Dialable, execution: Execution): Promise<Session> {
  // Many calls at once must not hammer a server that has just refused.
  if (connection.isRefused && !connection.isDialling) throw new Error(connection.absence);
  const outcome = await waitFor(connection.dial(), execution.timeoutMs, execution.request.signal);
  if (outcome === 'late') throw timedOut(execution.tool.name, execution.timeoutMs);
  if (outcome === 'aborted') throw new GatewayError('cancelled', `the call of ${execution.tool.name} was cancelled`);
  if (!connection.session) throw new Error(connection.absence);
  return connection.session;
}
