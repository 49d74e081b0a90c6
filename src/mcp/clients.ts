import type { McpClientConfig, ToolManagerConfig } from '../config/schema.ts';
import type { Caller } from '../model/call.ts';
import { GatewayError } from '../model/errors.ts';
import { isPerUser, needsLogin, ownIdentity } from './auth/identity.ts';
import type { UpstreamAuth } from './auth/upstream-auth.ts';
import { UserConnections } from './auth/user-connections.ts';
import type { CatalogSource } from './catalog.ts';
import { ClientEntries } from './client-entries.ts';
import { changesOf, mustRedial } from './config-changes.ts';
import type { Connection } from './connection.ts';
import { type ConnectionNeeds, Connections } from './connections.ts';
import type { Catalog, CatalogTool, ClientStatus, ToolCallRequest, ToolResult } from './contract.ts';
import { reasonOf } from './failures.ts';
import { type CallerFilters, refusalOf, refusedTool, unknownTool, whyNot } from './filters.ts';
import { headersFor } from './forward-headers.ts';
import { compareNames } from './listed-tools.ts';
import { LiveCatalog } from './live-catalog.ts';
import { type OwnSessionLimits, OwnSessions } from './own-sessions.ts';
import { patientFetch, type TrustingFetch } from './patient-fetch.ts';
import { Relay } from './relay.ts';
import { cleanedResult } from './safety/scan.ts';
import type { ToolSafety } from './safety/tool-safety.ts';
import { connectFailure, type Entry, reconnectable, statusOf } from './status.ts';
import { DEFAULT_TIMING, type McpTiming, settlesWithin } from './timing.ts';
import { UpstreamServers } from './upstream-servers.ts';

export interface McpClientsOptions extends ConnectionNeeds {
  readonly clients: readonly McpClientConfig[];
  readonly toolManager: ToolManagerConfig;
  /** `mcp.tool_sync_interval`. */
  readonly syncIntervalMs?: number;
  /** Where browsers reach this gateway, if not where its callers do. */
  readonly externalUrl?: string | undefined;
  readonly timing?: Partial<McpTiming>;
  /** For client sessions that a server serves alone. */
  readonly ownSessions?: Partial<OwnSessionLimits>;
}

/** All MCP clients of the gateway: their connections, their tools as one catalog, and the way to call one. */
export class McpClients {
  /** What servers ask and say of themselves, on its way to clients of ours. */
  readonly relay = new Relay();
  /** What the servers offer beside tools. */
  readonly servers: UpstreamServers;
  readonly #timing: McpTiming;
  readonly #connections: Connections;
  readonly #http: TrustingFetch;
  readonly #entries = new ClientEntries();
  readonly #own: OwnSessions;
  readonly #catalog: LiveCatalog;
  readonly #safety: ToolSafety | undefined;
  readonly #auth: UpstreamAuth | undefined;
  readonly #users: UserConnections | undefined;
  #toolManager: ToolManagerConfig;
  #closed = false;

