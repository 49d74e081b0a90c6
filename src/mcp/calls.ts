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
export function callTool(connection: Callable, execution: Execution): Promise<ToolResult> {
  const blocked = blockedReason(connection.life, connection.config);
  if (blocked) {
    throw new GatewayError('authentication', `MCP tool call failed for ${execution.tool.name}: ${blocked}`);
  }
  if (!listedTool(connection, execution)) return callUnlisted(connection, execution);
  if (execution.own) return execution.own.then((session) => executeReleased(connection, session, execution));
  return connection.holdsSession ? runCall(connection, execution) : runAlone(connection, execution);
}

/** A tool that the list does not have is looked for once more where that list was not the server's own. */
async function callUnlisted(connection: Callable, execution: Execution): Promise<ToolResult> {
  const { name, upstreamName } = execution.tool;
  if (!connection.isVerified) {
    if (connection.holdsSession) await sessionFor(connection, execution);
    else await connection.dial();
  }
  if (!connection.listedTool(upstreamName)) throw new GatewayError('not-found', unknownTool(name));
  return callTool(connection, execution);
}

const listedTool = (connection: Callable, { tool, listed }: Execution): ListedTool | undefined =>
  listed ?? connection.listedTool(tool.upstreamName);

/** What is held back is looked at once more: the server may have been asked for its list after the call was let in. */
function executeReleased(connection: Callable, session: Session, execution: Execution): Promise<ToolResult> {
  const { tool, request } = execution;
  const heldBack = listedTool(connection, execution)?.heldBack;
  if (!heldBack) return execute(session, execution);
  const refusal = refusalOf({ ...tool, heldBack }, connection.config, request.caller);
  throw new GatewayError('permission', refusal ?? unknownTool(tool.name));
}

/** Runs one call on a session of its own, for servers that are to have none between calls. */
async function runAlone(connection: Callable, execution: Execution): Promise<ToolResult> {
  try {
    return await onSession(connection, execution);
  } catch (thrown) {
    if (!mayRepeat(thrown, connection, execution)) throw thrown;
  }
  return onSession(connection, execution);
}

const onSession = (connection: Callable, execution: Execution): Promise<ToolResult> =>
  useAlone(connection.singleSessions, execution.timeoutMs, async (session) =>
    executeReleased(connection, session, execution),
  );

/** A request that may have been run is sent again only where that does no harm. */
function mayRepeat(thrown: unknown, connection: Callable, { tool, request }: Execution): boolean {
  if (request.signal.aborted) return false;
  return isNeverExecuted(thrown) || (isTransient(thrown) && isRepeatable(connection.listedTool(tool.upstreamName)));
}

/** Running it twice does what running it once does, by the server's own word. */
const isRepeatable = (tool: ListedTool | undefined): boolean =>
  tool?.annotations.readOnlyHint === true || tool?.annotations.idempotentHint === true;

/** Runs one call, on a new session where there is none or where the server forgot ours. */
async function runCall(connection: Callable, execution: Execution): Promise<ToolResult> {
  const session = connection.session ?? (await sessionFor(connection, execution));
  try {
    return await executeReleased(connection, session, execution);
  } catch (thrown) {
    if (!mayRepeat(thrown, connection, execution)) throw thrown;
  }
  // Whoever comes first dials; the others find the new session, or wait for it.
  const isNewer = connection.session !== undefined && connection.session !== session;
  const fresh = isNewer ? connection.session : undefined;
  return executeReleased(connection, fresh ?? (await sessionFor(connection, execution)), execution);
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
