import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { isModernPost } from '../mcp/modern/request-check.ts';
import type { ModernServer } from '../mcp/modern/server.ts';
import { Exchange } from '../mcp/server/exchange.ts';
import { errorText, incomingOf, RPC_CODE, type IncomingMessage as RpcMessage } from '../mcp/server/json-rpc.ts';
import { allowsBatches, isKnownVersion, primesStreams, supportedVersions } from '../mcp/server/protocol.ts';
import type { Entrance, McpServer } from '../mcp/server/server.ts';
import { type Session, sessionOwner } from '../mcp/server/sessions.ts';
import type { Caller } from '../model/call.ts';
import { answerPreflight, applyCors } from './cors.ts';
import { McpAnswer } from './mcp-answer.ts';
import { answerModern } from './mcp-modern.ts';
import { invalidRequest, nothingAt, Refusal, refuse } from './mcp-refusal.ts';
import { McpStream, type StreamWatch } from './mcp-stream.ts';
import type { RequestCheck } from './origin.ts';
import { requestBody } from './request-body.ts';
import type { WatchedStreams } from './watched-streams.ts';

export interface McpEndpoint {
  readonly server: McpServer;
  /** The same for clients of 2026-07-28; absent where only the older revisions are served. */
  readonly modern?: ModernServer;
  readonly check: RequestCheck;
  /** Who comes, to /mcp or to a name below it. Throws Unadmitted. */
  readonly callerOf: (headers: IncomingHttpHeaders, slug: string | undefined) => Caller;
  /** Ends the open streams of callers who may not come in any more; absent where nobody can lose the right to. */
  readonly streams?: WatchedStreams | undefined;
  readonly maxBodyBytes: number;
  /** Open event streams get a comment this often; 15 s when absent. */
  readonly keepAliveMs?: number;
  /** How long a client that lost its connection may take to come back before its calls are cancelled; 30 s when absent. */
  readonly resumeWithinMs?: number;
}

const KEEP_ALIVE_MS = 15_000;
const RESUME_WITHIN_MS = 30_000;
const MAX_BATCH = 100;

/** One request, as far as the endpoint has understood it. */
interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly endpoint: McpEndpoint;
  /** What stands behind /mcp/ in the address. */
  readonly slug: string | undefined;
  readonly entrance: Entrance;
}

/** /mcp and what is under it: MCP's streamable HTTP transport, versions 2024-11-05 to 2025-11-25, with sessions or without. */
export async function handleMcp(
  request: IncomingMessage,
  response: ServerResponse,
  endpoint: McpEndpoint,
  slug?: string,
): Promise<void> {
  try {
    const refusal = endpoint.check(request.headers);
    if (refusal) throw new Refusal(403, refusal);
    if (request.method === 'OPTIONS') return answerPreflight(request, response);
    letPageRead(request, response);
    const entrance = endpoint.server.enter(slug, endpoint.callerOf(request.headers, slug));
    if (!entrance) throw nothingAt(slug);
    const visit = { request, response, endpoint, slug, entrance };
    if (request.method === 'POST') await post(visit);
    else if (request.method === 'GET') listen(visit);
    else if (request.method === 'DELETE') endSession(visit);
    else throw new Refusal(405, `${request.method} is not served here; use POST, GET or DELETE`);
  } catch (thrown) {
    refuse(response, thrown);
  }
}

/** A page that passed the check needs the session's id besides what every answer shows. */
function letPageRead(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.origin === undefined) return;
  applyCors(request, response);
  response.setHeader('access-control-expose-headers', 'mcp-session-id, www-authenticate');
}

