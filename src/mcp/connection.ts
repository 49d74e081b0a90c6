import type { McpClientConfig } from '../config/schema.ts';
import { GatewayError } from '../model/errors.ts';
import type { JsonObject } from '../model/json.ts';
import { type Dialable, runCall, sessionFor } from './calls.ts';
import type { ConnectionState, ToolResult } from './contract.ts';
import { callFailure, type Execution } from './execute.ts';
import { isPermanent, isSessionLost, reasonOf } from './failures.ts';
import { unknownTool } from './filters.ts';
import { checkHealth, type FailureStage, nextLookMs, StageError, type Standing, staged } from './health.ts';
import { type ListedTool, ToolList } from './listed-tools.ts';
import { Session } from './session.ts';
import { later, type McpTiming } from './timing.ts';
import { type TransportOptions, transportFor, withoutSecrets } from './transports.ts';

export type McpLog = (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: JsonObject) => void;

export interface ConnectionOptions {
  readonly transport: TransportOptions;
  readonly timing: McpTiming;
  readonly random: () => number;
  readonly log: McpLog;
  /** The tools or the state changed. */
  readonly changed: () => void;
}

export interface Failure {
  readonly stage: FailureStage;
  readonly message: string;
  readonly at: string;
}

/**
 * The life of one enabled MCP client: dials, watches, dials again, for as long as it is wanted. The last good list of
 * tools stays through every failure (G9), and a lost connection is dialled at once when a call needs it.
 */
export class Connection implements Dialable {
  config: McpClientConfig;
  readonly #options: ConnectionOptions;
  readonly #stop = new AbortController();
  readonly #tools = new ToolList();
  /** Sessions that are not, or no longer, the one for new calls: being dialled, or finishing their calls. */
  readonly #others = new Set<Session>();
  #state: ConnectionState = 'connecting';
  #session: Session | undefined;
  #lastFailure: Failure | undefined;
  #dialling: Promise<void> | undefined;
  #dials = 0;
  #attempts = 0;
  #permanent = false;
  #lastDialFailedAtMs = Number.NEGATIVE_INFINITY;
  #lastStderr: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #relistTimer: NodeJS.Timeout | undefined;

