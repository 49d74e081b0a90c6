/** Counts how often a process ended by itself, and says when it has done so too often to be started again. */
export class RestartLimit {
  #endedAtMs: number[] = [];

  noteEnd(nowMs: number): void {
    this.#endedAtMs.push(nowMs);
  }

  /** A person wants it started all the same. */
  forgive(): void {
    this.#endedAtMs = [];
  }

  /** Milliseconds until it may be started again; 0 = now. `max` 0 = as often as it likes. */
  waitMs(max: number, windowMs: number, nowMs: number): number {
    this.#endedAtMs = max === 0 ? [] : this.#endedAtMs.filter((endedAtMs) => nowMs - endedAtMs < windowMs);
    const decisive = this.#endedAtMs.at(-max);
    return max === 0 || decisive === undefined ? 0 : decisive + windowMs - nowMs;
  }
}