  constructor(options: McpClientsOptions) {
    this.#toolManager = options.toolManager;
    this.#http = patientFetch(options.environment);
    this.#timing = {
      ...DEFAULT_TIMING,
      ...(options.syncIntervalMs && { syncIntervalMs: options.syncIntervalMs }),
      ...options.timing,
    };
    this.#catalog = new LiveCatalog((thrown) => {
      options.log('error', `a listener to MCP catalog changes failed: ${reasonOf(thrown)}`, {});
    });
    this.#connections = new Connections(options, {
      timing: this.#timing,
      http: this.#http,
      changed: () => this.#rebuild(),
      peers: (config) => this.relay.eventsOf(config),
    });
    this.#safety = options.safety;
    this.#auth = options.auth;
    this.#users = this.#usersOf(options);
    this.#safety?.onRelease((id) => this.#entries.get(id)?.connection?.reviewAgain());
    this.#own = new OwnSessions((config) => this.relay.eventsOf(config), options.ownSessions);
    this.servers = new UpstreamServers({
      entries: () => this.#entries,
      relay: this.relay,
      own: this.#own,
      asUser: (config, caller, work) => this.#users?.use(config, caller, (own) => own.use(work)),
      timeoutMsOf: (entry) => this.#timeoutMsOf(entry.config),
      listTimeoutMs: this.#timing.stepTimeoutMs,
      warn: (message) => options.log('warn', message, {}),
    });
    for (const config of options.clients) this.#admit(config);
  }

  /**
   * Readies every client at once, by a dial where it must; returns when all are done, and at the latest after the boot
   * wait. What an earlier run left behind ends first, as it may hold what its successor needs. Never fails.
   */
  async start(): Promise<void> {
    await this.#connections.options.transport.journal?.reap();
    const dials = this.#entries.all.map((entry) => entry.connection?.start());
    await settlesWithin(Promise.allSettled(dials), this.#timing.bootWaitMs);
  }

  /** What the clients offer now. The same object until something changed. */
  get catalog(): Catalog {
    return this.#catalog.current;
  }

  /** Sessions that serve one client session of ours alone. */
  get ownSessions(): number {
    return this.#own.size;
  }

  get toolManager(): ToolManagerConfig {
    return this.#toolManager;
  }

  set toolManager(toolManager: ToolManagerConfig) {
    this.#toolManager = toolManager;
  }

  get syncIntervalMs(): number {
    return this.#timing.syncIntervalMs;
  }

  /** Holds from each client's next look on. */
  set syncIntervalMs(ms: number) {
    Object.assign(this.#timing, { syncIntervalMs: ms });
  }

  /** Lower-case names of the request headers that some client wants of its callers; `*` = all. */
  get allowedExtraHeaders(): ReadonlySet<string> {
    return this.#entries.allowedExtraHeaders;
  }

  /** Whether some client asks its callers to log in: they must be told where. */
  get asksForLogins(): boolean {
    return this.#entries.asksForLogins;
  }

  /** Calls `listener` after each change of the catalog; gives the function that ends it. */
  onChange(listener: (catalog: Catalog) => void): () => void {
    return this.#catalog.onChange(listener);
  }

  /** The catalog as this caller may see it, in catalog order. The same array until something changed. */
  visibleTools(caller: CallerFilters): readonly CatalogTool[] {
    return this.#catalog.visibleTo(caller, (name) => this.#entries.named(name)?.config);
  }

  /** Runs one tool. What the tool itself calls an error is a result; everything else throws GatewayError. */
  async call(request: ToolCallRequest): Promise<ToolResult> {
    const { name, caller } = request;
    const hyphen = name.indexOf('-');
    const entry = hyphen === -1 ? undefined : this.#entries.named(name.slice(0, hyphen));
    if (!entry) throw new GatewayError('not-found', unknownTool(name));
    const { config, connection } = entry;
    const upstreamName = name.slice(hyphen + 1);
    const { peer } = request;
    const listed = peer && this.#own.toolsOf(peer, config.name)?.get(upstreamName);
    const tool = { name, upstreamName, heldBack: (listed ?? connection?.listedTool(upstreamName))?.heldBack };
    const refusal = refusalOf(tool, config, caller);
    if (refusal !== undefined || !connection) throw refusedTool(name, refusal, whyNot(tool, config, caller));
    const headers = headersFor(config.allowed_extra_headers, caller);
    const timeoutMs = this.#timeoutMsOf(config);
    const maxMs = timeoutMs * this.#timing.progressFactor;
    if (this.#users && isPerUser(config)) {
      return this.#users.use(config, caller, (alone) => alone.call({ tool, request, headers, timeoutMs, maxMs }));
    }
    const own = peer && this.#own.for(connection, 'tools/call', request);
    const result = own
      ? await this.#own.run(own, connection, { ...request, peer }, (session) =>
          connection.call({ tool, request, headers, timeoutMs, maxMs, own: session, listed }),
        )
      : await connection.call({ tool, request, headers, timeoutMs, maxMs });
    const treatment = this.#safety?.resultTreatment(config);
    return treatment ? cleanedResult(result, treatment) : result;
  }

  /** Every client, by name, with what is shown of it. */
  statuses(): ClientStatus[] {
    return this.#entries.all.map(statusOf).sort((a, b) => compareNames(a.name, b.name));
  }

  /** The config of a client, for the admin API; holds secrets. */
  config(id: string): McpClientConfig | undefined {
    return this.#entries.get(id)?.config;
  }

  /** Dials first and throws with the reason when that fails, leaving nothing behind. */
  async add(config: McpClientConfig): Promise<ClientStatus> {
    this.#entries.requireNewName(config.name);
    const entry = this.#admit(config);
    try {
      await entry.connection?.dial();
    } catch (thrown) {
      this.#entries.delete(entry.id);
      await entry.connection?.close();
      this.#rebuild();
      throw connectFailure(entry, thrown);
    }
    return statusOf(entry);
  }

  /** Changes what may change; a new name, new rules and limits hold from the next call on. */
  async update(id: string, patch: Partial<McpClientConfig>): Promise<ClientStatus> {
    const entry = this.#entries.required(id);
    const changes = changesOf(patch);
    if (changes.name !== undefined && changes.name !== entry.config.name) this.#entries.requireNewName(changes.name);
    entry.config = { ...entry.config, ...changes };
    const { connection, config } = entry;
    if (!config.disabled) connection?.reconfigure(config);
    const redialled = !config.disabled && mustRedial(changes) ? connection?.dialAgain() : undefined;
    if (config.disabled) entry.connection = undefined;
    else entry.connection ??= this.#connections.of(config);
    if (isPerUser(config)) await this.#users?.forget(id);
    this.#rebuild();
    if (config.disabled) await connection?.close();
    else if (!connection && entry.connection) {
      await settlesWithin(Promise.allSettled([entry.connection.dial()]), this.#timing.bootWaitMs);
    }
    // whoever changes how calls connect wants to know whether they do
    if ('needs_session_stickiness' in changes && redialled) await settlesWithin(redialled, this.#timing.bootWaitMs);
    return statusOf(entry);
  }

  async remove(id: string): Promise<void> {
    const entry = this.#entries.required(id);
    this.#entries.delete(id);
    this.#safety?.forget(id);
    this.#rebuild();
    await entry.connection?.close();
    await this.#users?.forget(id);
    if (needsLogin(entry.config)) await this.#auth?.forgetClient(id);
  }

  /** A login of this client was begun anew or ended well: whoever connects with it does so again. */
  async loggedIn(id: string, identity: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (!entry) return;
    if (identity === ownIdentity(entry.config)) entry.connection?.credentialRenewed();
    else await this.#users?.forget(id, identity);
  }

  /** How many tools the server lists to whoever shows these headers. Throws what keeps it from listing them. */
  async probe(config: McpClientConfig, headers: Readonly<Record<string, string>>): Promise<number> {
    const connection = this.#connections.sample(config, headers);
    try {
      await connection.dial();
      return connection.listed.length;
    } finally {
      await connection.close();
    }
  }

  /** A new connection in place of the old one, which stays if that fails. Throws GatewayError with the reason. */
  async reconnect(id: string): Promise<ClientStatus> {
    const entry = this.#entries.required(id);
    const connection = reconnectable(entry);
    try {
      await connection.redial();
    } catch (thrown) {
      throw connectFailure(entry, thrown);
    }
    return statusOf(entry);
  }

  /** The connection of a client, for those who watch its credential; undefined while it is disabled. */
  connection(id: string): Connection | undefined {
    return this.#entries.get(id)?.connection;
  }

  /** Ends every connection and every process, whatever single ones of them do. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#own.close();
    await this.#users?.close();
    const closing = this.#entries.all.map((entry) => entry.connection?.close());
    await Promise.allSettled(closing);
    await this.#connections.options.manifests?.settled();
    await this.#safety?.settled();
    await this.#http.close();
  }

  #timeoutMsOf(config: McpClientConfig): number {
    const { tool_execution_timeout: own = 0 } = config;
    return own > 0 ? own : this.#toolManager.tool_execution_timeout;
  }

  #admit(config: McpClientConfig): Entry {
    return this.#entries.admit(config, (identified) => this.#connections.of(identified));
  }

  #usersOf({ auth, externalUrl }: McpClientsOptions): UserConnections | undefined {
    if (!auth) return undefined;
    const baseOf = ({ gatewayUrl }: Caller) => externalUrl ?? gatewayUrl ?? '';
    return new UserConnections({ auth, connection: this.#connections.options, baseOf });
  }

  #rebuild(): void {
    if (this.#closed) return;
    this.#entries.changed();
    this.#catalog.rebuild(
      this.#entries.all.map(({ config, connection }) => ({ config, listed: connection?.listed ?? NO_TOOLS })),
    );
  }
}

const NO_TOOLS: CatalogSource['listed'] = [];
