import type { McpClientConfig } from '../config/schema.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import type { Connection } from './connection.ts';
import { isNeverExecuted, isSessionLost } from './failures.ts';
import type { ToolList } from './listed-tools.ts';
import type { Origin, Peer, PeerEvents, RpcMessage } from './peer.ts';
import type { Session } from './session.ts';
import { SessionWishes } from './session-wishes.ts';
import { later } from './timing.ts';

export interface OwnSessionLimits {
  /** Over all clients; who comes later shares. */
  readonly maxSessions: number;
  /** An unused one is given up, unless somebody listens to it; the next use opens another. */
  readonly idleMs: number;
  /** From the loss of one that somebody listens to until another is opened; grows with each one that fails, to 64 times. */
  readonly reopenMs: number;
  /** From the word that its tools changed to the reading of its list: servers often say so many times. */
  readonly relistMs: number;
}

const DEFAULT_LIMITS: OwnSessionLimits = { maxSessions: 64, idleMs: 5 * 60_000, reopenMs: 1_000, relistMs: 200 };
const MOST_DOUBLINGS = 6;
const LIST_TIMEOUT_MS = 30_000;

/** What changes the session for everybody who shares it. */
const STATEFUL: ReadonlySet<string> = new Set(['resources/subscribe', 'resources/unsubscribe', 'logging/setLevel']);

interface Own {
  readonly identity: object;
  readonly client: string;
  readonly session: Promise<Session>;
  idle: NodeJS.Timeout | undefined;
  /** To read its list in. */
  relist: NodeJS.Timeout | undefined;
  /** What it alone offers, since it said that its tools changed. */
  tools: ToolList | undefined;
  /** Says to the client that its tools are others now. */
  readonly tellChange: () => void;
}

/** What holds for one client session and one server, whichever session of the server's serves it. */
interface Kept {
  readonly wishes: SessionWishes;
  /** To open another session in. */
  timer: NodeJS.Timeout | undefined;
  failures: number;
}

/**
 * Sessions with servers that serve one client session of ours alone: where nothing else would tell whom a server asks
 * (stdio), whose roots hold, or where a subscription would end with the call that made it.
 */
export class OwnSessions {
  readonly #eventsOf: (config: () => McpClientConfig) => PeerEvents;
  readonly #limits: OwnSessionLimits;
  readonly #open = new Map<string, Own>();
  readonly #kept = new Map<object, Map<string, Kept>>();
  readonly #ids = new WeakMap<object, number>();
  #lastId = 0;

  constructor(eventsOf: (config: () => McpClientConfig) => PeerEvents, limits: Partial<OwnSessionLimits> = {}) {
    this.#eventsOf = eventsOf;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  get size(): number {
    return this.#open.size;
  }

