import type { McpClientConfig } from '../config/schema.ts';
import { type Callable, callTool, type SingleSessions, useSession } from './calls.ts';
import { Condition } from './condition.ts';
import type { ConnectionOptions } from './connection-options.ts';
import type { ConnectionState, LastFailure, ToolResult } from './contract.ts';
import { Dialler } from './dialler.ts';
import { castsDoubt, Doubts, deniesTool } from './doubts.ts';
import { callFailure, type Execution } from './execute.ts';
import { CredentialError, credentialErrorIn, isSessionLost, reasonOf } from './failures.ts';
import { factsOf, type Manifest, type ServerFacts } from './fleet/manifests.ts';
import { ProcessKeeper } from './fleet/process-keeper.ts';
import { isBlocked, type Life, type LifecycleEvent } from './lifecycle.ts';
import { type ListedTool, ToolList } from './listed-tools.ts';
import type { PeerEvents } from './peer.ts';
import type { Session, SessionEvents } from './session.ts';
import { SessionWishes } from './session-wishes.ts';
import { Telling } from './telling.ts';
import { Watch, type Watched } from './watch.ts';

/**
 * The life of one enabled MCP client: dials, watches, dials again, for as long as it is wanted. The last good list of
 * tools stays through every failure (G9), and a lost connection is dialled at once when a call needs it. How it is doing
 * meanwhile, `Condition` says.
 */
export class Connection implements Callable {
  config: McpClientConfig;
  readonly wishes = new SessionWishes();
  readonly #options: ConnectionOptions;
  readonly #dialler: Dialler;
  readonly #tools = this.newToolList();
  readonly #peers: PeerEvents | undefined;
  readonly #keeper: ProcessKeeper;
  readonly #watch: Watch;
  readonly #telling: Telling;
  readonly #condition: Condition;
  readonly #doubts: Doubts;
  #session: Session | undefined;
  #server: ServerFacts = {};
  #dialling: Promise<void> | undefined;

