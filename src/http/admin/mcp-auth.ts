import { randomUUID } from 'node:crypto';
import { type NextFunction, type Request, type Response, Router } from 'express';
import { type McpClientConfig, mcpClient } from '../../config/schema.ts';
import { DISCOVERY, isPerUser, needsLogin, ownIdentity, usesOauth } from '../../mcp/auth/identity.ts';
import { type BegunLogin, setupFrom } from '../../mcp/auth/oauth-logins.ts';
import { tokensFrom } from '../../mcp/auth/tokens.ts';
import { checkedHeaders } from '../../mcp/auth/upstream-auth.ts';
import type { ClientStatus } from '../../mcp/contract.ts';
import { asGatewayError, type GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import type { StoredOauthConfig } from '../../model/mcp-credentials.ts';
import { clientForm, storedSecret } from '../../stores/client-form.ts';
import { clientChanges, newClient } from './client-changes.ts';
import { adminError } from './errors.ts';
import { assign, assignmentsIn, type KeyRooms } from './key-assignments.ts';
import { addClient, addedMessage, type ClientStore, clientFault, type McpClientRoutes } from './mcp-clients.ts';
import { baseOf, type LoginClients, type McpLoginOptions } from './mcp-login.ts';
import { rotateOauth } from './mcp-rotation.ts';

type Clients = McpClientRoutes['clients'] &
  LoginClients & {
    statuses(): readonly ClientStatus[];
    connection(id: string): { redial(): Promise<void>; needsReauth(reason: string): void } | undefined;
  };

export interface McpAuthRoutes extends McpLoginOptions, KeyRooms, Pick<McpClientRoutes, 'virtualMcps' | 'config'> {
  readonly clients: Clients;
  readonly store: ClientStore;
}

type WithId = Request<{ id: string }>;

/** Logins of MCP clients by an admin. Stands before the routes of clients, and leaves to them what needs no login. */
export function mcpAuthRoutes(options: McpAuthRoutes): Router {
  const router = Router();
  router.post('/mcp/client', async (request: Request, response: Response, next: NextFunction) => {
    const body: unknown = request.body;
    const type = isObject(body) ? body.auth_type : undefined;
    if (type === 'token_exchange') throw adminError(400, "auth_type 'token_exchange' is not supported");
    if (!isObject(body) || (type !== 'per_user_headers' && type !== 'oauth' && type !== 'per_user_oauth')) next();
    else if (type === 'per_user_headers') response.json(await withHeaders(body, options));
    else response.json(await withOauth(request, body, options));
  });
  router.post('/mcp/client/:id/complete-oauth', async (request: WithId, response: Response) => {
    response.json(await completed(request.params.id, options));
  });
  router.post('/mcp/client/:id/initiate-verification', async (request: WithId, response: Response) => {
    const config = knownOauth(request, 'initiate-verification', options);
    const missing = await options.auth.missing({ config, identity: ownIdentity(config) });
    if (!missing) throw adminError(400, 'MCP client is verified already: use reauthorize to log in again');
    response.json(await begun(request, config, options));
  });
  router.post('/mcp/client/:id/reauthorize', async (request: WithId, response: Response) => {
    const config = knownOauth(request, 'reauthorize', options);
    const kept = await (await options.auth.store()).credential(config.client_id ?? '', ownIdentity(config));
    if (!kept) {
      const instead = 'use initiate-verification instead';
      throw adminError(400, `MCP client has not completed initial OAuth authorization yet; ${instead}`);
    }
    response.json(await begun(request, config, options));
  });
  router.post('/mcp/client/:id/verify-headers', async (request: WithId, response: Response) => {
    response.json(await headersVerified(request, options));
  });
  // the rest of what a PUT changes is for the route of clients
  router.put('/mcp/client/:id', async (request: WithId, _response: Response, next: NextFunction) => {
    const body: unknown = request.body;
    const config = options.clients.config(request.params.id);
    if (config && isObject(body) && body.oauth_config !== undefined) {
      // what is wrong with the rest is told before any login ends
      clientChanges(config, body);
      assignmentsIn(body, options);
      await rotateOauth(config, body, options);
    }
    next();
  });
  router.get('/oauth/config/:id/status', async (request: WithId, response: Response) => {
    response.json(await statusOf(request.params.id, options));
  });
  return router;
}

/** Nothing is stored as a client until the login is complete. */
async function withOauth(request: Request, body: JsonObject, options: McpAuthRoutes): Promise<JsonObject> {
  if (!isObject(body.oauth_config)) {
    throw adminError(400, `OAuth configuration is required when auth_type is '${body.auth_type}': give oauth_config`);
  }
  const { config, assignments } = await newOne(body, options);
  // written by `clientForm`, which gives JSON
  const pendingClient = clientForm(config, storedSecret) as JsonObject;
  const login = { config, identity: ownIdentity(config), base: baseOf(request, options), pendingClient };
  const pending = await options.auth.logins.begin(login).catch(notBegun);
  // by the id, under which the client comes to be once the login is complete
  if (assignments) await assign(config, assignments, options);
  return pendingBody(config, pending);
}

async function withHeaders(body: JsonObject, options: McpAuthRoutes): Promise<JsonObject> {
  const { auth, clients, store } = options;
  const { user_headers: given, ...rest } = body;
  const { config, assignments } = await newOne(rest, options);
  // one that is off is not asked, and waits for its verification once it is on
  if (!config.disabled) {
    const values = checkedHeaders(config.per_user_header_keys ?? [], isObject(given) ? given : {}, 'sample ');
    await verified(config, values, options);
    await auth.tookHeaders({ config, identity: DISCOVERY }, values);
  }
  try {
    await addClient(clients, store, config);
  } catch (thrown) {
    await auth.forgetClient(config.client_id ?? '');
    throw thrown;
  }
  if (assignments) await assign(config, assignments, options);
  return { status: 'success', message: addedMessage(config), mcp_client_id: config.client_id ?? '' };
}

async function headersVerified(request: WithId, options: McpAuthRoutes): Promise<JsonObject> {
  const { auth, clients } = options;
  const config = known(request.params.id, options);
  if (config.auth_type !== 'per_user_headers') {
    const only = "verify-headers only applies to auth_type='per_user_headers' clients";
    throw adminError(400, `${only}, got "${config.auth_type}"`);
  }
  const body: unknown = request.body;
  const given = isObject(body) && isObject(body.user_headers) ? body.user_headers : {};
  const values = checkedHeaders(config.per_user_header_keys ?? [], given);
  const toolsCount = await verified(config, values, options);
  await auth.tookHeaders({ config, identity: DISCOVERY }, values);
  await clients.loggedIn(request.params.id, DISCOVERY);
  return { status: 'success', message: 'MCP client headers verified successfully', tools_count: toolsCount };
}

async function verified(
  config: McpClientConfig,
  values: Readonly<Record<string, string>>,
  { clients }: McpAuthRoutes,
): Promise<number> {
  try {
    return await clients.probe(config, values);
  } catch (thrown) {
    const { message } = asGatewayError(thrown);
    const secrets = Object.values(values).filter((value) => value.length >= 4);
    const hidden = secrets.reduce((text, value) => text.replaceAll(value, '***'), message);
    throw adminError(422, `Verification failed: ${hidden}`);
  }
}

/** `id` is that of the login, not of the client. */
async function completed(id: string, options: McpAuthRoutes): Promise<JsonObject> {
  const { auth, clients, store } = options;
  const rows = await auth.store();
  const row = await rows.oauthConfig(id);
  const setup = row && setupFrom(row.secret);
  if (!row) throw adminError(404, 'OAuth config not found');
  if (row.status !== 'authorized' || !setup) {
    throw adminError(400, `OAuth not authorized yet. Current status: ${shownStatus(row)}`);
  }
  if (setup.completed) throw adminError(409, 'OAuth flow has already been completed for this MCP client');
  const waiting = setup.pendingClient && !clients.config(row.mcpClientId) ? setup.pendingClient : undefined;
  if (waiting) {
    const config = mcpClient.parse(waiting);
    const fault = await clientFault(options, config);
    if (fault) throw fault;
    await addClient(clients, store, config);
  } else await reconnected(row.mcpClientId, options);
  const { pendingClient: _, ...secret } = row.secret;
  await rows.putOauthConfig({ ...row, secret: { ...secret, completed: true } });
  const config = known(row.mcpClientId, options);
  return {
    status: 'success',
    message: 'MCP client connected successfully with OAuth',
    mcp_client_id: row.mcpClientId,
    ...(isPerUser(config) && { tools_count: toolsOf(row.mcpClientId, options) }),
  };
}

/** The way back has woken the client; whoever completes the login hears whether it could connect. */
async function reconnected(id: string, { clients }: McpAuthRoutes): Promise<void> {
  if (known(id, { clients }).disabled) return;
  await clients
    .connection(id)
    ?.redial()
    .catch((thrown: unknown) => {
      const { message } = asGatewayError(thrown);
      throw adminError(500, `Failed to reconnect MCP client with updated OAuth credentials: ${message}`, thrown);
    });
}

async function begun(request: Request, config: McpClientConfig, options: McpAuthRoutes): Promise<JsonObject> {
  const { auth } = options;
  const login = { config, identity: ownIdentity(config) };
  const scope = await auth.neededScope(login);
  const begin = auth.logins.begin({ ...login, base: baseOf(request, options), scope });
  return pendingBody(config, await begin.catch(notBegun));
}

function pendingBody({ name, client_id: id }: McpClientConfig, begun: BegunLogin): JsonObject {
  const { oauthConfigId, authorizeUrl, expiresAtMs } = begun;
  const completeUrl = `/api/mcp/client/${oauthConfigId}/complete-oauth`;
  const statusUrl = `/api/oauth/config/${oauthConfigId}/status`;
  return {
    status: 'pending_oauth',
    message: `OAuth authorization required for MCP client ${name}`,
    oauth_config_id: oauthConfigId,
    authorize_url: authorizeUrl,
    expires_at: new Date(expiresAtMs).toISOString(),
    mcp_client_id: id ?? '',
    complete_url: completeUrl,
    status_url: statusUrl,
    next_steps: [
      'Open authorize_url in a browser and log in',
      `Ask GET ${statusUrl} until its status is "authorized"`,
      `POST ${completeUrl} to connect the MCP client`,
    ],
  };
}

async function statusOf(id: string, { auth }: McpAuthRoutes): Promise<JsonObject> {
  const rows = await auth.store();
  const row = await rows.oauthConfig(id);
  if (!row) throw adminError(404, 'OAuth config not found');
  const credentials = await rows.credentialsOf(row.mcpClientId);
  const credential = credentials.find(({ secret }) => secret.oauthConfigId === id);
  const tokens = credential && tokensFrom(credential.secret);
  return {
    id,
    status: shownStatus(row),
    created_at: new Date(row.createdAtMs).toISOString(),
    expires_at: new Date(row.expiresAtMs).toISOString(),
    ...(credential && { token_id: credential.id }),
    ...(tokens?.expiresAtMs !== undefined && { token_expires_at: new Date(tokens.expiresAtMs).toISOString() }),
    ...(tokens && { token_scopes: tokens.scope?.split(' ') ?? [] }),
  };
}

/** A login that nobody finished in time has failed. */
const shownStatus = ({ status, expiresAtMs }: StoredOauthConfig): string =>
  status === 'pending' && expiresAtMs < Date.now() ? 'failed' : status;

async function newOne(body: JsonObject, options: McpAuthRoutes) {
  const config = newClient(body, randomUUID);
  const assignments = assignmentsIn(body, options);
  const fault = await clientFault(options, config);
  if (fault) throw fault;
  return { config, assignments };
}

function known(id: string, { clients }: Pick<McpAuthRoutes, 'clients'>): McpClientConfig {
  const config = clients.config(id);
  if (!config) throw adminError(404, 'MCP client not found');
  return config;
}

function knownOauth(request: WithId, action: string, options: McpAuthRoutes): McpClientConfig {
  const config = known(request.params.id, options);
  if (needsLogin(config) && usesOauth(config)) return config;
  const only = `${action} only applies to OAuth-based clients (oauth, per_user_oauth)`;
  throw adminError(400, `${only}, got "${config.auth_type}"`);
}

const toolsOf = (id: string, { clients }: McpAuthRoutes): number =>
  clients.statuses().find((status) => status.id === id)?.tools.length ?? 0;

function notBegun(thrown: unknown): never {
  const error: GatewayError = asGatewayError(thrown);
  if (error.kind === 'invalid-request') throw error;
  throw adminError(500, `Failed to initiate OAuth flow: ${error.message}`, thrown);
}
