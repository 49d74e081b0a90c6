import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import type { McpClientConfig } from '../../config/schema.ts';
import { isPerUser, usesOauth } from '../../mcp/auth/identity.ts';
import { CALLBACK_PATH, CLIENT_DOCUMENT_PATH, callbackUrl } from '../../mcp/auth/oauth-logins.ts';
import { clientMetadata } from '../../mcp/auth/registration.ts';
import { checkedHeaders, LOGIN_PATH, newBrowserSecret, type UpstreamAuth } from '../../mcp/auth/upstream-auth.ts';
import { asGatewayError, GatewayError } from '../../model/errors.ts';
import { isObject } from '../../model/json.ts';
import type { PendingFlow } from '../../model/mcp-credentials.ts';
import { addressOf } from '../caller.ts';
import { consentPage, headersPage, notice } from './login-pages.ts';

/** The running MCP clients, as far as logins concern them. */
export interface LoginClients {
  config(id: string): McpClientConfig | undefined;
  /** Somebody's login was renewed. */
  loggedIn(id: string, identity: string): Promise<void>;
  /** Connects with these headers and counts the tools. */
  probe(config: McpClientConfig, headers: Readonly<Record<string, string>>): Promise<number>;
}

export interface McpLoginOptions {
  readonly auth: UpstreamAuth;
  readonly clients: LoginClients;
  /** `client.mcp_external_client_url`, where it is set. */
  readonly externalUrl?: string | undefined;
}

const COOKIE = 'bf_mcp_login';

/** Where browsers reach the gateway: as configured, else as this request did. */
export const baseOf = (request: Request, { externalUrl }: Pick<McpLoginOptions, 'externalUrl'>): string =>
  externalUrl ?? addressOf(request.headers) ?? '';

/**
 * What browsers are sent to, from chats, terminals and authorization servers: no login to the admin API stands before
 * it, and nothing is shown or done here without knowing a flow's secret name.
 */
export function mcpLoginRoutes(options: McpLoginOptions): Router {
  const router = Router();
  router.use([CALLBACK_PATH, LOGIN_PATH], pageHeaders);
  router.get(CLIENT_DOCUMENT_PATH, (request: Request, response: Response) => {
    const base = baseOf(request, options);
    const document = clientMetadata(callbackUrl(base));
    response.json({ client_id: `${base}${CLIENT_DOCUMENT_PATH}`, ...document, token_endpoint_auth_method: 'none' });
  });
  router.get(CALLBACK_PATH, async (request: Request, response: Response) => {
    await finished(request, response, options).catch((thrown: unknown) => showFault(response, thrown));
  });
  router.get(LOGIN_PATH, async (request: Request, response: Response) => {
    await shown(request, response, options).catch((thrown: unknown) => showFault(response, thrown));
  });
  router.post(
    LOGIN_PATH,
    express.urlencoded({ extended: false, limit: '64kb' }),
    async (request: Request, response) => {
      await submitted(request, response, options).catch((thrown: unknown) => showFault(response, thrown));
    },
  );
  return router;
}

/** No scripts, no frames, no copies. A form's redirect may lead to any authorization server. */
const pageHeaders: RequestHandler = (_request, response, next) => {
  response.set({
    'cache-control': 'no-store',
    'content-security-policy':
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self' http: https:",
    // an origin of `null` would come with forms if referrers were off altogether
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  });
  next();
};

async function finished(request: Request, response: Response, { auth, clients }: McpLoginOptions): Promise<void> {
  const { state, code, error, iss } = request.query;
  const login = await auth.logins.finish({
    state: textOf(state),
    code: textOf(code),
    error: textOf(error),
    iss: textOf(iss),
    browserSecret: cookieOf(request),
  });
  await auth.took(login);
  await clients.loggedIn(login.mcpClientId, login.identity);
  const name = clients.config(login.mcpClientId)?.name;
  const where = name ? `The login for ${name} is done.` : 'The login is done.';
  response.clearCookie(COOKIE, { path: CALLBACK_PATH });
  response.type('html').send(notice('Connected', `${where} You can close this window.`));
}

