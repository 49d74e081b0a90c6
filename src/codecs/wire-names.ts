const NONE: ReadonlySet<string> = new Set();

/** The names under which a request's tools travel, and the way back. */
export class WireNames {
  readonly #toWire: (name: string) => string;
  readonly #asTheyAre: ReadonlySet<string>;
  readonly #originals = new Map<string, string>();

  /**
   * `toWire`: a name as the API takes it, always the same, so that prompt caches keep hitting.
   * `asTheyAre`: names that already stand in the body and must be met there again.
   */
  constructor(toWire: (name: string) => string, asTheyAre: ReadonlySet<string> = NONE) {
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

/** The longest name of a tool that OpenAI's APIs and Gemini take. */
export const LONGEST_NAME = 64;

/** The end of `"name":`: a search steps by the first letter, and few letters are an `m`. */
const NAME_MARK = 'me":';
const QUOTE = 0x22;
const SPACE = 0x20;

/** Whether the bytes of a body hold a `name` that may be too long for a tool's. A search, without a parse. */
export function holdsLongName(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(NAME_MARK); at >= 0; at = bytes.indexOf(NAME_MARK, at + NAME_MARK.length)) {
    const end = at + NAME_MARK.length;
    const opening = bytes[end] === SPACE ? end + 1 : end;
    if (bytes[opening] !== QUOTE || !isName(bytes, at)) continue;
    if (bytes.indexOf(QUOTE, opening + 1) - opening - 1 > LONGEST_NAME) return true;
  }
  return false;
}

/** Whether `"na` stands before a place. */
const isName = (bytes: Buffer, at: number): boolean =>
  bytes[at - 3] === QUOTE && bytes[at - 2] === 0x6e && bytes[at - 1] === 0x61;
