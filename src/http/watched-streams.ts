import type { IncomingHttpHeaders } from 'node:http';

/** Whether those who came in by these headers would still be let in; undefined where nothing can shut them out. */
export type Standing = (headers: IncomingHttpHeaders) => (() => boolean) | undefined;

interface Watched {
  readonly isLetIn: () => boolean;
  readonly end: () => void;
}

const EVERY_MS = 5_000;

/** Open event streams, which end soon after whoever opened them may not come in any more. */
export class WatchedStreams {
  readonly #standing: Standing;
  readonly #everyMs: number;
  readonly #open = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;

  constructor(standing: Standing, everyMs = EVERY_MS) {
    this.#standing = standing;
    this.#everyMs = everyMs;
  }

  /** Calls `end` once when these headers are good no longer, unless the returned function was called before. */
  watch(headers: IncomingHttpHeaders, end: () => void): () => void {
    const isLetIn = this.#standing(headers);
    if (!isLetIn) return () => undefined;
    const watched = { isLetIn, end };
    this.#open.add(watched);
    this.#timer ??= setInterval(() => this.check(), this.#everyMs).unref();
    return () => {
      this.#open.delete(watched);
      if (this.#open.size === 0) this.close();
    };
  }

  /** Looks at all of them now: something was revoked. */
  check(): void {
    for (const watched of [...this.#open]) {
      if (watched.isLetIn() || !this.#open.delete(watched)) continue;
      watched.end();
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
