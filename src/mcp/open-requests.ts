import { ErrorCode, type JSONRPCMessage, type JSONRPCRequest, McpError } from '@modelcontextprotocol/sdk/types.js';
import { isObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { onAbort } from '../model/on-abort.ts';
import { timerMs } from '../model/timer-ms.ts';
import type { ToolProgress } from './contract.ts';
import type { Flight, Origin } from './peer.ts';

export interface SessionRequest {
  readonly method: string;
  readonly params?: JsonObject;
  /** Without a sign of life; progress starts it anew. */
  readonly timeoutMs: number;
  /** Altogether, however much progress is reported; without an end when absent. */
  readonly maxMs?: number;
  readonly signal?: AbortSignal;
  /** Given, the server is asked to report progress. */
  readonly onProgress?: ((progress: ToolProgress) => void) | undefined;
  /** Sent with this request only; HTTP transports know what to do with them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** On whose behalf the server works: whom it may ask. */
  readonly origin?: Origin;
}

export interface OpenRequestsOptions {
  /** Sends a request; rejects where it found no way to the server. */
  readonly send: (message: JSONRPCRequest, flight: Flight) => Promise<void>;
  /** Tells the server that nobody wants the answer any more. */
  readonly tellCancelled: (id: number, reason: string) => void;
  /** What whoever asked gets to see of a failure. */
  readonly explained: (thrown: unknown) => unknown;
  /** The last open request has ended. */
  readonly idle: () => void;
}

const NO_HEADERS: Readonly<Record<string, string>> = {};

/** The requests that one server has not answered yet, under ids of our own: callers may use the same ones. */
export class OpenRequests {
  readonly #options: OpenRequestsOptions;
  readonly #open = new Map<number, OpenRequest>();
  #lastId = 0;

  constructor(options: OpenRequestsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  /** The result as the server gave it. Rejects with McpError, the signal's reason, and what the transports throw. */
  ask(request: SessionRequest): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (request.signal?.aborted) return reject(request.signal.reason);
      this.#lastId += 1;
      const open = new OpenRequest(this.#lastId, request, {
        resolve,
        reject: (reason) => reject(this.#options.explained(reason)),
        tellCancelled: this.#options.tellCancelled,
        ended: (id) => this.#ended(id),
      });
      this.#open.set(open.id, open);
      this.#options.send(messageOf(open.id, request), open).catch((reason: unknown) => open.fail(reason));
    });
  }

  /** Takes an answer; false when it answers none of them. */
  answered(message: JSONRPCMessage): boolean {
    if (!('id' in message) || 'method' in message) return false;
    const open = this.#open.get(Number(message.id));
    if (!open) return false;
    if ('result' in message) open.succeed(message.result);
    else open.fail(errorIn(message.error));
    return true;
  }

  /** Takes the parameters of a `notifications/progress`. */
  progressed({ progressToken, ...reported }: JsonObject): void {
    this.#open.get(Number(progressToken))?.progressed(reported);
  }

  /** Those of one call of ours wait for something else than the server until the function that this gives is called. */
  hold(origin: Origin): () => void {
    const held = [...this.#open.values()].filter((open) => open.origin === origin);
    for (const open of held) open.hold();
    return () => {
      for (const open of held) open.letGo();
    };
  }

  origins(): (Origin | undefined)[] {
    return [...this.#open.values()].map(({ origin }) => origin);
  }

  close(): void {
    const closed = McpError.fromError(ErrorCode.ConnectionClosed, 'Connection closed');
    for (const open of [...this.#open.values()]) open.fail(closed);
  }

  #ended(id: number): void {
    this.#open.delete(id);
    if (this.#open.size === 0) this.#options.idle();
  }
}

/** What came by a pipe is JSON-RPC by its envelope alone: an error may be anything, or missing. */
function errorIn(given: unknown): Error {
  if (!isObject(given)) return new Error(`the server's answer holds neither a result nor an error${toldBy(given)}`);
  const { code, message, data } = given;
  const text = typeof message === 'string' ? message : 'the server gave no reason';
  return McpError.fromError(typeof code === 'number' ? code : ErrorCode.InternalError, text, data);
}

const toldBy = (given: unknown): string => (typeof given === 'string' ? `: ${given}` : '');

/** The id stands last, where the HTTP transport looks for it. */
function messageOf(id: number, { method, params = {}, onProgress }: SessionRequest): JSONRPCRequest {
  const asked = onProgress ? { ...params, _meta: { ...membersOf(params._meta), progressToken: id } } : params;
  return { method, params: asked, jsonrpc: '2.0', id };
}

const membersOf = (meta: JsonValue | undefined): JsonObject => (isObject(meta) ? meta : {});

interface Fate {
  resolve(result: unknown): void;
  reject(reason: unknown): void;
  tellCancelled(id: number, reason: string): void;
  ended(id: number): void;
}

/** One request that waits for its answer. It has one end, whichever comes first. */
class OpenRequest implements Flight {
  readonly id: number;
  /** Let go at the end: a Map's former tables hold on to what was in them until a major collection. */
  #request: SessionRequest | undefined;
  #fate: Fate | undefined;
  #forgetSignal: (() => void) | undefined;
  #timer: NodeJS.Timeout;
  readonly #startedAtMs = performance.now();
  #holds = 0;

  constructor(id: number, request: SessionRequest, fate: Fate) {
    this.id = id;
    this.#request = request;
    this.#fate = fate;
    const { signal } = request;
    if (signal) this.#forgetSignal = onAbort(signal, () => this.#cancel(signal.reason));
    this.#timer = this.#started(request.timeoutMs);
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#request?.headers ?? NO_HEADERS;
  }

  get origin(): Origin | undefined {
    return this.#request?.origin;
  }

  succeed(result: unknown): void {
    this.#end()?.resolve(result);
  }

  fail(reason: unknown): void {
    this.#end()?.reject(reason);
  }

  progressed({ progress, total, message }: JsonObject): void {
    const { onProgress, maxMs = Number.POSITIVE_INFINITY } = this.#request ?? {};
    if (!onProgress || typeof progress !== 'number') return;
    if (performance.now() - this.#startedAtMs >= maxMs) {
      this.#cancel(new RequestTimeout(maxMs));
      return;
    }
    if (this.#holds === 0) this.#timer.refresh();
    onProgress({
      progress,
      ...(typeof total === 'number' && { total }),
      ...(typeof message === 'string' && { message }),
    });
  }

  hold(): void {
    this.#holds += 1;
    clearTimeout(this.#timer);
  }

  letGo(): void {
    this.#holds -= 1;
    if (this.#request && this.#holds === 0) this.#timer = this.#started(this.#request.timeoutMs);
  }

  #started(timeoutMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#cancel(new RequestTimeout(timeoutMs)), timerMs(timeoutMs));
  }

  #cancel(reason: unknown): void {
    const fate = this.#end();
    fate?.tellCancelled(this.id, String(reason));
    fate?.reject(reason);
  }

  #end(): Fate | undefined {
    const fate = this.#fate;
    if (!fate) return undefined;
    clearTimeout(this.#timer);
    this.#forgetSignal?.();
    this.#forgetSignal = undefined;
    this.#request = undefined;
    this.#fate = undefined;
    fate.ended(this.id);
    return fate;
  }
}

/** A server gave no sign of life for so long, or no end. */
export class RequestTimeout extends McpError {
  readonly afterMs: number;

  constructor(afterMs: number) {
    super(ErrorCode.RequestTimeout, 'Request timed out', { timeout: afterMs });
    this.afterMs = afterMs;
  }
}
