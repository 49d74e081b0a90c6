import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { bodyOf, type Loopback, onLoopback } from './loopback.ts';

export interface OauthOptions {
  /** Where the authorization server describes itself; `none`: the paths of 2025-03-26 without a description. */
  readonly metadata?: 'rfc8414' | 'openid' | 'none';
  readonly registers?: boolean;
  readonly takesDocuments?: boolean;
  readonly expiresInSeconds?: number | undefined;
  readonly givesRefreshTokens?: boolean;
  /** Scopes that the challenge of the MCP server names. */
  readonly challengeScope?: string;
  readonly scopesSupported?: readonly string[];
  readonly authMethods?: readonly string[];
  /** Said by the protected resource metadata in place of the truth. */
  readonly resource?: string;
}

/** How the token endpoint answers a refresh. */
type RefreshMode = 'ok' | 'invalid_grant' | 'invalid_client' | 'fails' | 'garbled';

interface Issued {
  readonly clientId: string;
  readonly scope: string;
  readonly resource: string | null;
  alive: boolean;
}

export interface OauthFixture {
  readonly url: string;
  readonly mcpUrl: string;
  readonly authorizations: URLSearchParams[];
  readonly tokenRequests: { params: URLSearchParams; authorization: string | undefined }[];
  readonly registrations: object[];
  /** Bearer tokens of requests that the MCP server let in, in order. */
  readonly admitted: string[];
  /** Everything secret that was ever issued. */
  readonly secrets: string[];
  refresh: RefreshMode;
  /** What a call of a tool needs besides a token. */
  callScope: string | undefined;
  /** Calls are refused for want of this scope, whatever the token has. */
  refusesScope: string | undefined;
  /** Every access token dies; refresh tokens live on. */
  expireTokens(): void;
  /** Registrations are lost, and with them the tokens. */
  forgetClients(): void;
  close(): Promise<void>;
}

