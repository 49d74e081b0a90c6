import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Codec } from '../codecs/codec.ts';
import type { CodecId } from '../model/content.ts';
import { GatewayError } from '../model/errors.ts';
import type { JsonObject } from '../model/json.ts';
import { askedOfStore } from './asked-of-store.ts';
import { askedOperation } from './asked-operation.ts';
import { askedUntouched } from './asked-untouched.ts';
import { answerPreflight, applyCors } from './cors.ts';
import { acceptHttp2 } from './http2.ts';
import { type InferenceOptions, serveInference } from './inference.ts';
import { handleMcp, type McpEndpoint } from './mcp.ts';
import { notServed } from './not-served.ts';
import { type OperationOptions, serveOperation } from './operations.ts';
import type { RequestCheck } from './origin.ts';
import { replyError } from './reply.ts';
import { dialectOf, type Route, routeOf } from './routes.ts';
import { type SideRoutes, serveSideRoute } from './side-routes.ts';

export interface AppOptions extends InferenceOptions, OperationOptions {
  readonly codecs: Readonly<Record<CodecId, Codec>>;
  readonly sideRoutes: SideRoutes;
  readonly mcp: McpEndpoint;
  /** The provider that made a response of the Responses API, as far as it is remembered. */
  readonly ownerOf: (responseId: string) => string | undefined;
  /** The most that the headers of a request may take. */
  readonly maxHeaderBytes: number;
  /** Refuses requests that a foreign web page sent. */
  readonly check: RequestCheck;
  /** The admin API and the pages, loaded on first use: nothing of it is needed to serve models. */
  readonly admin: () => Promise<RequestListener>;
  readonly health: () => JsonObject;
  /** While the MCP servers of the config come up: whoever asks for models or tools waits, or the first request would miss them. */
  readonly booting: () => Promise<void> | undefined;
  readonly metricsText: () => string | Promise<string>;
  /** Called once an answer is over. `path` is a route, never what a client made up. */
  readonly observe: (path: string, method: string, status: number, seconds: number) => void;
}

/** How long clients have to take the error that ends their answers. */
const LAST_WORDS_MS = 500;

export interface App {
  readonly server: Server;
  /** Resolves once nothing is being served any more, not even for a client that has gone. */
  readonly settled: () => Promise<void>;
}

/** The HTTP side: inference and MCP by hand on node:http, the admin API behind them on Express. */
export function createApp(options: AppOptions): App {
  const serving = new Set<Promise<void>>();
  const serve: RequestListener = (request, response) => {
    const served = dispatch(options, request, response)
      .catch((thrown: unknown) => replyError(thrown, options.codecs['openai-chat'], response, ''))
      .finally(() => serving.delete(served));
    serving.add(served);
  };
  const server = createServer({ maxHeaderSize: options.maxHeaderBytes }, serve);
  acceptHttp2(server, serve);
  // agents keep connections open between turns; a proxy in front must not meet a socket that we close just then
  server.keepAliveTimeout = 75_000;
  server.requestTimeout = 300_000;
  return {
    server,
    async settled() {
      while (serving.size > 0) await Promise.all(serving);
    },
  };
}

async function dispatch(options: AppOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const method = request.method ?? 'GET';
  const isMcp = path === '/mcp' || path.startsWith('/mcp/');
  // to a HEAD Node writes what a GET gets, without the body
  const route = isMcp ? undefined : routeOf(method === 'HEAD' ? 'GET' : method, path);
  const label = labelOf(route, path);
  const startedAt = performance.now();
  response.on('close', () => {
    options.observe(label, method, response.statusCode, (performance.now() - startedAt) / 1_000);
  });
  if (request.headers.upgrade?.toLowerCase() === 'websocket') return refuseUpgrade(response);
  const booting = options.booting();
  if (booting && (route || isMcp)) await booting;
  if (isMcp) {
    await handleMcp(request, response, options.mcp, slugIn(path));
    return;
  }
  if (path === '/health' && method !== 'POST') return json(response, 200, options.health());
  const refusal = options.check(request.headers);
  if (refusal) return refuse(options, path, new GatewayError('permission', refusal), response);
  if (method === 'OPTIONS') return answerPreflight(request, response);
  applyCors(request, response);
  if (route?.kind === 'inference') {
    return serveInference(route.envelope?.codec ?? options.codecs[route.codec], route, request, response, options);
  }
  if (route && 'serves' in route) return serveAsked(route, request, response, options);
  if (route) return serveSideRoute(route, request, response, options);
  if (path === '/metrics') return text(response, await options.metricsText());
  if (isInferencePath(path)) {
    const { error, codec, allow } = notServed(method, path);
    if (allow !== undefined) response.setHeader('allow', allow);
    return replyError(error, options.codecs[codec], response, '');
  }
  const admin = await options.admin();
  admin(request, response);
}

