import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import type { Config } from '../../config/load.ts';
import type { McpClientConfig } from '../../config/schema.ts';
import { commandFault, refuseAddress } from '../../mcp/api-clients.ts';
import type { ClientStatus } from '../../mcp/contract.ts';
import { ownerOfSlug, slugOf } from '../../mcp/endpoints.ts';
import { asGatewayError, type GatewayError } from '../../model/errors.ts';
import { bodyOf, clientChanges, newClient } from './client-changes.ts';
import type { Done } from './contract.ts';
import { adminError } from './errors.ts';
import { assign, assignmentsIn, followRename, type KeyRooms } from './key-assignments.ts';
import { clientFacets, clientList } from './mcp-client-list.ts';
import { checkOpenApi } from './mcp-openapi.ts';
import { checkedQuery } from './queries.ts';
import { clientQuery } from './query-contract.ts';
import { keepChosen, type VirtualMcpRooms } from './virtual-renames.ts';

/** The running MCP clients, as far as the admin API changes them. */
export interface McpClients {
  statuses(): readonly ClientStatus[];
  config(id: string): McpClientConfig | undefined;
  /** Connects and lists the tools; when that fails it rejects, and nothing is left of the client. */
  add(config: McpClientConfig): Promise<unknown>;
  update(id: string, changes: Partial<McpClientConfig>): Promise<ClientStatus>;
  remove(id: string): Promise<unknown>;
  reconnect(id: string): Promise<unknown>;
}

/** Where changes are kept for the next start. */
export interface ClientStore {
  put(config: McpClientConfig, formerName?: string): Promise<void>;
  remove(name: string): Promise<void>;
}

export interface McpClientRoutes extends KeyRooms, VirtualMcpRooms {
  readonly clients: McpClients;
  readonly store: ClientStore;
  readonly config: () => Config;
}

export function mcpClientRoutes(options: McpClientRoutes): Router {
  const { clients, store, keys } = options;
  const router = Router();
  router.get('/mcp/clients', (request: Request, response: Response) => {
    response.json(clientList(clients, keys.list, checkedQuery(clientQuery, request)));
  });
  router.get('/mcp/clients/filterdata', (_request: Request, response: Response) => {
    response.json(clientFacets(clients));
  });
  router.post('/mcp/client', async (request: Request, response: Response) => {
    const config = newClient(request.body, randomUUID);
    const assignments = assignmentsIn(bodyOf(request.body), options);
    const fault = await clientFault(options, config);
    if (fault) throw fault;
    await checkOpenApi(config);
    await addClient(clients, store, config);
    if (assignments) await assign(config, assignments, options);
    response.json({ ...success(addedMessage(config)), mcp_client_id: config.client_id });
  });
  router.put('/mcp/client/:id', async (request: Request<{ id: string }>, response: Response) => {
    response.json(await changeClient(options, request.params.id, request.body));
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
      throw withStatus500(thrown, (message) => message.replace(/^Failed to connect/, 'Failed to reconnect'));
    });
    response.json(success('MCP client reconnected successfully'));
  });
  return router;
}

export const addedMessage = ({ disabled }: McpClientConfig): string =>
  disabled ? 'MCP client registered in disabled state' : 'MCP client connected successfully';

const success = (message: string): Done => ({ status: 'success', message });

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

/** Why a new client cannot be, whatever it is; undefined when it can. */
export async function clientFault(
  { clients, virtualMcps, config: settings }: Pick<McpClientRoutes, 'clients' | 'virtualMcps' | 'config'>,
  config: McpClientConfig,
): Promise<GatewayError | undefined> {
  try {
    checkUnique(clients, config);
    checkSlug(clients, virtualMcps.list, config);
    const rules = settings().mcp.api_clients;
    const command = commandFault(config, rules);
    if (command) throw adminError(403, command);
    await refuseAddress(config, rules);
    return undefined;
  } catch (thrown) {
    return asGatewayError(thrown);
  }
}

/** Clients and virtual MCPs share the addresses under /mcp/. Without a slug of its own a client is served by its name, which is taken only by a virtual MCP. */
function checkSlug(
  clients: McpClients,
  virtualMcps: McpClientRoutes['virtualMcps']['list'],
  { name, endpoint_slug }: McpClientConfig,
): void {
  const slug = endpoint_slug ?? slugOf(name);
  const configs = endpoint_slug === undefined ? [] : clients.statuses().flatMap(({ id }) => clients.config(id) ?? []);
  const owner = ownerOfSlug(slug, virtualMcps, configs);
  if (owner) throw adminError(409, `endpoint_slug '${slug}' is taken by ${owner}`);
}

/** Connects and keeps a client; when either fails, nothing is left of it. */
export async function addClient(clients: McpClients, store: ClientStore, config: McpClientConfig): Promise<void> {
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

async function changeClient(options: McpClientRoutes, id: string, body: unknown): Promise<Done> {
  const { clients, store } = options;
  const { name, config } = known(clients, id);
  const changes = clientChanges(config, body);
  const assignments = assignmentsIn(bodyOf(body), options);
  const changed = { ...config, ...changes, client_id: id };
  if (changes.openapi_config) await checkOpenApi(changed);
  checkUnique(clients, changed, id);
  await store.put(changed, name);
  let status: ClientStatus;
  try {
    status = await clients.update(id, changes);
  } catch (thrown) {
    await store.put({ ...config, client_id: id }, changed.name);
    throw withStatus500(thrown);
  }
  if (changed.name !== name) {
    await followRename(changed, name, options);
    await keepChosen(changed, name, options);
  }
  if (assignments) await assign(changed, assignments, options);
  return edited(changes, status);
}

/** The change is kept; where it changed how calls connect, it is also told whether they do. */
function edited(changes: Partial<McpClientConfig>, { state, lastFailure }: ClientStatus): Done {
  const message = 'MCP client edited successfully';
  if (!('needs_session_stickiness' in changes) || state === 'disabled') return success(message);
  const mode =
    changes.needs_session_stickiness === false
      ? 'From now on each call opens a connection of its own.'
      : 'From now on one connection is shared by all calls.';
  if (state === 'healthy') return success(`${message}. ${mode}`);
  const why = lastFailure?.message ?? `the client is ${state}`;
  return {
    status: 'partial_success',
    message: `${message}. However, the server could not be connected: ${why}. It is tried again by itself.`,
  };
}

/** Whatever keeps a server from being reached is answered with 500 here, as the original does. */
function withStatus500(thrown: unknown, said = (message: string) => message): GatewayError {
  const error = asGatewayError(thrown);
  return error.kind === 'invalid-request' ? error : adminError(500, said(error.message), thrown);
}