async function post(visit: Visit): Promise<void> {
  const { request, endpoint, entrance, slug } = visit;
  const { headers } = request;
  const accepts = acceptedBy(headers.accept);
  if (!accepts.json && !accepts.stream) {
    throw new Refusal(406, 'Not Acceptable: the client must accept application/json or text/event-stream');
  }
  if (!isJson(headers['content-type'])) {
    throw new Refusal(415, 'Unsupported Media Type: Content-Type must be application/json');
  }
  const body = parsed(await requestBody(request, endpoint.maxBodyBytes));
  if (endpoint.modern && isModernPost(body, headers)) {
    const { server, modern, keepAliveMs = KEEP_ALIVE_MS } = endpoint;
    const { response } = visit;
    const watch = watchOf(visit);
    return answerModern({ body, headers, response, server, modern, entrance, slug, keepAliveMs, watch });
  }
  if (Array.isArray(body)) return answerBatch(batchOf(body, headers), visit, accepts);
  const message = incomingOf(body);
  if (message.kind === 'invalid') throw invalidRequest(message.reason, message.id);
  if (message.kind === 'request' && message.method === 'initialize') {
    // A client that starts anew may still show the session it lost: it is not looked at.
    const { session, answer: text } = endpoint.server.initialize(message, entrance, slug);
    const answer = answerFor(visit, accepts, undefined, false);
    answer.headers['mcp-session-id'] = session.id;
    return answer.end([text]);
  }
  const session = checkedSession(message, visit);
  const answer = answerFor(visit, accepts, session, false);
  const exchange = new Exchange(entrance.caller, session, entrance.scope, answer);
  const text = await answerTo(message, exchange, endpoint.server);
  exchange.over();
  answer.end(text === undefined ? [] : [text]);
}

function watchOf({ endpoint: { streams }, request }: Visit): StreamWatch | undefined {
  return streams && ((end) => streams.watch(request.headers, end));
}

function answerFor(visit: Visit, accepts: Accepted, session: Session | undefined, isBatch: boolean): McpAnswer {
  const { response, endpoint } = visit;
  const { keepAliveMs = KEEP_ALIVE_MS, resumeWithinMs = RESUME_WITHIN_MS } = endpoint;
  const openLog = session && (() => session.streams.open(resumeWithinMs));
  return new McpAnswer(response, {
    accepts,
    isBatch,
    keepAliveMs,
    openLog,
    primes: primesStreams(session?.facts.version),
    watch: watchOf(visit),
  });
}

async function answerBatch(messages: readonly RpcMessage[], visit: Visit, accepts: Accepted): Promise<void> {
  const { endpoint, entrance } = visit;
  const session = sessionOf(visit);
  for (const message of messages) checkVersionOf(message, visit);
  const answer = answerFor(visit, accepts, session, true);
  const exchange = new Exchange(entrance.caller, session, entrance.scope, answer);
  const texts = await Promise.all(messages.map((message) => answerTo(message, exchange, endpoint.server)));
  exchange.over();
  answer.end(texts.filter((text) => text !== undefined));
}

function checkedSession(message: RpcMessage, visit: Visit): Session | undefined {
  const session = sessionOf(visit);
  checkVersionOf(message, visit);
  return session;
}

/** A method we do not know is answered as such whatever version asks: clients probe for newer protocols that way. */
function checkVersionOf(message: RpcMessage, { request, endpoint }: Visit): void {
  if ('method' in message && endpoint.server.knows(message.method)) checkVersion(request.headers);
}

const NOTHING: Promise<undefined> = Promise.resolve(undefined);

/** The text that answers a message; most kinds have none. */
function answerTo(message: RpcMessage, exchange: Exchange, server: McpServer): Promise<string | undefined> {
  switch (message.kind) {
    case 'request':
      return server.answer(message, exchange);
    case 'notification':
      server.accept(message, exchange);
      return NOTHING;
    case 'response':
      exchange.session?.outgoing.settle(message);
      return NOTHING;
    case 'invalid':
      return Promise.resolve(errorText(message.id, RPC_CODE.invalidRequest, `Invalid Request: ${message.reason}`));
  }
}