  constructor(config: McpClientConfig, options: ConnectionOptions) {
    this.config = config;
    this.#options = options;
    const { transport, timing, manifests } = options;
    const now = () => this.config;
    this.#peers = options.peers?.(now);
    this.#keeper = new ProcessKeeper({
      config: now,
      timing,
      manifests,
      isIdle: () => this.#session?.isIdle === true,
      rest: () => this.#rest('nobody used it'),
    });
    this.#dialler = new Dialler({ ...options, config: now, eventsOf: (session) => this.#eventsOf(session) });
    this.#telling = new Telling(now, transport.environment, options.log);
    this.#condition = new Condition(this.#telling, options.changed);
    this.#doubts = new Doubts(timing.unstableCheckMs, () => this.state === 'healthy' && this.#watch.schedule(0));
    this.#watch = new Watch(this.#watched, timing, options.random);
  }

  get life(): Life {
    return this.#condition.life;
  }

  get state(): ConnectionState {
    return this.life.state;
  }

  /** The last good list, or nothing while there never was one. */
  get listed(): readonly ListedTool[] {
    return this.#tools.tools;
  }

  listedTool(upstreamName: string): ListedTool | undefined {
    return this.#tools.get(upstreamName);
  }

  /** The same list under other rules, or after a release. */
  reviewAgain(): void {
    this.#tools.reviewAgain();
    this.#options.changed();
  }

  /** There is a list, and it is not that of an earlier run. */
  get isVerified(): boolean {
    return this.#tools.isKnown && !this.isStale;
  }

  /** The list is that of an earlier run, and the server was not asked yet. */
  get isStale(): boolean {
    return this.#keeper.isStale;
  }

  /** A process that waits for its first call, or was stopped for want of one. */
  get isResting(): boolean {
    return this.#keeper.isResting;
  }

  get lastFailure(): LastFailure | undefined {
    return this.life.lastFailure;
  }

  /** What the server said of itself, the last time that it was there. */
  get server(): ServerFacts {
    return this.#server;
  }

  get pid(): number | undefined {
    return this.#session?.pid;
  }

  get stderr(): readonly string[] {
    return (this.#session?.stderr ?? this.#condition.lastStderr).map((line) => this.#telling.hidden(line));
  }

  /** Successful dials after the first, where a session is held between calls. */
  get restarts(): number {
    return this.holdsSession ? this.#condition.redials : 0;
  }

  /** False for servers over HTTP that are to be called on a new session each time. */
  get holdsSession(): boolean {
    return this.config.connection_type !== 'http' || this.config.needs_session_stickiness !== false;
  }

  get singleSessions(): SingleSessions {
    return this.#dialler.singleSessions;
  }

  get session(): Session | undefined {
    return this.#session;
  }

  get isDialling(): boolean {
    return this.#dialling !== undefined;
  }

  get isRefused(): boolean {
    return this.#condition.failedToDialWithin(this.#options.timing.backoffInitialMs);
  }

  get absence(): string {
    return this.life.lastFailure?.message ?? 'the server is not connected';
  }

  /** Makes the client ready: from its list of an earlier run where a process may wait for its first call, or by a dial. */
  async start(): Promise<void> {
    const manifest = this.#dialler.isUsable ? await this.#keeper.freshManifest() : undefined;
    if (manifest) await this.#options.safety?.lookAhead(this.config, manifest.tools);
    if (manifest && !this.isClosed && !this.#session && !this.#dialling) this.#restWith(manifest);
    else await this.dial();
  }

  /** Connects and lists the tools; single-flight. An older connection is replaced only when that succeeded. */
  dial(): Promise<void> {
    this.#dialling ??= this.#dial().finally(() => {
      this.#dialling = undefined;
      this.#watch.schedule();
    });
    return this.#dialling;
  }

  /** `dial` for a person, who need not wait until a server that crashed too often may be started again. */
  redial(): Promise<void> {
    this.#keeper.forgive();
    return this.dial();
  }

  /** The session for whatever is not a tool call; dialled where there is none, and what it is used for keeps it awake. */
  async live(): Promise<Session> {
    if (!this.#session) await this.dial();
    this.#used();
    if (!this.#session) throw new Error(this.absence);
    return this.#session;
  }

  /** Runs what is no tool call; on a session of its own where the server is to have none between calls. */
  readonly use = <Result>(work: (session: Session) => Promise<Result>): Promise<Result> => useSession(this, work);

  /** An empty list of this server's tools, looked at as every list of them is. */
  newToolList(): ToolList {
    return new ToolList((tools) => this.#options.safety?.review(this.config, tools) ?? tools);
  }

  /** A session beside the shared one, for one client of ours alone, until that closes it. */
  openBeside(events: SessionEvents): Promise<Session> {
    return this.#dialler.beside(`${this.config.name}-user`, events);
  }

  /** Asks a session that took another's place for what that was asked. */
  readonly repeat = (wishes: SessionWishes, session: Session): void =>
    wishes.repeatOn(session, this.#options.timing.stepTimeoutMs, this.#telling);

  /** From now on under this config, of which the server itself need not be told. */
  reconfigure(config: McpClientConfig): void {
    this.config = config;
    this.#tools.reviewAgain();
    this.#used();
  }

  /** Dials under the config of now, after one that is under way, which has the old one. Failures are noted, not thrown. */
  async dialAgain(): Promise<void> {
    await this.#dialling?.catch(() => undefined);
    await this.redial().catch(() => undefined);
  }

  /** The server takes our credential no longer, and a person must log in: no call, no dial until `credentialRenewed`. */
  needsReauth(reason: string): void {
    this.#refused(new CredentialError('needs_reauth', reason));
  }

  /** A person has yet to log in for the first time. */
  pendingVerification(reason: string): void {
    this.#refused(new CredentialError('pending_verification', reason));
  }

  /** There is a good credential again: dials with it, in the background. */
  credentialRenewed(): void {
    this.#condition.happened({ type: 'credential-renewed' });
    this.#options.changed();
    void this.dialAgain();
  }

  /** Runs one call; dials first when there is no connection or no list yet. Throws GatewayError. */
  async call(execution: Execution): Promise<ToolResult> {
    try {
      const result = await callTool(this, execution);
      if (this.life.attempts > 0) this.#condition.happened({ type: 'call-answered' });
      this.#used();
      if (result.isError && deniesTool(result)) this.#doubts.arise();
      return result;
    } catch (thrown) {
      if (!execution.request.signal.aborted && castsDoubt(thrown)) this.#doubts.arise();
      const credential = credentialErrorIn(thrown);
      if (credential && !isBlocked(this.life)) this.#refused(credential);
      throw callFailure(execution.tool.name, this.#telling.hiddenError(thrown));
    }
  }

  /** Ends everything, however far it got. */
  async close(): Promise<void> {
    this.#dialler.stop();
    this.#watch.stop();
    this.#keeper.close();
    await Promise.allSettled([this.#dialling, this.#session?.close(), this.#dialler.close()]);
  }

  get isClosed(): boolean {
    return this.#dialler.isClosed;
  }

  async #dial(): Promise<void> {
    try {
      this.#keeper.checkRestart();
      const { session, listed } = await this.#dialler.connect();
      this.#adopt(session, listed);
      if (!this.holdsSession) this.#dialler.retire(session);
    } catch (thrown) {
      if (!this.isClosed) this.#condition.dialFailed(thrown, this.#dialler.lastStderr);
      throw thrown;
    }
  }

  #eventsOf(session: () => Session): SessionEvents {
    return {
      peers: this.#peers,
      onClosed: () => this.#lost(session()),
      onToolsChanged: () => this.#watch.relistSoon(),
      onTrouble: (error) => {
        this.#telling.log('debug', reasonOf(error));
        const isOurs = session() === this.#session;
        if (isOurs && this.#session?.hasSession && isSessionLost(error)) this.#watch.schedule(0);
      },
    };
  }

  #adopt(session: Session, listed: readonly unknown[]): void {
    const old = this.#session;
    this.#session = this.holdsSession ? session : undefined;
    this.#condition.dialled();
    this.#keeper.wake();
    this.#server = factsOf(session);
    if (old) this.#dialler.retire(old);
    if (this.holdsSession) this.repeat(this.wishes, session);
    this.#telling.log('info', `connected, ${toolsText(listed.length)} listed`);
    this.#healthy(listed, { type: this.holdsSession ? 'connected' : 'check-passed' });
    this.#used();
  }

  #lost(session: Session): void {
    if (session !== this.#session || this.isClosed) return;
    this.#session = undefined;
    this.#keeper.ended();
    this.#condition.lost(session, this.#options.timing.stableAfterMs);
    this.#watch.schedule();
  }

  #refused(error: CredentialError): void {
    this.#condition.refused(error);
    this.#watch.schedule();
  }

  #healthy(listed: readonly unknown[], event: LifecycleEvent): void {
    const wasHealthy = this.state === 'healthy' && !this.isStale;
    this.#telling.wentWell();
    this.#condition.happened(event);
    const isNew = this.#tools.take(listed, (message) => this.#telling.log('warn', message));
    this.#keeper.verified(this.#server, isNew || event.type === 'connected' ? listed : undefined);
    if (isNew || !wasHealthy) this.#options.changed();
  }

  /** As its watch sees it. */
  get #watched(): Watched {
    return {
      session: () => this.#session,
      standing: () => ({
        life: this.life,
        isReachable: this.#session !== undefined || (!this.holdsSession && this.state === 'healthy'),
        isProcess: this.config.connection_type === 'stdio',
        restsForMs: this.#keeper.restsForMs,
        syncIntervalMs: this.config.tool_sync_interval,
      }),
      usesPing: () => this.config.is_ping_available,
      dial: () => this.dial(),
      verify: () => this.#verify(),
      passed: (listed) => this.#healthy(listed, { type: 'check-passed' }),
      failed: (stage, thrown) => this.#condition.checkFailed(stage, thrown),
    };
  }

  #restWith(manifest: Manifest): void {
    const { tools, server } = manifest;
    this.#tools.take(tools, () => undefined);
    this.#server = server;
    this.#keeper.restWith(manifest);
    this.#condition.happened({ type: 'manifest-read' });
    this.#telling.log('info', `not started, ${toolsText(tools.length)} known from its last run`);
    this.#options.changed();
    this.#watch.schedule();
  }

  /** A list that is too old is read anew, for which a process that nobody called is not kept. */
  async #verify(): Promise<void> {
    const { uses } = this.#keeper;
    await this.dial().catch(() => undefined);
    if (this.#keeper.uses === uses + 1) this.#rest('its tools were verified');
  }

  /** Something was asked of the session: its time of rest begins anew. */
  #used(): void {
    this.#keeper.used();
  }

  #rest(why: string): void {
    const session = this.#session;
    if (!session || this.isClosed) return;
    this.#session = undefined;
    this.#keeper.rest();
    this.#condition.ended(session);
    this.#telling.log('info', `stopped, as ${why}; the next call starts it`);
    this.#dialler.retire(session);
    this.#options.changed();
    this.#watch.schedule();
  }
}

const toolsText = (count: number): string => (count === 1 ? '1 tool' : `${count} tools`);
