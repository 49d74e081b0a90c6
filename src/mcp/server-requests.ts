import {
  ErrorCode,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type RequestId,
} from '@modelcontextprotocol/sdk/types.js';
import { isObject, type JsonObject } from '../model/json.ts';
import { type Origin, type PeerEvents, RpcError } from './peer.ts';

/** A server that asks faster than its clients answer is told so. */
const MAX_OPEN = 1_000;

export interface ServerRequestsOptions {
  readonly events: PeerEvents | undefined;
  readonly send: (message: JSONRPCMessage) => Promise<void>;
  /** A request is being answered, for this call: the call waits for the client and not for the server. */
  readonly waiting: (origin: Origin | undefined) => () => void;
}

/** Answers what one server asks: pings itself, everything else through its events. */
export class ServerRequests {
  readonly #options: ServerRequestsOptions;
  readonly #open = new Map<RequestId, AbortController>();

  constructor(options: ServerRequestsOptions) {
    this.#options = options;
  }

  receive(request: JSONRPCRequest, origin: Origin | undefined): void {
    void this.#answer(request, origin);
  }

  /** The server wants no answer any more. */
  cancel(requestId: unknown): void {
    if (typeof requestId === 'string' || typeof requestId === 'number') this.#open.get(requestId)?.abort();
  }

  close(): void {
    for (const open of this.#open.values()) open.abort();
  }

  async #answer(request: JSONRPCRequest, origin: Origin | undefined): Promise<void> {
    const { id } = request;
    const open = new AbortController();
    this.#open.set(id, open);
    const stopWaiting = this.#options.waiting(origin);
    try {
      const result = await this.#resultOf(request, origin, open.signal);
      if (!open.signal.aborted) await this.#options.send({ jsonrpc: '2.0', id, result });
    } catch (thrown) {
      const { code, message, data } = thrown instanceof RpcError ? thrown : internalError(thrown);
      const error = { code, message, ...(data !== undefined && { data }) };
      // a connection that has gone needs no answer
      if (!open.signal.aborted) await this.#options.send({ jsonrpc: '2.0', id, error }).catch(() => undefined);
    } finally {
      stopWaiting();
      this.#open.delete(id);
    }
  }

  async #resultOf(request: JSONRPCRequest, origin: Origin | undefined, signal: AbortSignal): Promise<JsonObject> {
    const { method } = request;
    if (method === 'ping') return {};
    const { events } = this.#options;
    if (!events) throw new RpcError(ErrorCode.MethodNotFound, `Method not found: ${method}`);
    if (this.#open.size > MAX_OPEN) {
      throw new RpcError(
        ErrorCode.InternalError,
        `more than ${MAX_OPEN} requests of this server are open; wait for answers`,
      );
    }
    return events.onRequest({ method, params: paramsOf(request) }, origin, signal);
  }
}

/** JSON-RPC parameters, which the SDK has parsed. */
export function paramsOf({ params }: { readonly params?: unknown }): JsonObject {
  return isObject(params) ? params : {};
}

const internalError = (thrown: unknown): RpcError =>
  new RpcError(ErrorCode.InternalError, thrown instanceof Error ? thrown.message : String(thrown));
