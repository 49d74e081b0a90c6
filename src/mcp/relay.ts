import { ErrorCode } from '@modelcontextprotocol/sdk/types.js';
import type { McpClientConfig } from '../config/schema.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import { type Origin, type PeerEvents, RpcError, type RpcMessage } from './peer.ts';
import type { ServerSaid } from './server/source.ts';

/** Answers `sampling/createMessage` in the client's place; undefined when this server is not to have it. */
export type AnswerSampling = (
  config: McpClientConfig,
  params: JsonObject,
  origin: Origin,
  signal: AbortSignal,
) => Promise<JsonObject> | undefined;

const MAX_ELICITATIONS = 1_000;

/** Takes what servers ask and say to the clients that are meant. */
export class Relay {
  /** Set by whoever has models to answer with. */
  answerSampling: AnswerSampling | undefined;
  readonly #listeners = new Set<ServerSaid>();
  /** Who was sent to a URL: the word that it is done comes long after the call. */
  readonly #elicitations = new Map<string, NonNullable<Origin['peer']>>();

  onSaid(listener: ServerSaid): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** For the sessions of one MCP client, whose config may change under them. */
  eventsOf(config: () => McpClientConfig): PeerEvents {
    return {
      onRequest: (request, origin, signal) => this.#answer(config(), request, origin, signal),
      onNotification: (notification, origin) => this.#said(config().name, notification, origin),
    };
  }

  /** The URLs of an error -32042, whose completion is told to this peer. */
  noteElicitations(client: string, data: unknown, peer: Origin['peer']): void {
    const elicitations = isObject(data) && Array.isArray(data.elicitations) ? data.elicitations : [];
    for (const each of elicitations) if (isObject(each)) this.#noteElicitation(client, each.elicitationId, peer);
  }

  async #answer(
    config: McpClientConfig,
    request: RpcMessage,
    origin: Origin | undefined,
    signal: AbortSignal,
  ): Promise<JsonObject> {
    const peer = origin?.peer;
    const missing = missingCapability(request, peer?.capabilities ?? {});
    if (peer && missing === undefined) {
      if (request.params.mode === 'url') this.#noteElicitation(config.name, request.params.elicitationId, peer);
      return peer.ask(request, AbortSignal.any([signal, origin.signal]));
    }
    if (origin && request.method === 'sampling/createMessage') {
      const answered = this.answerSampling?.(config, request.params, origin, AbortSignal.any([signal, origin.signal]));
      if (answered) return answered;
    }
    throw refusal(request.method, origin, missing);
  }

  #said(client: string, notification: RpcMessage, origin: Origin | undefined): void {
    const { method, params } = notification;
    if (method === 'notifications/elicitation/complete') {
      const key = keyOf(client, params.elicitationId);
      this.#elicitations.get(key)?.tell(notification);
      this.#elicitations.delete(key);
      return;
    }
    if (method === 'notifications/message' && origin?.peer) {
      origin.peer.tell(notification);
      return;
    }
    const identity = origin?.isAlone ? origin.peer?.identity : undefined;
    for (const listener of this.#listeners) listener(client, notification, identity);
  }

  #noteElicitation(client: string, elicitationId: unknown, peer: Origin['peer']): void {
    if (!peer || typeof elicitationId !== 'string') return;
    this.#elicitations.set(keyOf(client, elicitationId), peer);
    const [oldest] = this.#elicitations.keys();
    if (this.#elicitations.size > MAX_ELICITATIONS && oldest !== undefined) this.#elicitations.delete(oldest);
  }
}

const keyOf = (client: string, elicitationId: unknown): string => `${client}\n${String(elicitationId)}`;

/** The capability that the client would need and has not; undefined when it can be asked. */
function missingCapability({ method, params }: RpcMessage, has: JsonObject): string | undefined {
  switch (method) {
    case 'sampling/createMessage': {
      if (!isObject(has.sampling)) return 'sampling';
      return params.tools !== undefined && !isObject(has.sampling.tools) ? 'sampling.tools' : undefined;
    }
    case 'elicitation/create': {
      if (!isObject(has.elicitation)) return 'elicitation';
      if (params.mode === 'url') return isObject(has.elicitation.url) ? undefined : 'elicitation.url';
      // an empty capability means forms (2025-11-25, elicitation, capabilities)
      const hasForms = isObject(has.elicitation.form) || Object.keys(has.elicitation).length === 0;
      return hasForms ? undefined : 'elicitation.form';
    }
    case 'roots/list':
      return isObject(has.roots) ? undefined : 'roots';
    default:
      return 'such requests';
  }
}

function refusal(method: string, origin: Origin | undefined, missing: string | undefined): RpcError {
  if (!origin) {
    const why = 'it belongs to no call of a client, or to calls of several; ask while one call runs';
    return new RpcError(ErrorCode.MethodNotFound, `Method not found: ${method} (${why})`);
  }
  const why = origin.peer ? `the client does not support ${missing}` : 'no MCP client is behind this call';
  return new RpcError(ErrorCode.MethodNotFound, `Method not found: ${method} (${why})`);
}