/** What is no chat: an operation, something that a provider keeps, or words that are for the provider alone. */
function serveAsked(
  route: Extract<Route, { serves: object }>,
  request: IncomingMessage,
  response: ServerResponse,
  options: AppOptions,
): Promise<void> {
  const { codecs, maxBodyBytes, ownerOf } = options;
  switch (route.kind) {
    case 'operation': {
      const asked = () => askedOperation(route.serves, request, maxBodyBytes);
      return serveOperation(codecs[route.serves.codec], asked, request, response, options);
    }
    case 'stored': {
      const asked = () => askedOfStore(route.serves, request, response, { maxBodyBytes, ownerOf });
      return serveOperation(codecs['openai-chat'], asked, request, response, options);
    }
    case 'passthrough': {
      const asked = () => askedUntouched(route.serves, request, response, maxBodyBytes);
      return serveOperation(codecs[route.serves.codec], asked, request, response, options);
    }
  }
}

/** What stands behind `/mcp/`; undefined for /mcp itself. */
function slugIn(path: string): string | undefined {
  const slug = path.slice('/mcp/'.length).replace(/\/$/, '');
  if (slug === '') return undefined;
  try {
    return decodeURIComponent(slug);
  } catch {
    return slug;
  }
}

/** A route, never what a client made up. */
function labelOf(route: Route | undefined, path: string): string {
  const url = route && urlOf(route);
  if (url) return url.label;
  if (route || path === '/mcp') return path;
  if (path.startsWith('/mcp/')) return '/mcp/:client';
  return path.startsWith('/api/') ? '/api' : 'other';
}

function urlOf(route: Route): { label: string } | undefined {
  if (route.kind === 'operation') return route.serves.url;
  if (route.kind === 'stored' || route.kind === 'passthrough') return route.serves;
  return 'url' in route ? route.url : undefined;
}

const isInferencePath = (path: string): boolean =>
  /^\/(?:v1|openai|anthropic|genai|bedrock|cohere|litellm|langchain|pydanticai|cursor|[a-z]+_passthrough)(?:\/|$)/.test(
    path,
  );

/**
 * Codex tries a WebSocket first and goes on at once when it is refused like this. Any other upgrade is an offer that
 * may be passed over: Java's HTTP client offers h2c with every request. So nobody listens to `upgrade` events.
 */
function refuseUpgrade(response: ServerResponse): void {
  response.writeHead(426, { connection: 'close', 'content-length': 0 });
  response.end();
}

function refuse(options: AppOptions, path: string, error: GatewayError, response: ServerResponse): void {
  replyError(error, options.codecs[dialectOf(path)], response, '');
}

function json(response: ServerResponse, status: number, body: JsonObject): void {
  const written = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(written) });
  response.end(written);
}

function text(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  response.end(body);
}

/**
 * Stops taking connections, lets answers in flight finish for `graceMs`, then ends the rest: `endCalls` cancels them up
 * to the provider and the tools, and what has not told its client so a moment later is cut off.
 */
export async function closeGently(server: Server, graceMs: number, endCalls: () => void): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  let timer = setTimeout(() => {
    endCalls();
    timer = setTimeout(() => server.closeAllConnections(), LAST_WORDS_MS);
  }, graceMs);
  await closed;
  clearInterval(idle);
  clearTimeout(timer);
}
