import type { McpClientConfig } from '../../config/schema.ts';
import { later, type McpTiming } from '../timing.ts';
import type { Manifest, Manifests, ServerFacts } from './manifests.ts';
import { RestartLimit } from './restart-limit.ts';

export interface ProcessKeeperOptions {
  /** As it is now. */
  readonly config: () => McpClientConfig;
  readonly timing: McpTiming;
  readonly manifests: Manifests | undefined;
  readonly isIdle: () => boolean;
  /** Called once the server's idle time has passed without use. */
  readonly rest: () => void;
}

/**
 * What keeps the process of one stdio server from running for nobody and from being started for ever: its list of an
 * earlier run, its times without use, its restarts. For a server over HTTP every answer is that there is nothing to do.
 */
export class ProcessKeeper {
  readonly #options: ProcessKeeperOptions;
  readonly #restarts = new RestartLimit();
  #isStale = false;
  #isResting = false;
  #verifiedAtMs = 0;
  #uses = 0;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(options: ProcessKeeperOptions) {
    this.#options = options;
  }

  /** The list is that of an earlier run, and the server was not asked yet. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** The process waits for its first call, or was stopped for want of one. */
  get isResting(): boolean {
    return this.#isResting;
  }

  /** How long a resting process may rest on until its list must be verified. */
  get restsForMs(): number | undefined {
    if (!this.#isResting) return undefined;
    const { manifestFreshMs } = this.#options.timing;
    // a clock that was set back must not let it rest for ever
    return Math.min(manifestFreshMs, Math.max(0, this.#verifiedAtMs + manifestFreshMs - Date.now()));
  }

  /** How often there was use of the process. */
  get uses(): number {
    return this.#uses;
  }

  /** The list of an earlier run, where it may stand for a start. */
  async freshManifest(): Promise<Manifest | undefined> {
    const { manifests, timing } = this.#options;
    const config = this.#options.config();
    if (!manifests || !isProcess(config) || !config.process_config.lazy_start) return undefined;
    const manifest = await manifests.read(config);
    if (!manifest) return undefined;
    const ageMs = Date.now() - manifest.verifiedAtMs;
    // one of the future was written under another clock, and its age is not known
    return ageMs >= 0 && ageMs < timing.manifestFreshMs ? manifest : undefined;
  }

  restWith({ verifiedAtMs }: Manifest): void {
    this.#verifiedAtMs = verifiedAtMs;
    this.#isStale = true;
    this.#isResting = true;
  }

  rest(): void {
    this.#isResting = true;
    clearTimeout(this.#idleTimer);
  }

  /** The process runs. */
  wake(): void {
    this.#isResting = false;
  }

  /** The server itself gave its list; `tools` when it is to be kept for the next start. */
  verified(server: ServerFacts, tools: readonly unknown[] | undefined): void {
    this.#isStale = false;
    this.#verifiedAtMs = Date.now();
    const config = this.#options.config();
    if (!tools || !isProcess(config)) return;
    this.#options.manifests?.write(config, { verifiedAtMs: this.#verifiedAtMs, server, tools });
  }

  /** Something was asked of the server: its idle time begins anew. */
  used(): void {
    this.#uses += 1;
    clearTimeout(this.#idleTimer);
    const config = this.#options.config();
    const { idle_timeout: idleMs } = config.process_config;
    if (idleMs > 0 && isProcess(config)) this.#idleTimer = later(idleMs, () => this.#restOrWait());
  }

  #restOrWait(): void {
    if (this.#options.isIdle()) this.#options.rest();
    else this.used();
  }

  /** The process ended by itself. */
  ended(): void {
    this.#restarts.noteEnd(performance.now());
  }

  /** A person wants it started, however often it ended. */
  forgive(): void {
    this.#restarts.forgive();
  }

  /** Throws when the process ended too often to be started now. */
  checkRestart(): void {
    const { max_restarts: max } = this.#options.config().process_config;
    const { restartWindowMs } = this.#options.timing;
    const waitMs = this.#restarts.waitMs(max, restartWindowMs, performance.now());
    if (waitMs === 0) return;
    const many = `the server ended ${max} times within ${restartWindowMs / 1_000} s (process_config.max_restarts)`;
    throw new Error(`${many}; it is started again in ${Math.ceil(waitMs / 1_000)} s, or at once by a reconnect`);
  }

  close(): void {
    clearTimeout(this.#idleTimer);
  }
}

const isProcess = (config: McpClientConfig): boolean => config.connection_type === 'stdio';
