import type { McpClientConfig } from '../config/schema.ts';
import type { Caller } from '../model/call.ts';
import { GatewayError } from '../model/errors.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import { isPerUser } from './auth/identity.ts';
import { offeredTools } from './catalog.ts';
import type { Connection } from './connection.ts';
import type { CatalogTool } from './contract.ts';
import { isClientSlug } from './endpoints.ts';
import { reasonOf } from './failures.ts';
import { refusalOf } from './filters.ts';
import { headersFor } from './forward-headers.ts';
import { compareNames } from './listed-tools.ts';
import { OfferLists } from './offer-lists.ts';
import type { OwnSessions } from './own-sessions.ts';
import { type Peer, RpcError, type RpcMessage } from './peer.ts';
import type { Relay } from './relay.ts';
import { rpcErrorIn } from './rpc-failure.ts';
import type { Offer, OfferKind, ServerRequest, ServerSaid, Servers, UpstreamServer } from './server/source.ts';
import type { Session } from './session.ts';
import type { Entry } from './status.ts';

export interface UpstreamServersOptions {
  readonly entries: () => Iterable<Entry>;
  readonly relay: Relay;
  readonly own: OwnSessions;
  /** Runs on the caller's own session, where each caller has one; undefined where nobody has. */
  readonly asUser: (
    config: McpClientConfig,
    caller: Caller,
    work: (session: Session) => Promise<JsonObject>,
  ) => Promise<JsonObject> | undefined;
  /** For a request of this client. */
  readonly timeoutMsOf: (entry: Entry) => number;
  readonly listTimeoutMs: number;
  readonly warn: (message: string) => void;
}

const CHANGED: ReadonlySet<string> = new Set([
  'notifications/resources/list_changed',
  'notifications/prompts/list_changed',
]);

/** The connected servers as the gateway's /mcp shows them: everything but tools, by the policy that tools have. */
export class UpstreamServers implements Servers {
  readonly #options: UpstreamServersOptions;
  readonly #lists = new WeakMap<Connection, OfferLists>();

  constructor(options: UpstreamServersOptions) {
    this.#options = options;
    options.relay.onSaid((client, { method }) => {
      const connection = CHANGED.has(method) ? this.#named(client)?.connection : undefined;
      if (connection) this.#listsOf(connection).outdated();
    });
  }

