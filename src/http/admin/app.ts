import express, { type Express, type Request, type RequestHandler } from 'express';
import { oauthRoutes } from '../oauth/routes.ts';
import type { RequestCheck } from '../origin.ts';
import { answerError, answerFailure, answerNotFound } from './errors.ts';
import { type LogQueries, logRoutes } from './logs.ts';
import { type McpAuthRoutes, mcpAuthRoutes } from './mcp-auth.ts';
import { type McpClientRoutes, mcpClientRoutes } from './mcp-clients.ts';
import { type ImportRoutes, importRoutes } from './mcp-import.ts';
import { type InspectRoutes, inspectRoutes } from './mcp-inspect.ts';
import { type LibraryRoutes, libraryRoutes } from './mcp-library.ts';
import { mcpLoginRoutes } from './mcp-login.ts';
import { type OpenApiRoutes, openApiRoutes } from './mcp-openapi.ts';
import { type McpSafetyRoutes, mcpSafetyRoutes } from './mcp-safety.ts';
import { type VirtualMcpRoutes, virtualMcpRoutes } from './mcp-virtual.ts';
import { type OauthSessionRoutes, oauthSessionRoutes } from './oauth-sessions.ts';
import { type SystemRoutes, systemRoutes } from './system.ts';

export interface AdminOptions
  extends ImportRoutes,
    InspectRoutes,
    LibraryRoutes,
    McpAuthRoutes,
    McpClientRoutes,
    McpSafetyRoutes,
    OauthSessionRoutes,
    OpenApiRoutes,
    SystemRoutes,
    VirtualMcpRoutes {
  /** Keeps foreign web pages out: `adminCheck`. */
  readonly check: RequestCheck;
  readonly logs: LogQueries;
  readonly clients: McpAuthRoutes['clients'] & McpClientRoutes['clients'] & SystemRoutes['clients'];
  readonly virtualMcps: VirtualMcpRoutes['virtualMcps'];
  readonly virtualMcpStore: VirtualMcpRoutes['virtualMcpStore'];
  /** The pages of the web UI, asked for whatever is not the API's. */
  readonly pages?: RequestHandler;
}

const MAX_BODY = '1mb';
/** An OpenAPI document of 5 MiB, as text in JSON. */
const MAX_MCP_BODY = '12mb';

/**
 * Where MCP clients look for an authorization server, at the root. They read JSON and take any page for an answer, so
 * the pages of the UI must never be found there.
 */
const AUTHORIZATION_PATHS = /^\/(?:\.well-known(?:\/.*)?|oauth2?(?:\/.*)?|register|authorize|token)$/;

/** The admin API and the web UI, on Express. */
export function createAdminApp(options: AdminOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  if (options.oauth) app.use(oauthRoutes(options.oauth));
  app.use(AUTHORIZATION_PATHS, answerNotFound);
  app.use(mcpLoginRoutes(options));
  app.use('/api', apiGuard(options.check));
  app.use('/api/mcp', express.json({ limit: MAX_MCP_BODY, strict: false }), storeGuard(options.config));
  app.use('/api', express.json({ limit: MAX_BODY, strict: false }));
  app.use(
    '/api',
    mcpAuthRoutes(options),
    mcpClientRoutes(options),
    mcpSafetyRoutes(options),
    virtualMcpRoutes(options),
    importRoutes(options),
    libraryRoutes(options),
    openApiRoutes(options),
    inspectRoutes(options),
    oauthSessionRoutes(options),
    logRoutes(options.logs),
    systemRoutes(options),
    answerNotFound,
  );
  if (options.pages) app.use(options.pages);
  app.use(answerNotFound);
  app.use(answerError);
  return app;
}

const apiGuard =
  (check: RequestCheck): RequestHandler =>
  (request, response, next) => {
    response.set({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    const refusal = check(request.headers);
    if (refusal) answerFailure(response, 403, refusal);
    else if (!isReading(request) && !carriesJson(request)) {
      answerFailure(response, 415, 'the body must be JSON: send Content-Type: application/json');
    } else next();
  };

/** Changes that would be lost at the next start are refused, as in the original. */
const storeGuard =
  (config: SystemRoutes['config']): RequestHandler =>
  (request, response, next) => {
    if (isReading(request) || config().config_store.enabled) next();
    else answerFailure(response, 503, 'MCP operations unavailable: config store is disabled');
  };

const isReading = ({ method }: Request): boolean => method === 'GET' || method === 'HEAD';

/** No web form can send JSON, so a write that carries it comes from a program, or from a page that was let in. */
function carriesJson(request: Request): boolean {
  const type = request.headers['content-type'];
  const hasBody = Number(request.headers['content-length'] ?? 0) > 0 || 'transfer-encoding' in request.headers;
  if (type === undefined) return !hasBody;
  return /^\s*application\/json\s*(?:;|$)/i.test(type);
}
