import type { Caller } from '../../model/call.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { RpcError, type RpcMessage } from '../peer.ts';
import { type AnswerWay, Exchange } from '../server/exchange.ts';
import type { JsonRpcId } from '../server/json-rpc.ts';
import { isLoud } from '../server/log-levels.ts';
import { META } from './protocol.ts';

interface Asked {
  readonly request: RpcMessage;
  readonly answered: (result: JsonObject) => void;
}

/** How far a call has come: it has its answer (none when it was cancelled), or waits for what the client must give. */
export type Outcome = { readonly text: string | undefined } | { readonly inputRequests: JsonObject };

export interface OpenCallFacts {
  /** Of the request that began it. */
  readonly id: JsonRpcId;
  readonly caller: Caller;
  /** The client whose own address was asked; undefined at the address of all. */
  readonly scope: string | undefined;
  readonly way: AnswerWay;
  readonly envelope: JsonObject;
}

/**
 * A call of a client of the modern era, which cannot be asked: what a server asks is put into the answer, and the call
 * waits, from one POST to the next, until the client comes back with what was missing.
 */
export class OpenCall extends Exchange {
  readonly id: JsonRpcId;
  readonly #envelope: JsonObject;
  readonly #asked = new Map<string, Asked>();
  #now: AnswerWay;
  #answer: Promise<Outcome> | undefined;
  #wake: (() => void) | undefined;
  #lastKey = 0;
  #held: readonly AbortController[] = [];

  constructor({ id, caller, scope, way, envelope }: OpenCallFacts) {
    super(caller, undefined, scope, way);
    this.id = id;
    this.#now = way;
    this.#envelope = envelope;
  }

  override get calls(): Set<AbortController> {
    return this.#now.calls;
  }

  override get notify(): ((message: string) => void) | undefined {
    return this.#now.notify;
  }

  override get hasSession(): boolean {
    return false;
  }

  override get capabilities(): JsonObject {
    const declared = this.#envelope[META.capabilities];
    return isObject(declared) ? declared : {};
  }

  override ask(request: RpcMessage, signal: AbortSignal): Promise<JsonObject> {
    this.#lastKey += 1;
    const key = `input-${this.#lastKey}`;
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#asked.delete(key);
        reject(new RpcError(-32603, `${request.method} was cancelled`));
      };
      const answered = (result: JsonObject) => {
        signal.removeEventListener('abort', stop);
        resolve(result);
      };
      signal.addEventListener('abort', stop, { once: true });
      this.#asked.set(key, { request, answered });
      if (signal.aborted) stop();
      else this.#wake?.();
    });
  }

  /** Progress goes its own way; of log messages a client gets those that it asked for with this request. */
  override tell(notification: RpcMessage): void {
    const wanted = this.#envelope[META.logLevel];
    const { method, params } = notification;
    if (method !== 'notifications/message' || typeof wanted !== 'string' || !isLoud(params.level, wanted)) return;
    this.notify?.(JSON.stringify({ jsonrpc: '2.0', method, params }));
  }

  /** The stream of a call cannot be resumed in this era: it stays open. */
  override pause(): void {}

  /** `answer`: the call, which was begun with this exchange. */
  begin(answer: Promise<string | undefined>): Promise<Outcome> {
    this.#answer = answer.then((text) => ({ text }));
    return this.#next();
  }

  /** The POST was answered, and the call lives on without one. */
  park(): void {
    this.#held = [...this.#now.calls];
    this.#now.calls.clear();
    this.#now = { calls: new Set(this.#held) };
  }

  /** Goes on with what the client brought. What it left out is asked for again. */
  resume(way: AnswerWay, inputResponses: JsonObject): Promise<Outcome> {
    for (const held of this.#held) way.calls.add(held);
    this.#now = way;
    for (const [key, { answered }] of [...this.#asked]) {
      const response = inputResponses[key];
      if (!isObject(response)) continue;
      this.#asked.delete(key);
      answered(response);
    }
    return this.#next();
  }

  abort(): void {
    for (const held of this.#held) held.abort();
  }

  async #next(): Promise<Outcome> {
    while (this.#asked.size === 0) {
      const asked = new Promise<undefined>((resolve) => {
        this.#wake = () => resolve(undefined);
      });
      const outcome = await Promise.race([this.#answer, asked]);
      this.#wake = undefined;
      if (outcome) return outcome;
      // What is asked at the same time goes into one answer; what is asked no longer, into none.
      await new Promise((resolve) => setImmediate(resolve));
    }
    const inputRequests = [...this.#asked].map(([key, { request }]) => [key, forModernEra(request)]);
    return { inputRequests: Object.fromEntries(inputRequests) };
  }
}

/** An elicitation by URL has no id in this era: its end is told by the retry. */
function forModernEra({ method, params }: RpcMessage): JsonObject {
  const { elicitationId: _, ...rest } = params;
  return { method, params: method === 'elicitation/create' ? rest : params };
}