  visible(caller: Caller): UpstreamServer[] {
    const entries = [...this.#options.entries()].filter((entry) => mayUse(entry, caller));
    return entries.map(serverOf).sort((a, b) => compareNames(a.name, b.name));
  }

  bySlug(slug: string, caller: Caller): UpstreamServer | undefined {
    for (const entry of this.#options.entries()) {
      if (isClientSlug(entry.config, slug) && mayUse(entry, caller)) return serverOf(entry);
    }
    return undefined;
  }

  async offers(kind: OfferKind, caller: Caller, client?: string): Promise<readonly Offer[]> {
    const offers = await this.#offersOf(kind, client);
    const rules = new Map([...this.#options.entries()].map(({ config }) => [config.name, config]));
    return offers.filter(({ clientName, key }) => {
      const config = rules.get(clientName);
      return config && refusalOf({ name: `${clientName}-${key}`, upstreamName: key }, config, caller) === undefined;
    });
  }

  allOffers(kind: OfferKind): Promise<readonly Offer[]> {
    return this.#offersOf(kind, undefined);
  }

  ownTools(peer: Peer, client: string, caller: Caller): readonly CatalogTool[] | undefined {
    const tools = this.#options.own.toolsOf(peer, client);
    const entry = tools && this.#named(client);
    if (!entry) return undefined;
    const { config } = entry;
    return offeredTools(config, tools.tools).filter((tool) => refusalOf(tool, config, caller) === undefined);
  }

  mayUseAll(client: string, caller: Caller): boolean {
    const entry = this.#named(client);
    // no server has a thing of this name, so that only rules for everything let it through
    const anything = { name: `${client}-*`, upstreamName: '*' };
    return entry !== undefined && refusalOf(anything, entry.config, caller) === undefined;
  }

  async ask(request: ServerRequest): Promise<JsonObject> {
    const { client, method, peer } = request;
    const entry = this.#named(client);
    if (!entry?.connection || !mayUse(entry, request.caller)) {
      throw new GatewayError('permission', `MCP client '${client}' is not available or not permitted`);
    }
    const { connection } = entry;
    try {
      const work = (session: Session) => this.#run(session, request, entry);
      const asUser = isPerUser(entry.config) && this.#options.asUser(entry.config, request.caller, work);
      if (asUser) return await asUser;
      const { own } = this.#options;
      const session = own.for(connection, method, request);
      if (session) {
        const result = await own.run(session, connection, request, async (opened) => work(await opened));
        own.note(peer, client, request);
        return result;
      }
      const result = await connection.use(work);
      connection.wishes.note(request);
      return result;
    } catch (thrown) {
      const error = askFailure(thrown, request);
      if (error instanceof RpcError) this.noteElicitations(client, error.data, peer);
      throw error;
    }
  }

  noteElicitations(client: string, data: unknown, peer: Peer): void {
    this.#options.relay.noteElicitations(client, data, peer);
  }

  tell({ identity }: Peer, notification: RpcMessage): void {
    this.#options.own.tell(identity, notification);
  }

  onSaid(listener: ServerSaid): () => void {
    return this.#options.relay.onSaid(listener);
  }

  forget(identity: object): void {
    this.#options.own.forget(identity);
  }

  async #run(session: Session, request: ServerRequest, entry: Entry): Promise<JsonObject> {
    const { method, params, onProgress, signal, caller } = request;
    const result = await session.request({
      method,
      params,
      headers: headersFor(entry.config.allowed_extra_headers, caller),
      origin: request,
      timeoutMs: this.#options.timeoutMsOf(entry),
      signal,
      onProgress: onProgress ?? (() => undefined),
    });
    return isObject(result) ? result : {};
  }

  async #offersOf(kind: OfferKind, client: string | undefined): Promise<Offer[]> {
    const entries = [...this.#options.entries()].filter(({ config }) => client === undefined || config.name === client);
    entries.sort((a, b) => compareNames(a.config.name, b.config.name));
    const lists = entries.map(({ connection }) => (connection ? this.#listsOf(connection).of(kind) : []));
    return (await Promise.all(lists)).flat();
  }

  #listsOf(connection: Connection): OfferLists {
    const known = this.#lists.get(connection);
    if (known) return known;
    const lists = new OfferLists({
      clientName: () => connection.config.name,
      capabilities: () => connection.server.capabilities ?? {},
      use: (work) => connection.use(work),
      timeoutMs: this.#options.listTimeoutMs,
      warn: (message) => this.#options.warn(`MCP client ${connection.config.name}: ${message}`),
    });
    this.#lists.set(connection, lists);
    return lists;
  }

  #named(name: string): Entry | undefined {
    for (const entry of this.#options.entries()) if (entry.config.name === name) return entry;
    return undefined;
  }
}

const serverOf = ({ config, connection }: Entry): UpstreamServer => ({
  name: config.name,
  capabilities: connection?.server.capabilities ?? {},
  info: connection?.server.info,
  instructions: connection?.server.instructions,
});

/** Whether the policy leaves the caller anything of this client at all. */
function mayUse({ config }: Entry, caller: Caller): boolean {
  const { name, tools_to_execute: offered } = config;
  const named = [...(caller.includeTools ?? []), ...(caller.keyTools ?? [])];
  const names = named.filter((entry) => entry.startsWith(`${name}-`));
  const candidates = [offered[0] ?? '', ...offered, ...names.map((entry) => entry.slice(name.length + 1))];
  return candidates.some(
    (key) => refusalOf({ name: `${name}-${key}`, upstreamName: key }, config, caller) === undefined,
  );
}

function askFailure(thrown: unknown, { client, method, signal }: ServerRequest): RpcError | GatewayError {
  if (thrown instanceof GatewayError || thrown instanceof RpcError) return thrown;
  if (signal.aborted) return new GatewayError('cancelled', `${method} was cancelled`, { cause: thrown });
  const error = rpcErrorIn(thrown);
  return (
    error ??
    new GatewayError('network', `MCP client ${client}: ${method} failed: ${reasonOf(thrown)}`, { cause: thrown })
  );
}