async function shown(request: Request, response: Response, options: McpLoginOptions): Promise<void> {
  const { config } = await flowOf(request, options);
  response.type('html').send(pageFor(config));
}

async function submitted(request: Request, response: Response, options: McpLoginOptions): Promise<void> {
  const { auth, clients } = options;
  checkSameSite(request, options);
  const { flow, config } = await flowOf(request, options);
  const { identity } = flow;
  if (usesOauth(config)) return sentToLogin(request, response, options, { flow, config });
  const body: unknown = request.body;
  const keys = config.per_user_header_keys ?? [];
  try {
    const values = checkedHeaders(keys, isObject(body) ? body : {});
    await clients.probe(config, values);
    await auth.tookHeaders({ config, identity }, values);
  } catch (thrown) {
    response
      .status(422)
      .type('html')
      .send(pageFor(config, `Not taken: ${asGatewayError(thrown).message}`));
    return;
  }
  await auth.closeFlow(flow.id);
  await clients.loggedIn(flow.mcpClientId, identity);
  response
    .type('html')
    .send(notice('Connected', `Your access to ${config.name} is set up. You can close this window.`));
}

async function sentToLogin(
  request: Request,
  response: Response,
  options: McpLoginOptions,
  { flow, config }: { flow: PendingFlow; config: McpClientConfig },
): Promise<void> {
  const { auth } = options;
  const browserSecret = newBrowserSecret();
  const base = baseOf(request, options);
  const login = { config, identity: flow.identity };
  const scope = await auth.neededScope(login);
  const { authorizeUrl, expiresAtMs } = await auth.logins.begin({ ...login, base, scope, browserSecret });
  response.cookie(COOKIE, browserSecret, {
    httpOnly: true,
    // the way back is a navigation from another site, with which `strict` cookies are not sent
    sameSite: 'lax',
    secure: base.startsWith('https:'),
    path: CALLBACK_PATH,
    expires: new Date(expiresAtMs),
  });
  response.redirect(303, authorizeUrl);
}

function pageFor(config: McpClientConfig, fault?: string): string {
  const server = new URL(config.connection_string?.value ?? 'http://unknown').host;
  if (usesOauth(config)) return consentPage(config.name, server);
  const fields = (config.per_user_header_keys ?? []).map((name) => ({ name, label: name }));
  return headersPage(config.name, server, fields, fault);
}

async function flowOf(
  request: Request,
  { auth, clients }: McpLoginOptions,
): Promise<{ flow: PendingFlow; config: McpClientConfig }> {
  const flow = await auth.openFlow(textOf(request.query.flow) ?? '');
  const config = flow && clients.config(flow.mcpClientId);
  if (flow && config && isPerUser(config)) return { flow, config };
  throw new GatewayError(
    'not-found',
    'this link is not known or older than 15 minutes; call the tool again for a new one',
  );
}

/** A browser says where a form comes from; one that does not is let through only without any such header. */
function checkSameSite(request: Request, options: McpLoginOptions): void {
  const { origin, 'sec-fetch-site': site } = request.headers;
  const isOwn = origin === undefined || origin === baseOf(request, options) || origin === addressOf(request.headers);
  if (isOwn && (site === undefined || site === 'same-origin' || site === 'none')) return;
  throw new GatewayError('permission', 'this form was sent from another web site');
}

function showFault(response: Response, thrown: unknown): void {
  const { kind, message, details } = asGatewayError(thrown);
  const status = details.status ?? { 'not-found': 404, permission: 403, 'invalid-request': 400 }[String(kind)] ?? 502;
  response.status(status).type('html').send(notice('This did not work', message));
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const cookieOf = ({ headers }: Request): string | undefined =>
  headers.cookie
    ?.split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(`${COOKIE}=`))
    ?.slice(COOKIE.length + 1);
