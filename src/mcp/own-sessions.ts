import type { McpClientConfig } from '../config/schema.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import type { Connection } from './connection.ts';
import type { Origin, Peer, PeerEvents, RpcMessage } from './peer.ts';
import type { Session } from './session.ts';
import { later } from './timing.ts';

export interface OwnSessionLimits {
  /** Over all clients; who comes later shares. */
  readonly maxSessions: number;
  /** An unused one is given up; the next use opens another. */
  readonly idleMs: number;
}

const DEFAULT_LIMITS: OwnSessionLimits = { maxSessions: 64, idleMs: 5 * 60_000 };

/** What changes the session for everybody who shares it. */
const STATEFUL: ReadonlySet<string> = new Set(['resources/subscribe', 'resources/unsubscribe', 'logging/setLevel']);

interface Own {
  readonly identity: object;
  readonly client: string;
  readonly session: Promise<Session>;
  idle: NodeJS.Timeout | undefined;
}

/**
 * Sessions with servers that serve one client session of ours alone: where nothing else would tell whom a server asks
 * (stdio), whose roots hold, or where a subscription would end with the call that made it.
 */
export class OwnSessions {
  readonly #eventsOf: (config: () => McpClientConfig) => PeerEvents;
  readonly #limits: OwnSessionLimits;
  readonly #open = new Map<string, Own>();
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

  /** To the servers of this client session. */
  tell(identity: object, notification: RpcMessage): void {
    for (const own of this.#open.values()) {
      if (own.identity !== identity) continue;
      // a session that has failed has nobody to tell
      void own.session.then((session) => session.notify(notification)).catch(() => undefined);
    }
  }

  forget(identity: object): void {
    for (const [key, own] of this.#open) if (own.identity === identity) void this.#close(key, own);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map(([key, own]) => this.#close(key, own)));
  }

  #admit(key: string, connection: Connection, origin: Origin, peer: Peer): Promise<Session> {
    const events = this.#eventsOf(() => connection.config);
    const forget = () => {
      const own = this.#open.get(key);
      clearTimeout(own?.idle);
      if (own?.session === session) this.#open.delete(key);
    };
    const session = connection.openBeside({
      onClosed: forget,
      onToolsChanged: () => undefined,
      onTrouble: () => undefined,
      capabilities: capabilitiesOf(peer),
      // The session is this client's, so whatever comes of itself is for it as well.
      peers: {
        onRequest: (request, caused, signal) => events.onRequest(request, caused ?? fromNowOn(origin), signal),
        onNotification: (notification, caused) =>
          events.onNotification(notification, { ...(caused ?? fromNowOn(origin)), isAlone: true }),
      },
    });
    session.catch(forget);
    const own: Own = { identity: peer.identity, client: connection.config.name, session, idle: undefined };
    this.#open.set(key, own);
    return this.#used(key, own);
  }

  #used(key: string, own: Own): Promise<Session> {
    clearTimeout(own.idle);
    own.idle = later(this.#limits.idleMs, () => {
      void own.session.then((session) => {
        if (session.isIdle) void this.#close(key, own);
        else void this.#used(key, own);
      });
    });
    return own.session;
  }

  async #close(key: string, own: Own): Promise<void> {
    clearTimeout(own.idle);
    this.#open.delete(key);
    const session = await own.session.catch(() => undefined);
    await session?.close();
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

/** The call that opened the session ends; what comes later is not cancelled with it. */
const fromNowOn = ({ caller, peer }: Origin): Origin => ({ caller, peer, signal: new AbortController().signal });
