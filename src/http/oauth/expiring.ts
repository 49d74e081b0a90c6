interface Held<Value> {
  readonly value: Value;
  readonly untilMs: number;
}

/** Values that are good for a while, under names that nobody guesses; beyond `most` the oldest is given up. */
export class Expiring<Value> {
  readonly #held = new Map<string, Held<Value>>();
  readonly #most: number;
  readonly #now: () => number;

  constructor(most: number, now: () => number) {
    this.#most = most;
    this.#now = now;
  }

  put(name: string, value: Value, untilMs: number): void {
    for (const [known, { untilMs: until }] of this.#held) {
      if (this.#held.size < this.#most && until > this.#now()) break;
      this.#held.delete(known);
    }
    this.#held.set(name, { value, untilMs });
  }

  get(name: string): Value | undefined {
    const held = this.#held.get(name);
    return held && held.untilMs > this.#now() ? held.value : undefined;
  }

  /** Gives the value and forgets it: who comes second finds nothing. */
  take(name: string): Value | undefined {
    const value = this.get(name);
    this.#held.delete(name);
    return value;
  }
}
