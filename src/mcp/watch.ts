import { checkHealth, staged } from './health.ts';
import { type FailureStage, nextLookMs, type Standing } from './lifecycle.ts';
import type { Session } from './session.ts';
import { later, type McpTiming } from './timing.ts';

/** One MCP client, as far as it is watched. */
export interface Watched {
  session(): Session | undefined;
  standing(): Standing;
  usesPing(): boolean;
  /** Notes its own failure, and is tried again by the next look. */
  dial(): Promise<void>;
  /** Reads the list of a process that rests. */
  verify(): Promise<void>;
  passed(listed: readonly unknown[]): void;
  failed(stage: FailureStage, thrown: unknown): void;
}

/** Looks at one MCP client whenever a look is due: a check while it is connected, a dial while it is not. */
export class Watch {
  readonly #watched: Watched;
  readonly #timing: McpTiming;
  readonly #random: () => number;
  #stopped = false;
  #lookTimer: NodeJS.Timeout | undefined;
  #relistTimer: NodeJS.Timeout | undefined;

  constructor(watched: Watched, timing: McpTiming, random: () => number) {
    this.#watched = watched;
    this.#timing = timing;
    this.#random = random;
  }

  /** Sets the next look, in place of the one that was set. */
  schedule(soonMs?: number): void {
    clearTimeout(this.#lookTimer);
    const delayMs = soonMs ?? nextLookMs(this.#watched.standing(), this.#timing, this.#random);
    if (this.#stopped || delayMs === undefined) return;
    this.#lookTimer = later(delayMs, () => void this.#look());
  }

  /** The server says that its tools changed, and often says so many times. */
  relistSoon(): void {
    clearTimeout(this.#relistTimer);
    if (this.#stopped) return;
    this.#relistTimer = later(this.#timing.listChangedDebounceMs, () => void this.#relist());
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#lookTimer);
    clearTimeout(this.#relistTimer);
  }

  async #look(): Promise<void> {
    const session = this.#watched.session();
    if (!session) return this.#watched.standing().restsForMs === undefined ? this.#dial() : this.#watched.verify();
    try {
      const listed = await checkHealth(session, this.#watched.usesPing(), this.#timing);
      if (!this.#isCurrent(session)) return;
      this.#watched.passed(listed);
      this.schedule();
    } catch (thrown) {
      if (!this.#isCurrent(session)) return;
      this.#watched.failed('ping', thrown);
      await this.#dial();
    }
  }

  async #relist(): Promise<void> {
    const session = this.#watched.session();
    if (!session) return;
    try {
      const listed = await staged('list_tools', session.listTools(this.#timing.stepTimeoutMs));
      if (this.#isCurrent(session)) this.#watched.passed(listed);
    } catch (thrown) {
      if (!this.#isCurrent(session)) return;
      this.#watched.failed('list_tools', thrown);
      this.schedule();
    }
  }

  #dial(): Promise<void> {
    return this.#watched.dial().catch(() => undefined);
  }

  #isCurrent(session: Session): boolean {
    return !this.#stopped && session === this.#watched.session();
  }
}