  constructor(config: McpClientConfig, options: ConnectionOptions) {
    this.config = config;
    this.#options = options;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** The last good list, or nothing while there never was one. */
  get listed(): readonly ListedTool[] {
    return this.#tools.tools;
  }

  get lastFailure(): Failure | undefined {
    return this.#lastFailure;
  }

  get serverInfo(): JsonObject | undefined {
    return this.#session?.serverInfo;
  }

  get pid(): number | undefined {
    return this.#session?.pid;
  }

  get stderr(): readonly string[] {
    return (this.#session?.stderr ?? this.#lastStderr).map((line) => this.#hidden(line));
  }

  /** Successful dials after the first. */
  get restarts(): number {
    return Math.max(0, this.#dials - 1);
  }

  /** Connects and lists the tools; single-flight. An older connection is replaced only when that succeeded. */
  dial(): Promise<void> {
    this.#dialling ??= this.#dial().finally(() => {
      this.#dialling = undefined;
      this.#schedule();
    });
    return this.#dialling;
  }

  /** From now on under this config; `redial` where the server must be told (other headers). */
  reconfigure(config: McpClientConfig, redial: boolean): void {
    this.config = config;
    if (!redial) return;
    const running = this.#dialling ?? Promise.resolve();
    // A dial that is under way has the old config; its failure is noted, and so is that of the next.
    void running
      .catch(() => undefined)
      .then(() => this.dial())
      .catch(() => undefined);
  }

  get session(): Session | undefined {
    return this.#session;
  }

  get isDialling(): boolean {
    return this.#dialling !== undefined;
  }

  get isRefused(): boolean {
    return performance.now() - this.#lastDialFailedAtMs < this.#options.timing.backoffInitialMs;
  }

  get absence(): string {
    return this.#lastFailure?.message ?? 'the server is not connected';
  }

  /** Runs one call; dials first when there is no connection or no list yet. Throws GatewayError. */
  async call(execution: Execution): Promise<ToolResult> {
    const { name, upstreamName } = execution.tool;
    if (!this.#tools.isKnown) await this.#translating(execution, () => sessionFor(this, execution));
    const tool = this.#tools.get(upstreamName);
    if (!tool) throw new GatewayError('not-found', unknownTool(name));
    const { readOnlyHint, idempotentHint } = tool.annotations;
    const isRepeatable = readOnlyHint === true || idempotentHint === true;
    return this.#translating(execution, () => runCall(this, { ...execution, isRepeatable }));
  }

  /** Ends everything, however far it got. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('the MCP client was closed'));
    clearTimeout(this.#timer);
    clearTimeout(this.#relistTimer);
    const sessions = [...(this.#session ? [this.#session] : []), ...this.#others];
    await Promise.allSettled([this.#dialling, ...sessions.map((session) => session.close())]);
  }

  get #closed(): boolean {
    return this.#stop.signal.aborted;
  }

  async #dial(): Promise<void> {
    this.#stop.signal.throwIfAborted();
    const { timing } = this.#options;
    let session: Session | undefined;
    try {
      session = this.#newSession();
      this.#others.add(session);
      await staged('connect', session.open(timing.stepTimeoutMs, this.#stop.signal));
      const listed = await staged('list_tools', session.listTools(timing.stepTimeoutMs));
      this.#stop.signal.throwIfAborted();
      if (session.closed) throw session.explained(new Error('Not connected'));
      this.#adopt(session, listed);
    } catch (thrown) {
      if (session) this.#lastStderr = session.stderr;
      await session?.close();
      this.#dialFailed(thrown);
      throw thrown;
    } finally {
      if (session) this.#others.delete(session);
    }
  }

  #newSession(): Session {
    const transport = transportFor(this.config, this.#options.transport);
    const session: Session = new Session(this.config.name, transport, {
      onClosed: () => this.#lost(session),
      onToolsChanged: () => this.#relistSoon(),
      onTrouble: (error) => {
        this.#log('debug', this.#hidden(reasonOf(error)));
        if (session === this.#session && session.hasSession && isSessionLost(error)) this.#schedule(0);
      },
    });
    return session;
  }

  #adopt(session: Session, listed: readonly unknown[]): void {
    const old = this.#session;
    this.#session = session;
    this.#dials += 1;
    this.#permanent = false;
    if (old) this.#retire(old);
    this.#log('info', `connected, ${listed.length} tools listed`);
    this.#healthy(listed);
  }

  /** Calls in flight may finish on the old connection; then it goes. */
  #retire(session: Session): void {
    this.#others.add(session);
    const end = async () => {
      await session.drained(this.#options.timing.drainMs);
      await session.close();
    };
    void end().finally(() => this.#others.delete(session));
  }

  #dialFailed(thrown: unknown): void {
    if (this.#closed) return;
    this.#attempts += 1;
    this.#permanent = isPermanent(thrown);
    this.#lastDialFailedAtMs = performance.now();
    this.#failed('connect', thrown);
  }

  #lost(session: Session): void {
    if (session !== this.#session || this.#closed) return;
    this.#session = undefined;
    this.#lastStderr = session.stderr;
    if (performance.now() - session.openedAtMs > this.#options.timing.stableAfterMs) this.#attempts = 0;
    this.#failed('transport_lost', session.explained(new Error('Not connected')));
    this.#attempts += 1;
    this.#schedule();
  }

  #failed(stage: FailureStage, thrown: unknown): void {
    const isStaged = thrown instanceof StageError;
    const message = this.#hidden(reasonOf(isStaged ? thrown.cause : thrown));
    this.#lastFailure = { stage: isStaged ? thrown.stage : stage, message, at: new Date().toISOString() };
    // Never connected and no prospect of it is an error; everything else is worth another try at any time.
    this.#state = this.#permanent && !this.#tools.isKnown ? 'error' : 'unstable';
    this.#log('warn', message, { stage: this.#lastFailure.stage });
    this.#options.changed();
  }

  #healthy(listed: readonly unknown[]): void {
    const wasHealthy = this.#state === 'healthy';
    this.#state = 'healthy';
    const isNew = this.#tools.take(listed, (message) => this.#log('warn', message));
    if (isNew || !wasHealthy) this.#options.changed();
  }

  /** The next look at this client: a check while connected, a dial while not. */
  #schedule(soonMs?: number): void {
    clearTimeout(this.#timer);
    const { timing, random } = this.#options;
    const delayMs = soonMs ?? nextLookMs(this.#standing, timing, random);
    if (this.#closed || delayMs === undefined) return;
    this.#timer = later(delayMs, () => void this.#look());
  }

  get #standing(): Standing {
    return {
      isConnected: this.#session !== undefined,
      isHealthy: this.#state === 'healthy',
      isPermanent: this.#permanent,
      attempts: this.#attempts,
      syncIntervalMs: this.config.tool_sync_interval,
    };
  }

  async #look(): Promise<void> {
    const session = this.#session;
    // A failed dial has been noted and is tried again by the next look.
    if (!session) return this.dial().catch(() => undefined);
    try {
      const listed = await checkHealth(session, this.config.is_ping_available, this.#options.timing);
      if (session !== this.#session || this.#closed) return;
      this.#attempts = 0;
      this.#healthy(listed);
      this.#schedule();
    } catch (thrown) {
      if (session !== this.#session || this.#closed) return;
      this.#failed('ping', thrown);
      await this.dial().catch(() => undefined);
    }
  }

  #relistSoon(): void {
    clearTimeout(this.#relistTimer);
    if (this.#closed) return;
    this.#relistTimer = later(this.#options.timing.listChangedDebounceMs, () => void this.#relist());
  }

  async #relist(): Promise<void> {
    const session = this.#session;
    if (!session) return;
    try {
      const listed = await staged('list_tools', session.listTools(this.#options.timing.stepTimeoutMs));
      if (session === this.#session && !this.#closed) this.#healthy(listed);
    } catch (thrown) {
      if (session !== this.#session || this.#closed) return;
      this.#failed('list_tools', thrown);
      this.#schedule();
    }
  }

  async #translating<T>(execution: Execution, step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (thrown) {
      throw callFailure(execution.tool.name, this.#withoutSecrets(thrown));
    }
  }

  #hidden(text: string): string {
    return withoutSecrets(text, this.config, this.#options.transport.environment);
  }

  #withoutSecrets(thrown: unknown): unknown {
    const message = reasonOf(thrown);
    const hidden = this.#hidden(message);
    return hidden === message || thrown instanceof GatewayError ? thrown : new Error(hidden);
  }

  #log(level: 'debug' | 'info' | 'warn', message: string, fields: JsonObject = {}): void {
    const { name } = this.config;
    this.#options.log(level, `MCP client ${name}: ${message}`, { mcpClient: name, ...fields });
  }
}