  /** The session for this request, opened where it must be; undefined where the shared one will do. */
  for(connection: Connection, method: string, origin: Origin): Promise<Session> | undefined {
    const { peer } = origin;
    // asked for each call, and nearly none has one
    if (!peer || (this.#open.size === 0 && !needsOwn(connection, method, peer))) return undefined;
    const key = this.#keyOf(peer.identity, connection.config.name);
    const known = this.#open.get(key);
    if (known) return this.#used(key, known);
    if (!needsOwn(connection, method, peer) || this.#open.size >= this.#limits.maxSessions) return undefined;
    return this.#admit(key, connection, origin, peer);
  }

  /** The list of the session that serves this client alone, where that has changed since; undefined = as the shared one. */
  toolsOf({ identity }: Peer, client: string): ToolList | undefined {
    return this.#open.size === 0 ? undefined : this.#open.get(this.#keyOf(identity, client))?.tools;
  }

  /** Runs on such a session, and once more on another where its server has forgotten it. */
  async run<Result>(
    own: Promise<Session>,
    connection: Connection,
    origin: Origin & { readonly peer: Peer },
    work: (own: Promise<Session>) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await work(own);
    } catch (thrown) {
      if (origin.signal.aborted || !isNeverExecuted(thrown)) throw thrown;
    }
    const key = this.#keyOf(origin.peer.identity, connection.config.name);
    this.#drop(key, own);
    return work(this.#open.get(key)?.session ?? this.#admit(key, connection, origin, origin.peer));
  }

  /** This request of a client was granted by a session of its own. */
  note({ identity }: Peer, client: string, request: RpcMessage): void {
    // a client that has left since wants nothing any more
    const isOpen = STATEFUL.has(request.method) && this.#open.has(this.#keyOf(identity, client));
    if (isOpen) this.#keptFor(identity, client).wishes.note(request);
  }

  /** To the servers of this client session. */
  tell(identity: object, notification: RpcMessage): void {
    for (const own of this.#open.values()) {
      if (own.identity !== identity) continue;
      // a session that has failed has nobody to tell
      void own.session.then((session) => session.notify(notification)).catch(() => undefined);
    }
  }

  forget(identity: object): void {
    for (const { timer } of this.#kept.get(identity)?.values() ?? []) clearTimeout(timer);
    this.#kept.delete(identity);
    for (const [key, own] of this.#open) if (own.identity === identity) void this.#close(key, own);
  }

  async close(): Promise<void> {
    for (const identity of [...this.#kept.keys()]) this.forget(identity);
    await Promise.all([...this.#open].map(([key, own]) => this.#close(key, own)));
  }

  #admit(key: string, connection: Connection, origin: Origin, peer: Peer): Promise<Session> {
    const events = this.#eventsOf(() => connection.config);
    const forget = () => {
      const own = this.#open.get(key);
      if (own?.session !== session) return;
      this.#closed(key, own);
      this.#reopenLater(key, connection, origin, peer);
    };
    const session = connection.openBeside({
      onClosed: forget,
      onToolsChanged: () => this.#relistSoon(key, session, connection),
      onTrouble: (error) => {
        if (isSessionLost(error) && this.#drop(key, session)) this.#reopenLater(key, connection, origin, peer);
      },
      capabilities: capabilitiesOf(peer),
      // The session is this client's, so whatever comes of itself is for it as well.
      peers: {
        onRequest: (request, caused, signal) => events.onRequest(request, caused ?? fromNowOn(origin), signal),
        onNotification: (notification, caused) => {
          // told once the new list is there
          if (notification.method === TOOLS_CHANGED.method) return;
          events.onNotification(notification, { ...(caused ?? fromNowOn(origin)), isAlone: true });
        },
      },
    });
    session.then((opened) => this.#opened(peer.identity, connection, opened), forget);
    const own: Own = {
      identity: peer.identity,
      client: connection.config.name,
      session,
      idle: undefined,
      relist: undefined,
      tools: undefined,
      tellChange: () => events.onNotification(TOOLS_CHANGED, { ...fromNowOn(origin), isAlone: true }),
    };
    this.#open.set(key, own);
    return this.#used(key, own);
  }

  #relistSoon(key: string, session: Promise<Session>, connection: Connection): void {
    const own = this.#open.get(key);
    if (own?.session !== session) return;
    clearTimeout(own.relist);
    own.relist = later(this.#limits.relistMs, () => void this.#relist(own, connection).catch(ignored));
  }

  async #relist(own: Own, connection: Connection): Promise<void> {
    const session = await own.session;
    const listed = await session.listTools(LIST_TIMEOUT_MS);
    own.tools ??= connection.newToolList();
    if (own.tools.take(listed, ignored)) own.tellChange();
  }

  /** The server knows it no longer. True when it was the one in use. */
  #drop(key: string, session: Promise<Session>): boolean {
    const own = this.#open.get(key);
    if (own?.session !== session) return false;
    void this.#close(key, own);
    return true;
  }

  #used(key: string, own: Own): Promise<Session> {
    clearTimeout(own.idle);
    own.idle = later(this.#limits.idleMs, () => {
      void own.session.then((session) => {
        const isHeard = this.#kept.get(own.identity)?.get(own.client)?.wishes.isListening;
        // tools of its own would be gone with it
        const isNeeded = isHeard || own.tools !== undefined;
        if (session.isIdle && !isNeeded) void this.#close(key, own);
        else void this.#used(key, own);
      }, ignored);
    });
    return own.session;
  }

  #opened(identity: object, connection: Connection, session: Session): void {
    const kept = this.#kept.get(identity)?.get(connection.config.name);
    if (!kept) return;
    kept.failures = 0;
    connection.repeat(kept.wishes, session);
  }

  /** Who listens would not know that nothing can be heard any more, and so would never ask again. */
  #reopenLater(key: string, connection: Connection, origin: Origin, peer: Peer): void {
    const kept = this.#kept.get(peer.identity)?.get(connection.config.name);
    if (!kept?.wishes.isListening || connection.isClosed) return;
    const waitMs = this.#limits.reopenMs * 2 ** Math.min(kept.failures++, MOST_DOUBLINGS);
    clearTimeout(kept.timer);
    kept.timer = later(waitMs, () => {
      const isNeeded = !this.#open.has(key) && !connection.isClosed && this.#open.size < this.#limits.maxSessions;
      if (isNeeded) this.#admit(key, connection, fromNowOn(origin), peer).catch(ignored);
    });
  }

  #keptFor(identity: object, client: string): Kept {
    const ofIdentity = this.#kept.get(identity) ?? new Map<string, Kept>();
    this.#kept.set(identity, ofIdentity);
    const known = ofIdentity.get(client) ?? { wishes: new SessionWishes(), timer: undefined, failures: 0 };
    ofIdentity.set(client, known);
    return known;
  }

  async #close(key: string, own: Own): Promise<void> {
    this.#closed(key, own);
    const session = await own.session.catch(() => undefined);
    await session?.close();
  }

  #closed(key: string, own: Own): void {
    clearTimeout(own.idle);
    clearTimeout(own.relist);
    this.#open.delete(key);
    if (own.tools) own.tellChange();
  }

  #keyOf(identity: object, client: string): string {
    const known = this.#ids.get(identity);
    const id = known ?? ++this.#lastId;
    if (known === undefined) this.#ids.set(identity, id);
    return `${id} ${client}`;
  }
}