/** GET: the stream on which a client hears what belongs to no call, or reads on where its connection was lost. */
function listen(visit: Visit): void {
  const { request, response, endpoint } = visit;
  const { headers } = request;
  if (headers.accept !== undefined && !/text\/(event-stream|\*)|\*\/\*/i.test(headers.accept)) {
    throw new Refusal(406, 'Not Acceptable: the client must accept text/event-stream');
  }
  checkVersion(headers);
  const { sessions } = endpoint.server;
  const known = sessionOf(visit);
  const lastEventId = headers['last-event-id'];
  const found = known && typeof lastEventId === 'string' ? known.streams.find(lastEventId) : undefined;
  const stream = new McpStream(response, {
    heartbeatMs: endpoint.keepAliveMs ?? KEEP_ALIVE_MS,
    onHeartbeat: () => known && sessions.use(known.id),
    watch: watchOf(visit),
  });
  if (found) {
    response.once('close', () => found.log.detach(stream));
    found.log.attach(stream, found.number);
  } else if (known) listenAnew(known, stream, visit);
  else {
    const { leave } = sessions.listen(undefined, {
      send: (message) => stream.send(message),
      close: () => stream.end(),
    });
    response.once('close', leave);
  }
}

/** What is said while the client is away for a moment is kept for it. */
function listenAnew(session: Session, stream: McpStream, { response, endpoint }: Visit): void {
  const log = session.streams.open(endpoint.resumeWithinMs ?? RESUME_WITHIN_MS);
  const { leave } = endpoint.server.sessions.listen(session, {
    send: (message) => log.append(message),
    close: () => log.end(),
  });
  log.onabandoned = () => {
    leave();
    log.end();
  };
  response.once('close', () => log.detach(stream));
  log.attach(stream, 0);
  if (primesStreams(session.facts.version)) log.prime();
}

function endSession(visit: Visit): void {
  const { response } = visit;
  const { server } = visit.endpoint;
  const session = sessionOf(visit);
  if (!session) throw new Refusal(400, 'Bad Request: the header Mcp-Session-Id names the session to end');
  server.sessions.end(session.id);
  response.writeHead(204).end();
}

function sessionOf({ request, endpoint, slug, entrance }: Visit): Session | undefined {
  const id = request.headers['mcp-session-id'];
  if (id === undefined) return undefined;
  const session = typeof id === 'string' ? endpoint.server.sessions.use(id) : undefined;
  const isTheirs = session?.facts.slug === slug && session?.facts.owner === sessionOwner(entrance.caller);
  if (!session || !isTheirs) throw new Refusal(404, 'Session not found: initialize again', RPC_CODE.sessionNotFound);
  return session;
}

function checkVersion(headers: IncomingHttpHeaders): void {
  const version = headers['mcp-protocol-version'];
  if (version === undefined || isKnownVersion(version)) return;
  const message = `Bad Request: Unsupported protocol version: ${version} (supported versions: ${supportedVersions()})`;
  throw new Refusal(400, message);
}

function batchOf(body: readonly unknown[], headers: IncomingHttpHeaders): RpcMessage[] {
  const version = headers['mcp-protocol-version'];
  if (typeof version === 'string' && !allowsBatches(version)) {
    throw invalidRequest(`protocol version ${version} has no batches; send one message in each POST`);
  }
  if (body.length === 0 || body.length > MAX_BATCH) {
    throw invalidRequest(`a batch holds 1 to ${MAX_BATCH} messages, this one holds ${body.length}`);
  }
  return body.map(incomingOf);
}

interface Accepted {
  readonly json: boolean;
  readonly stream: boolean;
}

const JSON_ONLY: Accepted = { json: true, stream: false };
/** As nearly every client says it (MCP transports, sending messages). */
const BOTH: Accepted = { json: true, stream: true };

/** A client that says nothing, or takes anything, gets plain JSON; a stream only where it is asked for by name. */
function acceptedBy(accept: string | undefined): Accepted {
  if (!accept) return JSON_ONLY;
  if (accept === 'application/json, text/event-stream') return BOTH;
  return { json: /application\/(json|\*)|\*\/\*/i.test(accept), stream: /text\/event-stream/i.test(accept) };
}

const isJson = (contentType: string | undefined): boolean =>
  contentType === 'application/json' ||
  (contentType !== undefined && /^\s*application\/json\s*(;|$)/i.test(contentType));

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new Refusal(
      400,
      `Parse error: the body is not JSON (${(cause as SyntaxError).message})`,
      RPC_CODE.parseError,
    );
  }
}
