import type { ParameterHeader } from './parameter-headers.ts';

/** Servers are upgraded: after this long an old verdict is looked into again. */
const KEEP_MS = 60 * 60_000;
const MAX_KEPT = 1_000;

/** What the tools of one server want in headers; nothing is known before they were listed. */
export interface KnownParameters {
  readonly byTool: Map<string, readonly ParameterHeader[]>;
  isListed: boolean;
}

/**
 * What connections to a server have learnt, for the next one. Of the era only the older one needs a note, as asking is how
 * a connection of the newer one begins; and, of a server of the newer one, that it has no sessions for older clients.
 */
export class KnownServers {
  readonly #legacyUntilMs = new Map<string, number>();
  readonly #sessionlessUntilMs = new Map<string, number>();
  readonly #parameters = new Map<string, KnownParameters>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  isLegacy(server: string): boolean {
    return this.#holds(this.#legacyUntilMs, server);
  }

  noteLegacy(server: string): void {
    this.#note(this.#legacyUntilMs, server);
  }

  /** Asked for a session in the words of the older era, the server gave none. */
  isSessionless(server: string): boolean {
    return this.#holds(this.#sessionlessUntilMs, server);
  }

  noteSessionless(server: string): void {
    this.#note(this.#sessionlessUntilMs, server);
  }

  /** What was believed turned out wrong. */
  forget(server: string): void {
    this.#legacyUntilMs.delete(server);
  }

  /** Kept for all connections to the server, as most of them never list. */
  parametersOf(server: string): KnownParameters {
    const known = this.#parameters.get(server) ?? { byTool: new Map(), isListed: false };
    if (!this.#parameters.has(server)) keepFew(this.#parameters);
    this.#parameters.set(server, known);
    return known;
  }

  #holds(notes: Map<string, number>, server: string): boolean {
    const untilMs = notes.get(server);
    if (untilMs === undefined) return false;
    if (this.#now() < untilMs) return true;
    notes.delete(server);
    return false;
  }

  #note(notes: Map<string, number>, server: string): void {
    keepFew(notes);
    notes.set(server, this.#now() + KEEP_MS);
  }
}

function keepFew(map: Map<string, unknown>): void {
  const [oldest] = map.keys();
  if (map.size >= MAX_KEPT && oldest !== undefined) map.delete(oldest);
}
