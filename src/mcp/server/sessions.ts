import { randomBytes } from 'node:crypto';
import type { Caller } from '../../model/call.ts';
import type { JsonObject } from '../../model/json.ts';
import { EventLogs } from './event-log.ts';
import type { JsonRpcId } from './json-rpc.ts';
import { OutgoingRequests } from './outgoing.ts';

/** Where the notifications of a session go: an open event stream of its client. */
export interface Listener {
  send(message: string): void;
  close(): void;
}

export interface SessionLimits {
  readonly idleMs: number;
  readonly maxSessions: number;
  readonly maxListeners: number;
  readonly now: () => number;
  /** A session is over, however it ended. */
  readonly ended?: ((session: Session) => void) | undefined;
}

const DEFAULT_LIMITS: SessionLimits = {
  idleMs: 30 * 60_000,
  maxSessions: 10_000,
  maxListeners: 4,
  // a wall clock that is set would end every session at once, or none
  now: () => performance.now(),
};

/** What a client said of itself when it opened its session. */
export interface SessionFacts {
  /** The address it was opened at, and is good for: /mcp, or a name under it. */
  readonly slug: string | undefined;
  /** The one client that the address is about. */
  readonly scope: string | undefined;
  readonly version: string | undefined;
  readonly capabilities: JsonObject;
  /** Whose it is: nobody else may go on with it. */
  readonly owner?: string | undefined;
}

/** Whom a session belongs to, as far as callers say who they are. */
export const sessionOwner = ({ virtualKey, mcpSessionId }: Caller): string | undefined => virtualKey ?? mcpSessionId;

const NO_FACTS: SessionFacts = { slug: undefined, scope: undefined, version: undefined, capabilities: {} };

/** What one client's conversation needs remembered: its running calls, and where to send notifications. */
export class Session {
  readonly id = randomBytes(24).toString('base64url');
  readonly facts: SessionFacts;
  readonly outgoing = new OutgoingRequests();
  readonly streams = new EventLogs();
  /** By client and the server's own URI: the URI that was subscribed to. */
  readonly subscriptions = new Map<string, string>();
  logLevel: string | undefined;
  lastUsedMs: number;
  #isOver = false;
  /** Under the ids of their requests, of which two may be the same. */
  readonly #calls = new Map<AbortController, JsonRpcId>();
  readonly #listeners: Listener[] = [];

  constructor(nowMs: number, facts: SessionFacts = NO_FACTS) {
    this.lastUsedMs = nowMs;
    this.facts = facts;
  }

  get capabilities(): JsonObject {
    return this.facts.capabilities;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  over(): void {
    this.#isOver = true;
    this.outgoing.close();
  }

  started(id: JsonRpcId, call: AbortController): void {
    this.#calls.set(call, id);
  }

  ended(call: AbortController): void {
    this.#calls.delete(call);
  }

  cancel(id: JsonRpcId): void {
    for (const [call, ownId] of this.#calls) if (ownId === id) call.abort();
  }

  /** Opens one more stream; beyond the limit the oldest is closed, as clients that lost it come with a new one. */
  listen(listener: Listener, maxListeners: number): () => void {
    this.#listeners.push(listener);
    if (this.#listeners.length > maxListeners) this.#listeners.shift()?.close();
    return () => {
      const index = this.#listeners.indexOf(listener);
      if (index >= 0) this.#listeners.splice(index, 1);
    };
  }

  /** To the newest stream only: a message must not be broadcast over several (MCP transports, multiple connections). */
  notify(message: string): boolean {
    const listener = this.#listeners.at(-1);
    listener?.send(message);
    return listener !== undefined;
  }

  get isBusy(): boolean {
    return this.#calls.size > 0;
  }

  abortCalls(): void {
    for (const call of this.#calls.keys()) call.abort();
  }

  closeListeners(): void {
    for (const listener of this.#listeners.splice(0)) listener.close();
  }
}

/**
 * The open sessions, least recently used first. Most clients never say goodbye, so a session ends when it was idle for
 * long, or when it is the oldest and room is needed.
 */
export class Sessions {
  readonly #limits: SessionLimits;
  readonly #byId = new Map<string, Session>();
  #newest: Session | undefined;

  constructor(limits: Partial<SessionLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  get size(): number {
    return this.#byId.size;
  }

  open(facts?: SessionFacts): Session {
    this.#makeRoom();
    const session = new Session(this.#limits.now(), facts);
    this.#byId.set(session.id, session);
    this.#newest = session;
    return session;
  }

  /** The live session of this id, now the most recently used one. */
  use(id: string): Session | undefined {
    const session = this.#byId.get(id);
    if (!session) return undefined;
    if (this.#isIdle(session)) {
      this.#forget(session);
      return undefined;
    }
    this.#touch(session);
    return session;
  }

  /** Ends a session as its client asked: what it has running is cancelled. */
  end(id: string): boolean {
    const session = this.#byId.get(id);
    if (!session) return false;
    this.#forget(session);
    session.abortCalls();
    return true;
  }

  /** Adds a listener until the returned function is called. A client without a session gets one for just that long. */
  listen(client: Session | undefined, listener: Listener): { readonly session: Session; readonly leave: () => void } {
    const session = client ?? this.open();
    const stop = session.listen(listener, this.#limits.maxListeners);
    const leave = () => {
      stop();
      if (!client) this.#forget(session);
    };
    return { session, leave };
  }

  all(): Iterable<Session> {
    return this.#byId.values();
  }

  notifyAll(message: string): void {
    for (const session of this.#byId.values()) session.notify(message);
  }

  /** Ends the streams on which clients wait for notifications; calls run on. */
  closeListeners(): void {
    for (const session of this.#byId.values()) session.closeListeners();
  }

  close(): void {
    for (const id of [...this.#byId.keys()]) this.end(id);
  }

  #touch(session: Session): void {
    session.lastUsedMs = this.#limits.now();
    if (session === this.#newest) return;
    this.#newest = session;
    this.#byId.delete(session.id);
    this.#byId.set(session.id, session);
  }

  #makeRoom(): void {
    for (const session of this.#byId.values()) {
      if (this.#byId.size < this.#limits.maxSessions && !this.#isIdle(session)) return;
      this.#forget(session);
    }
  }

  /** Calls run on: each has its own connection, on which its answer is awaited. */
  #forget(session: Session): void {
    if (session === this.#newest) this.#newest = undefined;
    this.#byId.delete(session.id);
    session.closeListeners();
    session.over();
    this.#limits.ended?.(session);
  }

  #isIdle(session: Session): boolean {
    return !session.isBusy && this.#limits.now() - session.lastUsedMs > this.#limits.idleMs;
  }
}
