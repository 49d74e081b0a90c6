import type { McpClientConfig } from '../config/schema.ts';
import { GatewayError } from '../model/errors.ts';
import { isPerUser } from './auth/identity.ts';
import { exposedName, offeredTools } from './catalog.ts';
import type { Connection } from './connection.ts';
import type { ClientStatus } from './contract.ts';
import { reasonOf } from './failures.ts';

/** One client as the gateway holds it. */
export interface Entry {
  readonly id: string;
  config: McpClientConfig;
  /** Absent while the client is disabled. */
  connection: Connection | undefined;
}

export function statusOf({ id, config, connection }: Entry): ClientStatus {
  const listed = connection?.listed ?? [];
  const tools = offeredTools(config, listed);
  const offered = new Set(tools.map((tool) => tool.name));
  const others = listed.filter(({ upstreamName }) => !offered.has(exposedName(config.name, upstreamName)));
  return {
    id,
    name: config.name,
    state: connection?.state ?? 'disabled',
    tools,
    hiddenTools: others.filter(({ heldBack }) => !heldBack).map(({ upstreamName }) => upstreamName),
    heldTools: listed.flatMap(({ upstreamName: tool, heldBack: why }) => (why ? [{ tool, why }] : [])),
    flaggedTools: listed.flatMap(({ upstreamName: tool, findings }) => (findings ? [{ tool, findings }] : [])),
    ...(connection?.lastFailure && { lastFailure: connection.lastFailure }),
    ...(connection?.server.info && { serverInfo: connection.server.info }),
    ...(connection?.pid !== undefined && { pid: connection.pid }),
    isStale: connection?.isStale ?? false,
    isResting: connection?.isResting ?? false,
    restarts: connection?.restarts ?? 0,
    stderr: connection?.stderr ?? [],
  };
}

export function connectFailure({ config, connection }: Entry, thrown: unknown): GatewayError {
  const reason = connection?.lastFailure?.message ?? reasonOf(thrown);
  return new GatewayError('network', `Failed to connect MCP client: ${config.name}: ${reason}`, { cause: thrown });
}

/** The connection that may be made anew by hand. Throws GatewayError with the reason where there is none. */
export function reconnectable(entry: Entry): Connection {
  const { config, connection } = entry;
  if (!connection) {
    throw new GatewayError('invalid-request', 'cannot reconnect a disabled MCP client: enable the client first');
  }
  if (isPerUser(config)) {
    throw new GatewayError('invalid-request', 'cannot reconnect an MCP client to which each user connects alone');
  }
  if (!connection.holdsSession) {
    throw new GatewayError(
      'invalid-request',
      'cannot reconnect an MCP client that connects for each call (needs_session_stickiness is false)',
    );
  }
  if (connection.isDialling) throw new GatewayError('invalid-request', 'reconnect already in progress');
  return connection;
}
