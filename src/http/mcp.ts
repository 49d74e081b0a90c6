import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import {
  errorText,
  incomingOf,
  type JsonRpcId,
  RPC_CODE,
  type IncomingMessage as RpcMessage,
} from '../mcp/server/json-rpc.ts';
import { allowsBatches, isKnownVersion, supportedVersions } from '../mcp/server/protocol.ts';
import type { Exchange, McpServer } from '../mcp/server/server.ts';
import type { Session } from '../mcp/server/sessions.ts';
import type { Caller } from '../model/call.ts';
import { asGatewayError, statusOf } from '../model/errors.ts';
import { answerPreflight, applyCors } from './cors.ts';
import { McpAnswer } from './mcp-answer.ts';
import { McpStream } from './mcp-stream.ts';
import type { RequestCheck } from './origin.ts';
import { requestBody } from './request-body.ts';

export interface McpEndpoint {
  readonly server: McpServer;
  readonly check: RequestCheck;
  readonly callerOf: (headers: IncomingHttpHeaders) => Caller;
  readonly maxBodyBytes: number;
  /** Open event streams get a comment this often; 15 s when absent. */
  readonly keepAliveMs?: number;
}

const KEEP_ALIVE_MS = 15_000;
const MAX_BATCH = 100;

/** Why a request is refused before any message of it was answered. */
class Refusal extends Error {
  readonly status: number;
  readonly code: number;
  readonly id: JsonRpcId | null;

  constructor(status: number, message: string, code: number = RPC_CODE.refused, id: JsonRpcId | null = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.id = id;
  }
}

/** The /mcp endpoint: MCP's streamable HTTP transport, versions 2024-11-05 to 2025-11-25, with sessions or without. */
export async function handleMcp(
  request: IncomingMessage,
  response: ServerResponse,
  endpoint: McpEndpoint,
): Promise<void> {
  try {
    const refusal = endpoint.check(request.headers);
    if (refusal) throw new Refusal(403, refusal);
    if (request.method === 'OPTIONS') return answerPreflight(request, response);
    letPageRead(request, response);
    if (request.method === 'POST') await post(request, response, endpoint);
    else if (request.method === 'GET') listen(request, response, endpoint);
    else if (request.method === 'DELETE') endSession(request, response, endpoint);
    else throw new Refusal(405, `${request.method} is not served here; use POST, GET or DELETE`);
  } catch (thrown) {
    refuse(response, thrown);
  }
}

/** A page that passed the check needs the session's id besides what every answer shows. */
function letPageRead(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.origin === undefined) return;
  applyCors(request, response);
  response.setHeader('access-control-expose-headers', 'mcp-session-id');
}

async function post(request: IncomingMessage, response: ServerResponse, endpoint: McpEndpoint): Promise<void> {
  const { headers } = request;
  const accepts = acceptedBy(headers.accept);
  if (!accepts.json && !accepts.stream) {
    throw new Refusal(406, 'Not Acceptable: the client must accept application/json or text/event-stream');
  }
  if (!isJson(headers['content-type'])) {
    throw new Refusal(415, 'Unsupported Media Type: Content-Type must be application/json');
  }
  const body = parsed(await requestBody(request, endpoint.maxBodyBytes));
  const isBatch = Array.isArray(body);
  const answer = new McpAnswer(response, { accepts, isBatch, keepAliveMs: endpoint.keepAliveMs ?? KEEP_ALIVE_MS });
  if (isBatch) return answerBatch(batchOf(body, headers), headers, endpoint, answer);
  const message = incomingOf(body);
  if (message.kind === 'invalid') throw invalidRequest(message.reason, message.id);
  if (message.kind === 'request' && message.method === 'initialize') {
    // A client that starts anew may still show the session it lost: it is not looked at.
    const { session, answer: text } = endpoint.server.initialize(message);
    answer.headers['mcp-session-id'] = session.id;
    return answer.end([text]);
  }
  const text = await answerTo(message, exchangeOf([message], headers, endpoint, answer), endpoint.server);
  answer.end(text === undefined ? [] : [text]);
}

