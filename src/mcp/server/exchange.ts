import type { Caller } from '../../model/call.ts';
import type { JsonObject } from '../../model/json.ts';
import { type Peer, RpcError, type RpcMessage } from '../peer.ts';
import { notificationText, RPC_CODE } from './json-rpc.ts';
import { isLoud } from './log-levels.ts';
import type { Session } from './sessions.ts';

/** The connection that answers one POST, as far as messages of servers travel on it. */
export interface AnswerWay {
  /** What runs for this request; whoever holds the connection aborts it when the client leaves. */
  readonly calls: Set<AbortController>;
  /** Sends a message ahead of the answer; absent when the client takes nothing but the answer. */
  readonly notify?: ((message: string) => void) | undefined;
  /** Closes the stream, for the client to come back to; absent where it could not. */
  readonly pause?: ((retryMs: number | undefined) => void) | undefined;
}

const NO_CAPABILITIES: JsonObject = {};

/** One HTTP request's side of a conversation: who asks, and the way back to it while the answer is made. */
export class Exchange implements Peer {
  readonly caller: Caller;
  readonly session: Session | undefined;
  /** The client whose own address was asked; undefined at the address of all. */
  readonly scope: string | undefined;
  readonly #way: AnswerWay;
  #isOver = false;

  constructor(caller: Caller, session: Session | undefined, scope: string | undefined, way: AnswerWay) {
    this.caller = caller;
    this.session = session;
    this.scope = scope;
    this.#way = way;
  }

  get calls(): Set<AbortController> {
    return this.#way.calls;
  }

  get notify(): ((message: string) => void) | undefined {
    return this.#way.notify;
  }

  get capabilities(): JsonObject {
    return this.session?.capabilities ?? NO_CAPABILITIES;
  }

  get hasSession(): boolean {
    return this.session !== undefined;
  }

  get identity(): object {
    return this.session ?? this;
  }

  ask(request: RpcMessage, signal: AbortSignal): Promise<JsonObject> {
    if (this.session) return this.session.outgoing.ask(request, (message) => this.#send(message), signal);
    const reason = `${request.method} needs a session, and the client has opened none`;
    return Promise.reject(new RpcError(RPC_CODE.methodNotFound, reason));
  }

  tell({ method, params }: RpcMessage): void {
    if (method === 'notifications/message' && !isLoud(params.level, this.session?.logLevel)) return;
    this.#send(notificationText(method, params));
  }

  pause(retryMs: number | undefined): void {
    this.#way.pause?.(retryMs);
  }

  /** The answer was given: what servers still have to say goes to the stream that the client listens to. */
  over(): void {
    this.#isOver = true;
  }

  #send(message: string): boolean {
    const { notify } = this.#way;
    if (this.#isOver || !notify) return this.session?.notify(message) ?? false;
    notify(message);
    return true;
  }
}