function needsOwn(connection: Connection, method: string, peer: Peer): boolean {
  // who has no session comes with another identity each time
  if (!peer.hasSession) return false;
  if (!connection.holdsSession) return STATEFUL.has(method);
  if (peer.scope === undefined) return false;
  const { sampling, elicitation, roots } = peer.capabilities;
  if (connection.session?.mayHaveOlderSessions)
    return STATEFUL.has(method) || isObject(sampling) || isObject(elicitation) || isObject(roots);
  if (isObject(roots)) return connection.session?.isStateless !== true;
  const tellsOrigins = connection.session?.tellsOrigins ?? connection.config.connection_type === 'http';
  return !tellsOrigins && (isObject(sampling) || isObject(elicitation));
}

const ASKED_FOR = ['sampling', 'elicitation', 'roots'] as const;

function capabilitiesOf({ capabilities }: Peer): JsonObject {
  const declared = ASKED_FOR.flatMap((name) => {
    const capability = capabilities[name];
    return isObject(capability) ? [[name, capability] as const] : [];
  });
  return Object.fromEntries(declared);
}

const TOOLS_CHANGED: RpcMessage = { method: 'notifications/tools/list_changed', params: {} };

/** A session that failed has told so to whoever waits for it. */
const ignored = (): void => undefined;

/** The call that opened the session ends; what comes later is not cancelled with it. */
const fromNowOn = ({ caller, peer }: Origin): Origin => ({ caller, peer, signal: new AbortController().signal });
