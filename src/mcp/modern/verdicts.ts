/** Servers are upgraded: after this long an old verdict is looked into again. */
const KEEP_MS = 60 * 60_000;
const MAX_KEPT = 1_000;

/**
 * The servers that proved to be of the older era, so that a new connection does not ask again. The newer era needs no
 * note: asking is how a connection of it begins.
 */
export class EraVerdicts {
  readonly #legacyUntilMs = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  isLegacy(server: string): boolean {
    const untilMs = this.#legacyUntilMs.get(server);
    if (untilMs === undefined) return false;
    if (this.#now() < untilMs) return true;
    this.#legacyUntilMs.delete(server);
    return false;
  }

  noteLegacy(server: string): void {
    const [oldest] = this.#legacyUntilMs.keys();
    if (this.#legacyUntilMs.size >= MAX_KEPT && oldest !== undefined) this.#legacyUntilMs.delete(oldest);
    this.#legacyUntilMs.set(server, this.#now() + KEEP_MS);
  }

  /** What was believed turned out wrong. */
  forget(server: string): void {
    this.#legacyUntilMs.delete(server);
  }
}
