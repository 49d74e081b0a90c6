import type { McpClientConfig } from '../config/schema.ts';
import { GatewayError } from '../model/errors.ts';
import type { ToolResult } from './contract.ts';
import { type Execution, execute, timedOut } from './execute.ts';
import { isNeverExecuted, isTransient } from './failures.ts';
import { refusalOf, unknownTool } from './filters.ts';
import { blockedReason, type Life } from './lifecycle.ts';
import type { ListedTool } from './listed-tools.ts';
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

/** A connection, as far as the call of a tool cares. */
export interface Callable extends Dialable {
  readonly config: McpClientConfig;
  readonly life: Life;
  /** The list is not that of an earlier run. */
  readonly isVerified: boolean;
  readonly holdsSession: boolean;
  readonly singleSessions: SingleSessions;
  listedTool(upstreamName: string): ListedTool | undefined;
  /** The session, dialled where there is none. */
  live(): Promise<Session>;
}

/** Gives sessions for one call each. */
export interface SingleSessions {
  /** Within `timeoutMs`, and within the limit of every dial. */
  open(timeoutMs: number): Promise<Session>;
  release(session: Session): void;
}

/** Calls a tool as its list and its server's config want it called. Throws as `runCall`, and GatewayError beside. */
export async function callTool(connection: Callable, execution: Execution): Promise<ToolResult> {
  const blocked = blockedReason(connection.life, connection.config);
  if (blocked) {
    throw new GatewayError('authentication', `MCP tool call failed for ${execution.tool.name}: ${blocked}`);
  }
  const tool = connection.listedTool(execution.tool.upstreamName) ?? (await verifiedTool(connection, execution));
  const { readOnlyHint, idempotentHint } = tool.annotations;
  const isRepeatable = readOnlyHint === true || idempotentHint === true;
  const checked = { ...execution, isRepeatable, check: (sent: Execution) => requireReleased(connection, sent) };
  if (execution.own) return execute(await execution.own, checked);
  return connection.holdsSession ? runCall(connection, checked) : runAlone(connection.singleSessions, checked);
}

/** A tool that the list does not have, once that is the server's own. */
async function verifiedTool(connection: Callable, execution: Execution): Promise<ListedTool> {
  const { name, upstreamName } = execution.tool;
  if (!connection.isVerified) {
    if (connection.holdsSession) await sessionFor(connection, execution);
    else await connection.dial();
  }
  const tool = connection.listedTool(upstreamName);
  if (!tool) throw new GatewayError('not-found', unknownTool(name));
  return tool;
}

/** Once more when a call is sent: the server may have been asked for its list only after the call was let in. */
function requireReleased(connection: Callable, { tool, request }: Execution): void {
  const heldBack = connection.listedTool(tool.upstreamName)?.heldBack;
  if (!heldBack) return;
  const refusal = refusalOf({ ...tool, heldBack }, connection.config, request.caller);
  throw new GatewayError('permission', refusal ?? unknownTool(tool.name));
}

/** Runs one call on a session of its own, for servers that are to have none between calls. */
async function runAlone(sessions: SingleSessions, execution: Execution): Promise<ToolResult> {
  try {
    return await onSession(sessions, execution);
  } catch (thrown) {
    if (!mayRepeat(thrown, execution)) throw thrown;
  }
  return onSession(sessions, execution);
}

const onSession = (sessions: SingleSessions, execution: Execution): Promise<ToolResult> =>
  useAlone(sessions, execution.timeoutMs, (session) => execute(session, execution));

/** A request that may have been run is sent again only where that does no harm. */
const mayRepeat = (thrown: unknown, { request, isRepeatable }: Execution): boolean =>
  !request.signal.aborted && (isNeverExecuted(thrown) || (isRepeatable === true && isTransient(thrown)));

/** Runs one call, on a new session where there is none or where the server forgot ours. */
async function runCall(connection: Dialable, execution: Execution): Promise<ToolResult> {
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
async function sessionFor(connection: Dialable, execution: Execution): Promise<Session> {
  // Many calls at once must not hammer a server that has just refused.
  if (connection.isRefused && !connection.isDialling) throw new Error(connection.absence);
  const outcome = await waitFor(connection.dial(), execution.timeoutMs, execution.request.signal);
  if (outcome === 'late') throw timedOut(execution.tool.name, execution.timeoutMs);
  if (outcome === 'aborted') throw new GatewayError('cancelled', `the call of ${execution.tool.name} was cancelled`);
  if (!connection.session) throw new Error(connection.absence);
  return connection.session;
}

/** Runs what is no tool call; on a session of its own where the server is to have none between calls. */
export async function useSession<Result>(
  connection: Callable,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  if (!connection.holdsSession) return useAlone(connection.singleSessions, Number.POSITIVE_INFINITY, work);
  const session = await connection.live();
  try {
    return await work(session);
  } catch (thrown) {
    if (!isNeverExecuted(thrown)) throw thrown;
  }
  if (connection.session === session) await connection.dial();
  return work(await connection.live());
}

async function useAlone<Result>(
  sessions: SingleSessions,
  timeoutMs: number,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const session = await sessions.open(timeoutMs);
  try {
    return await work(session);
  } finally {
    sessions.release(session);
  }
}
