import type { McpClientConfig } from '../../config/schema.ts';
import type { Caller } from '../../model/call.ts';
import { GatewayError } from '../../model/errors.ts';
import { Connection } from '../connection.ts';
import type { ConnectionOptions } from '../connection-options.ts';
import { credentialErrorIn } from '../failures.ts';
import { later } from '../timing.ts';
import { identityOf } from './identity.ts';
import { idOf, type UpstreamAuth } from './upstream-auth.ts';

export interface UserConnectionsOptions {
  readonly auth: UpstreamAuth;
  readonly connection: ConnectionOptions;
  /** Where this caller's browser reaches the gateway. */
  readonly baseOf: (caller: Caller) => string;
  readonly idleMs?: number;
  readonly maxConnections?: number;
}

interface Held {
  readonly connection: Connection;
  running: number;
  idle: NodeJS.Timeout | undefined;
}

const IDLE_MS = 5 * 60_000;
const MAX_CONNECTIONS = 1_000;

/** Connections to servers at which each caller has a login of their own: one for each, kept while it is used. */
export class UserConnections {
  readonly #options: UserConnectionsOptions;
  readonly #held = new Map<string, Held>();

  constructor(options: UserConnectionsOptions) {
    this.#options = options;
  }

  /** Runs on the caller's own connection. Throws GatewayError with `mcpAuthRequired` where they must log in first. */
  async use<Result>(
    config: McpClientConfig,
    caller: Caller,
    work: (own: Connection) => Promise<Result>,
  ): Promise<Result> {
    const identity = identityOf(caller);
    if (!identity) throw noIdentity(config);
    const key = `${idOf(config)} ${identity}`;
    const { auth } = this.#options;
    const required = () => auth.required({ config, identity }, this.#options.baseOf(caller));
    if (!this.#held.has(key) && (await auth.missing({ config, identity }))) throw await required();
    const held = this.#held.get(key) ?? this.#open(key, config, identity);
    held.running += 1;
    try {
      return await work(held.connection);
    } catch (thrown) {
      if (!credentialErrorIn(thrown)) throw thrown;
      void this.#close(key, held);
      throw await required();
    } finally {
      held.running -= 1;
      this.#used(key, held);
    }
  }

  /** The client has changed or gone, or somebody's login has: the next call connects anew. */
  async forget(mcpClientId: string, identity = ''): Promise<void> {
    const gone = [...this.#held].filter(([key]) => key.startsWith(`${mcpClientId} ${identity}`));
    await Promise.all(gone.map(([key, held]) => this.#close(key, held)));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#held].map(([key, held]) => this.#close(key, held)));
  }

  #open(key: string, config: McpClientConfig, identity: string): Held {
    const { auth, connection, maxConnections = MAX_CONNECTIONS } = this.#options;
    if (this.#held.size >= maxConnections) {
      const unused = [...this.#held].find(([, { running }]) => running === 0);
      if (unused) void this.#close(...unused);
    }
    const { transport } = connection;
    const fetchOf = (now: McpClientConfig) => auth.fetchFor({ config: now, identity }, transport.fetchOf(now));
    const options = { ...connection, transport: { ...transport, fetchOf }, changed: () => undefined };
    const held: Held = { connection: new Connection(config, options), running: 0, idle: undefined };
    this.#held.set(key, held);
    return held;
  }

  #used(key: string, held: Held): void {
    clearTimeout(held.idle);
    if (this.#held.get(key) !== held) return;
    held.idle = later(this.#options.idleMs ?? IDLE_MS, () => {
      if (held.running === 0) void this.#close(key, held);
    });
  }

  async #close(key: string, held: Held): Promise<void> {
    clearTimeout(held.idle);
    if (this.#held.get(key) === held) this.#held.delete(key);
    await held.connection.close();
  }
}

const noIdentity = ({ name }: McpClientConfig): GatewayError =>
  new GatewayError(
    'authentication',
    `MCP client ${name} is used with each caller's own login, and this request does not say whose: send a virtual key, or the header x-bf-mcp-session-id`,
    { status: 401 },
  );