/** An authorization server that consents by itself, and an MCP server behind it with the tools `whoami` and `write`. */
export async function startOauthServer(options: OauthOptions = {}): Promise<OauthFixture> {
  const clients = new Map<string, { secret?: string }>([['by-hand', { secret: 'by-hand-secret' }]]);
  const codes = new Map<string, { params: URLSearchParams }>();
  const tokens = new Map<string, Issued>();
  const refreshTokens = new Map<string, Issued>();
  const auth = await listening((request, response) => answerAuth(request, response));
  const mcp = await listening((request, response) => void answerMcp(request, response));
  const fixture: OauthFixture = {
    url: auth.url,
    mcpUrl: `${mcp.url}/mcp`,
    authorizations: [],
    tokenRequests: [],
    registrations: [],
    admitted: [],
    secrets: ['by-hand-secret'],
    refresh: 'ok',
    callScope: undefined,
    refusesScope: undefined,
    expireTokens: () => {
      for (const token of tokens.values()) token.alive = false;
    },
    forgetClients: () => {
      clients.clear();
      tokens.clear();
    },
    close: async () => {
      await Promise.all([auth.close(), mcp.close()]);
    },
  };
  return fixture;

  async function answerAuth(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', auth.url);
    const body = await textOf(request);
    const { metadata = 'rfc8414', registers = true } = options;
    if (url.pathname === '/.well-known/oauth-authorization-server' && metadata === 'rfc8414') return describe(response);
    if (url.pathname === '/.well-known/openid-configuration' && metadata === 'openid') return describe(response);
    if (url.pathname === '/register' && registers) return register(JSON.parse(body), response);
    if (url.pathname === '/authorize') return authorize(url, response);
    if (url.pathname === '/token') return token(request, new URLSearchParams(body), response);
    return json(response, 404, { error: 'not_found' });
  }

  function describe(response: ServerResponse): undefined {
    const { registers = true, authMethods = ['client_secret_basic', 'client_secret_post', 'none'] } = options;
    json(response, 200, {
      issuer: auth.url,
      authorization_endpoint: `${auth.url}/authorize`,
      token_endpoint: `${auth.url}/token`,
      jwks_uri: `${auth.url}/jwks`,
      ...(registers && { registration_endpoint: `${auth.url}/register` }),
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: authMethods,
      ...(options.takesDocuments && { client_id_metadata_document_supported: true }),
    });
  }

  function register(body: object, response: ServerResponse): undefined {
    const id = `client-${randomUUID()}`;
    const secret = `secret-${randomUUID()}`;
    fixture.secrets.push(secret);
    fixture.registrations.push(body);
    clients.set(id, { secret });
    json(response, 201, { ...body, client_id: id, client_secret: secret });
  }

  function authorize(url: URL, response: ServerResponse): undefined {
    fixture.authorizations.push(url.searchParams);
    const code = `code-${randomUUID()}`;
    fixture.secrets.push(code);
    codes.set(code, { params: url.searchParams });
    const back = new URL(url.searchParams.get('redirect_uri') ?? '');
    back.searchParams.set('code', code);
    back.searchParams.set('state', url.searchParams.get('state') ?? '');
    back.searchParams.set('iss', auth.url);
    response.writeHead(302, { location: back.href }).end();
  }

  function token(request: IncomingMessage, params: URLSearchParams, response: ServerResponse): undefined {
    const { authorization } = request.headers;
    fixture.tokenRequests.push({ params, authorization });
    const basic = authorization ? Buffer.from(authorization.slice(6), 'base64').toString().split(':') : undefined;
    const clientId = basic?.[0] ?? params.get('client_id') ?? '';
    const isDocument = options.takesDocuments && clientId.startsWith('https://');
    if (!clients.has(clientId) && !isDocument) return json(response, 401, { error: 'invalid_client' });
    const secret = basic?.[1] ?? params.get('client_secret') ?? undefined;
    if (!isDocument && clients.get(clientId)?.secret !== secret)
      return json(response, 401, { error: 'invalid_client' });
    if (params.get('grant_type') === 'refresh_token') return refresh(clientId, params, response);
    const code = codes.get(params.get('code') ?? '');
    codes.delete(params.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(params.get('code_verifier') ?? '')
      .digest('base64url');
    const isOurs = code?.params.get('code_challenge') === challenge && code.params.get('client_id') === clientId;
    const isBack = code?.params.get('redirect_uri') === params.get('redirect_uri');
    if (!code || !isOurs || !isBack) return json(response, 400, { error: 'invalid_grant' });
    issue(clientId, code.params.get('scope') ?? '', params.get('resource'), response);
  }

  function refresh(clientId: string, params: URLSearchParams, response: ServerResponse): undefined {
    const known = refreshTokens.get(params.get('refresh_token') ?? '');
    refreshTokens.delete(params.get('refresh_token') ?? '');
    if (fixture.refresh === 'fails') {
      if (known) refreshTokens.set(params.get('refresh_token') ?? '', known);
      return json(response, 503, { error: 'temporarily_unavailable' });
    }
    if (fixture.refresh === 'garbled') {
      if (known) refreshTokens.set(params.get('refresh_token') ?? '', known);
      response.writeHead(400).end(`<html>invalid_grant ${params.get('refresh_token')}</html>`);
      return;
    }
    if (fixture.refresh !== 'ok' || !known) {
      return json(response, 400, { error: fixture.refresh === 'ok' ? 'invalid_grant' : fixture.refresh });
    }
    issue(clientId, known.scope, params.get('resource'), response);
  }

  function issue(clientId: string, scope: string, resource: string | null, response: ServerResponse): undefined {
    const { givesRefreshTokens = true } = options;
    const expiresIn = 'expiresInSeconds' in options ? options.expiresInSeconds : 3_600;
    const access = `access-${randomUUID()}`;
    const renewal = `refresh-${randomUUID()}`;
    fixture.secrets.push(access, renewal);
    tokens.set(access, { clientId, scope, resource, alive: true });
    if (givesRefreshTokens) refreshTokens.set(renewal, { clientId, scope, resource, alive: true });
    json(response, 200, {
      access_token: access,
      token_type: 'Bearer',
      ...(expiresIn !== undefined && { expires_in: expiresIn }),
      ...(givesRefreshTokens && { refresh_token: renewal }),
      ...(scope && { scope }),
    });
  }

  async function answerMcp(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', mcp.url);
    const text = await textOf(request);
    if (url.pathname === '/.well-known/oauth-protected-resource/mcp') {
      const { resource = fixture.mcpUrl, scopesSupported } = options;
      return json(response, 200, {
        resource,
        authorization_servers: [auth.url],
        ...(scopesSupported && { scopes_supported: scopesSupported }),
      });
    }
    if (url.pathname !== '/mcp') return json(response, 404, {});
    const bearer = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
    const issued = tokens.get(bearer);
    if (!issued?.alive) return challenge(response, 401, options.challengeScope);
    if (request.method !== 'POST') return json(response, 405, {});
    const body: { method?: string } = JSON.parse(text);
    const { callScope } = fixture;
    if (body.method === 'tools/call' && callScope && !issued.scope.split(' ').includes(callScope)) {
      return challenge(response, 403, callScope, 'insufficient_scope');
    }
    const { refusesScope } = fixture;
    if (body.method === 'tools/call' && refusesScope)
      return challenge(response, 403, refusesScope, 'insufficient_scope');
    fixture.admitted.push(bearer);
    await answerTools(request, response, body, issued.scope);
  }

  function challenge(response: ServerResponse, status: number, scope: string | undefined, error?: string): undefined {
    const parts = [
      `resource_metadata="${mcp.url}/.well-known/oauth-protected-resource/mcp"`,
      ...(scope ? [`scope="${scope}"`] : []),
      ...(error ? [`error="${error}"`] : []),
    ];
    response.writeHead(status, { 'www-authenticate': `Bearer ${parts.join(', ')}` }).end();
  }
}

export interface HeaderFixture {
  readonly mcpUrl: string;
  readonly seen: (string | undefined)[];
  close(): Promise<void>;
}

/** An MCP server that knows its users by the header `x-api-key`, whose values begin with `user-`. */
export async function startHeaderServer(): Promise<HeaderFixture> {
  const seen: (string | undefined)[] = [];
  const mcp = await listening((request, response) => {
    void (async () => {
      const text = await textOf(request);
      const key = request.headers['x-api-key'];
      if (typeof key !== 'string' || !key.startsWith('user-')) return json(response, 401, { error: 'who are you?' });
      if (request.method !== 'POST') return json(response, 405, {});
      seen.push(key);
      await answerTools(request, response, JSON.parse(text), key);
    })();
  });
  return { mcpUrl: `${mcp.url}/mcp`, seen, close: mcp.close };
}

async function answerTools(
  request: IncomingMessage,
  response: ServerResponse,
  body: unknown,
  who: string,
): Promise<void> {
  const server = new McpServer({ name: 'guarded', version: '1.0.0' });
  server.registerTool('whoami', { description: 'Says whose token it sees' }, () => ({
    content: [{ type: 'text', text: `you are ${who}` }],
  }));
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
  response.on('close', () => void server.close());
  // the SDK's own transport, whose optional members its own interface writes otherwise
  await server.connect(transport as Parameters<McpServer['connect']>[0]);
  await transport.handleRequest(request, response, body);
}

const listening = (answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Loopback> =>
  onLoopback(createServer(answer));

const textOf = async (request: IncomingMessage): Promise<string> => (await bodyOf(request)).toString();

function json(response: ServerResponse, status: number, body: object): undefined {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** What a browser does with an address, as far as redirects go: gives the last answer and where it came from. */
export async function visit(url: string, init: RequestInit = {}): Promise<{ response: Response; url: string }> {
  const response = await fetch(url, { redirect: 'manual', ...init });
  const location = response.headers.get('location');
  if (!location) return { response, url };
  await response.body?.cancel();
  const cookie = response.headers.get('set-cookie')?.split(';')[0];
  const headers = cookie ?? new Headers(init.headers).get('cookie');
  return visit(new URL(location, url).href, headers ? { headers: { cookie: headers } } : {});
}
