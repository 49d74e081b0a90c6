/** The names under which a request's tools travel, and the way back. */
export class WireNames {
  readonly #toWire: (name: string) => string;
  readonly #asTheyAre: ReadonlySet<string>;
  readonly #originals = new Map<string, string>();

  /**
   * `toWire`: a name as the API takes it, always the same, so that prompt caches keep hitting.
   * `asTheyAre`: names that already stand in the body and must be met there again.
   */
  constructor(toWire: (name: string) => string, asTheyAre: ReadonlySet<string> = new Set()) {
    this.#toWire = toWire;
    this.#asTheyAre = asTheyAre;
  }

  of(name: string): string {
    if (this.#asTheyAre.has(name)) return name;
    const wire = this.#toWire(name);
    if (wire !== name) this.#originals.set(wire, name);
    return wire;
  }

  /** Wire name -> original, for the names that were changed; undefined when none was. */
  get originals(): ReadonlyMap<string, string> | undefined {
    return this.#originals.size > 0 ? this.#originals : undefined;
  }
}