async function answerBatch(
  messages: readonly RpcMessage[],
  headers: IncomingHttpHeaders,
  endpoint: McpEndpoint,
  answer: McpAnswer,
): Promise<void> {
  const exchange = exchangeOf(messages, headers, endpoint, answer);
  const texts = await Promise.all(messages.map((message) => answerTo(message, exchange, endpoint.server)));
  answer.end(texts.filter((text) => text !== undefined));
}

function exchangeOf(
  messages: readonly RpcMessage[],
  headers: IncomingHttpHeaders,
  { server, callerOf }: McpEndpoint,
  { calls, notify }: McpAnswer,
): Exchange {
  const session = sessionOf(headers, server);
  // A method we do not know is answered as such whatever version asks: clients probe for newer protocols that way.
  if (messages.some((message) => 'method' in message && server.knows(message.method))) checkVersion(headers);
  return { caller: callerOf(headers), session, calls, notify };
}

async function answerTo(message: RpcMessage, exchange: Exchange, server: McpServer): Promise<string | undefined> {
  switch (message.kind) {
    case 'request':
      return server.answer(message, exchange);
    case 'notification':
      server.accept(message, exchange.session);
      return undefined;
    case 'response':
      return undefined;
    case 'invalid':
      return errorText(message.id, RPC_CODE.invalidRequest, `Invalid Request: ${message.reason}`);
  }
}

/** GET: the stream on which a client hears that the tools have changed. */
function listen(request: IncomingMessage, response: ServerResponse, endpoint: McpEndpoint): void {
  const { headers } = request;
  if (headers.accept !== undefined && !/text\/(event-stream|\*)|\*\/\*/i.test(headers.accept)) {
    throw new Refusal(406, 'Not Acceptable: the client must accept text/event-stream');
  }
  checkVersion(headers);
  const { sessions } = endpoint.server;
  const known = sessionOf(headers, endpoint.server);
  const stream = new McpStream(response, {
    heartbeatMs: endpoint.keepAliveMs ?? KEEP_ALIVE_MS,
    onHeartbeat: () => sessions.use(session.id),
  });
  const { session, leave } = sessions.listen(known, {
    send: (message) => stream.send(message),
    close: () => stream.end(),
  });
  response.once('close', leave);
}

function endSession(request: IncomingMessage, response: ServerResponse, { server }: McpEndpoint): void {
  const session = sessionOf(request.headers, server);
  if (!session) throw new Refusal(400, 'Bad Request: the header Mcp-Session-Id names the session to end');
  server.sessions.end(session.id);
  response.writeHead(204).end();
}

function sessionOf(headers: IncomingHttpHeaders, server: McpServer): Session | undefined {
  const id = headers['mcp-session-id'];
  if (id === undefined) return undefined;
  const session = typeof id === 'string' ? server.sessions.use(id) : undefined;
  if (!session) throw new Refusal(404, 'Session not found: initialize again', RPC_CODE.sessionNotFound);
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

/** A client that says nothing, or takes anything, gets plain JSON; a stream only where it is asked for by name. */
function acceptedBy(accept: string | undefined): Accepted {
  if (!accept) return { json: true, stream: false };
  return { json: /application\/(json|\*)|\*\/\*/i.test(accept), stream: /text\/event-stream/i.test(accept) };
}

const isJson = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^\s*application\/json\s*(;|$)/i.test(contentType);

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

const invalidRequest = (reason: string, id: JsonRpcId | null = null): Refusal =>
  new Refusal(400, `Invalid Request: ${reason}`, RPC_CODE.invalidRequest, id);

function refuse(response: ServerResponse, thrown: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, code, id, message } = refusalOf(thrown);
  const text = errorText(id, code, message);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...(status === 405 && { allow: 'GET, POST, DELETE' }),
  });
  response.end(text);
}

function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown;
  const error = asGatewayError(thrown);
  const code = error.kind === 'internal' ? RPC_CODE.internalError : RPC_CODE.refused;
  return new Refusal(statusOf(error), error.message, code);
}
