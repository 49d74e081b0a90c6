import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import type { McpClientConfig } from '../../config/schema.ts';
import { redacted } from '../../config/secrets.ts';
import type { CatalogTool, ClientStatus } from '../../mcp/contract.ts';
import { asGatewayError, type GatewayError } from '../../model/errors.ts';
import { clientForm } from '../../stores/client-form.ts';
import { clientChanges, newClient } from './client-changes.ts';
import {
  type ClientList,
  type ClientQuery,
  clientQuery,
  type Done,
  type ShownClient,
  type ShownTool,
} from './contract.ts';
import { adminError } from './errors.ts';
import { shownObject } from './redact.ts';

/** The running MCP clients, as far as the admin API changes them. */
export interface McpClients {
  statuses(): readonly ClientStatus[];
  config(id: string): McpClientConfig | undefined;
  /** Connects and lists the tools; when that fails it rejects, and nothing is left of the client. */
  add(config: McpClientConfig): Promise<unknown>;
  update(id: string, changes: Partial<McpClientConfig>): Promise<unknown>;
  remove(id: string): Promise<unknown>;
  reconnect(id: string): Promise<unknown>;
}

/** Where changes are kept for the next start. */
export interface ClientStore {
  put(config: McpClientConfig, formerName?: string): Promise<void>;
  remove(name: string): Promise<void>;
}

export interface McpClientRoutes {
  readonly clients: McpClients;
  readonly store: ClientStore;
}

export function mcpClientRoutes({ clients, store }: McpClientRoutes): Router {
  const router = Router();
  router.get('/mcp/clients', (request: Request, response: Response) => {
    response.json(listOf(clients, queryOf(request)));
  });
  router.post('/mcp/client', async (request: Request, response: Response) => {
    const config = newClient(request.body, randomUUID);
    checkUnique(clients, config);
    await addClient(clients, store, config);
    const message = config.disabled ? 'MCP client registered in disabled state' : 'MCP client connected successfully';
    response.json({ ...success(message), mcp_client_id: config.client_id });
  });
  router.put('/mcp/client/:id', async (request: Request<{ id: string }>, response: Response) => {
    await changeClient(clients, store, request.params.id, request.body);
    response.json(success('MCP client edited successfully'));
  });
  router.delete('/mcp/client/:id', async (request: Request<{ id: string }>, response: Response) => {
    const { id, name } = known(clients, request.params.id);
    await store.remove(name);
    await clients.remove(id);
    response.json(success('MCP client removed successfully'));
  });
  router.post('/mcp/client/:id/reconnect', async (request: Request<{ id: string }>, response: Response) => {
    const { id, config } = known(clients, request.params.id);
    if (config.disabled) {
      throw adminError(400, 'cannot reconnect a disabled MCP client: enable the client first');
    }
    await clients.reconnect(id).catch((thrown: unknown) => {
      throw withStatus500(thrown);
    });
    response.json(success('MCP client reconnected successfully'));
  });
  return router;
}

const success = (message: string): Done => ({ status: 'success', message });

function queryOf({ query }: Request): ClientQuery {
  const parsed = clientQuery.safeParse(query);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw adminError(400, `Invalid ${issue?.path.join('.')} parameter: ${issue?.message}`);
}

function listOf(clients: McpClients, { search, state, connection_type, limit, offset }: ClientQuery): ClientList {
  const matching = clients
    .statuses()
    .flatMap((status) => {
      const config = clients.config(status.id);
      return config ? [shownClient(status, config)] : [];
    })
    .filter(
      (client) =>
        (!search || client.config.name.toLowerCase().includes(search.toLowerCase())) &&
        (!state || client.state === state) &&
        (!connection_type || client.config.connection_type === connection_type),
    );
  const page = matching.slice(offset, offset + limit);
  return { clients: page, count: page.length, total_count: matching.length, limit, offset };
}

function shownClient(status: ClientStatus, config: McpClientConfig): ShownClient {
  const { id, name, state, hiddenTools, restarts, stderr, lastFailure, serverInfo, pid, isStale, isResting } = status;
  return {
    config: {
      ...shownObject(clientForm(config, redacted)),
      client_id: id,
      name,
      connection_type: config.connection_type,
    },
    state,
    tools: status.tools.map(shownTool).sort((a, b) => (a.name < b.name ? -1 : 1)),
    hidden_tools: [...hiddenTools],
    held_tools: status.heldTools.map(({ tool, why }) => ({ tool, why })),
    flagged_tools: status.flaggedTools.map(({ tool, findings }) => ({
      tool,
      severity: findings[0]?.severity ?? 'low',
      rules: [...new Set(findings.map(({ rule }) => rule))],
    })),
    restarts,
    is_stale: isStale,
    is_resting: isResting,
    stderr: [...stderr],
    ...(lastFailure && { last_failure: lastFailure }),
    ...(serverInfo && { server_info: serverInfo }),
    ...(pid !== undefined && { pid }),
  };
}

const shownTool = (tool: CatalogTool): ShownTool => ({
  name: tool.name,
  upstream_name: tool.upstreamName,
  ...(tool.description !== undefined && { description: tool.description }),
  parameters: tool.inputSchema,
  annotations: { ...tool.annotations },
  auto_execute: tool.autoExecute,
});

function known(clients: McpClients, id: string): { id: string; name: string; config: McpClientConfig } {
  const config = clients.config(id);
  if (!config) throw adminError(404, 'MCP client not found');
  return { id, name: config.name, config };
}

function checkUnique(clients: McpClients, { name, client_id }: McpClientConfig, except?: string): void {
  const others = clients.statuses().filter(({ id }) => id !== except);
  if (others.some((other) => other.name === name)) {
    throw adminError(409, 'An MCP client with this name already exists');
  }
  if (except === undefined && others.some(({ id }) => id === client_id)) {
    throw adminError(409, 'An MCP client with this client_id already exists');
  }
}

async function addClient(clients: McpClients, store: ClientStore, config: McpClientConfig): Promise<void> {
  try {
    await clients.add(config);
  } catch (thrown) {
    throw withStatus500(thrown);
  }
  try {
    await store.put(config);
  } catch (thrown) {
    await clients.remove(config.client_id ?? '');
    throw thrown;
  }
}

async function changeClient(clients: McpClients, store: ClientStore, id: string, body: unknown): Promise<void> {
  const { name, config } = known(clients, id);
  const changes = clientChanges(config, body);
  const changed = { ...config, ...changes, client_id: id };
  checkUnique(clients, changed, id);
  await store.put(changed, name);
  try {
    await clients.update(id, changes);
  } catch (thrown) {
    await store.put({ ...config, client_id: id }, changed.name);
    throw withStatus500(thrown);
  }
}

/** Whatever keeps a server from being reached is answered with 500 here, as the original does. */
function withStatus500(thrown: unknown): GatewayError {
  const error = asGatewayError(thrown);
  return error.kind === 'invalid-request' ? error : adminError(500, error.message, thrown);
}
