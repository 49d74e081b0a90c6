import type { IncomingMessage, ServerResponse } from 'node:http';
import { MODERN_VERSION } from '../mcp/modern/protocol.ts';
import type { Fault } from '../mcp/modern/request-check.ts';
import type { ModernServer } from '../mcp/modern/server.ts';
import { acknowledgement, filterOf, subscribed, subscriptionEnd } from '../mcp/modern/subscription.ts';
import { Exchange } from '../mcp/server/exchange.ts';
import { errorText, type IncomingRequest, incomingOf, type JsonRpcId, RPC_CODE } from '../mcp/server/json-rpc.ts';
import type { Entrance, McpServer } from '../mcp/server/server.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import { McpAnswer } from './mcp-answer.ts';
import { McpStream, type StreamWatch } from './mcp-stream.ts';

/** One POST of the modern era at an address that exists for its caller. */
export interface ModernPost {
  readonly body: unknown;
  readonly headers: IncomingMessage['headers'];
  readonly response: ServerResponse;
  readonly server: McpServer;
  readonly modern: ModernServer;
  readonly entrance: Entrance;
  readonly slug: string | undefined;
  readonly keepAliveMs: number;
  readonly watch: StreamWatch | undefined;
}

/** Streamable HTTP of 2026-07-28: one request in each POST, answered by JSON or by a stream of its own. */
export async function answerModern(post: ModernPost): Promise<void> {
  const { body, headers, response, modern, entrance, keepAliveMs, watch } = post;
  const message = incomingOf(body);
  if (message.kind === 'invalid' || message.kind === 'response') {
    const reason = message.kind === 'invalid' ? message.reason : 'a client of this revision sends no responses';
    return refuse(response, message.id, {
      status: 400,
      code: RPC_CODE.invalidRequest,
      message: `Invalid Request: ${reason}`,
    });
  }
  if (message.kind === 'notification') {
    // Nothing is told in this way: a call is cancelled by closing its stream.
    response.writeHead(202).end();
    return;
  }
  const fault = modern.fault(message, headers);
  if (fault) return refuse(response, message.id, fault);
  if (message.method === 'subscriptions/listen') return listen(message, post);
  const answer = new McpAnswer(response, { accepts: BOTH, isBatch: false, keepAliveMs, watch });
  const given = await modern.answer(message, entrance, answer, headers);
  if (!given) return void response.destroy();
  answer.status = given.status;
  answer.end([given.text]);
}

/** A client of this revision takes either form. */
const BOTH = { json: true, stream: true };

function refuse(response: ServerResponse, id: JsonRpcId | null, { status, code, message, data }: Fault): void {
  const text = errorText(id, code, message, data);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

/**
 * Holds the stream of a subscription open. It stands on a session of the older era, which lives for as long: what that
 * would be told is what this one may hear.
 */
async function listen(request: IncomingRequest, post: ModernPost): Promise<void> {
  const { server, entrance, response, slug, keepAliveMs, watch } = post;
  const { sessions } = server;
  const { id, params } = request;
  // Whoever listens is not asked: a client of this era is asked by the answer to its call.
  const session = sessions.open({ slug, scope: entrance.scope, version: MODERN_VERSION, capabilities: {} });
  const early: string[] = [];
  let stream: McpStream | undefined;
  const { leave } = sessions.listen(session, {
    send: (message) => {
      if (!stream) early.push(message);
      else tell(message);
    },
    close: () => stream?.end([subscriptionEnd(id)]),
  });
  response.once('close', () => {
    leave();
    sessions.end(session.id);
  });
  const exchange = new Exchange(entrance.caller, session, entrance.scope, { calls: new Set() });
  const wanted = filterOf(params, capabilitiesOf(server, entrance));
  const taken = await Promise.all(wanted.uris.map((uri) => isSubscribed(server, exchange, uri)));
  const filter = wanted.only(wanted.uris.filter((_, index) => taken[index]));
  const tell = (message: string) => {
    const text = subscribed(id, filter, message);
    if (text !== undefined) stream?.send(text);
  };
  const onHeartbeat = () => void sessions.use(session.id);
  stream = new McpStream(response, { heartbeatMs: keepAliveMs, onHeartbeat, watch });
  stream.send(acknowledgement(id, filter));
  for (const message of early) tell(message);
}

function capabilitiesOf(server: McpServer, entrance: Entrance): JsonObject {
  const { capabilities } = server.presentation(entrance);
  return isObject(capabilities) ? capabilities : {};
}

async function isSubscribed(server: McpServer, exchange: Exchange, uri: string): Promise<boolean> {
  const request = { kind: 'request', id: 0, method: 'resources/subscribe', params: { uri } } as const;
  const answer: unknown = JSON.parse((await server.answer(request, exchange)) ?? '{}');
  return isObject(answer) && answer.result !== undefined;
}
