import { createHash } from 'node:crypto';

const MAX_LENGTH = 64;
const VALID_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** The first `length` hex digits of the text's SHA-256: short, stable, and different for different texts. */
export const shortHash = (text: string, length: number): string =>
  createHash('sha256').update(text).digest('hex').slice(0, length);

/**
 * The names under which a request's tools travel. Chat Completions takes `^[a-zA-Z0-9_-]{1,64}$`; other names are
 * cleaned, cut and given a hash, always the same way, so that prompt caches keep hitting.
 */
export class WireNames {
  readonly #asTheyAre: ReadonlySet<string>;
  readonly #originals = new Map<string, string>();

  /** `asTheyAre`: names that already stand in the body and must be met there again. */
  constructor(asTheyAre: ReadonlySet<string> = new Set()) {
    this.#asTheyAre = asTheyAre;
  }

  of(name: string): string {
    if (VALID_NAME.test(name) || this.#asTheyAre.has(name)) return name;
    const wire = `${name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, MAX_LENGTH - 9)}_${shortHash(name, 8)}`;
    this.#originals.set(wire, name);
    return wire;
  }

  /** Wire name -> original, for the names that were changed; undefined when none was. */
  get originals(): ReadonlyMap<string, string> | undefined {
    return this.#originals.size > 0 ? this.#originals : undefined;
  }
}

/** A tool-call id of at most 64 characters (the API's limit), the same for a call and its result. */
export function wireId(id: string): string {
  if (id !== '' && id.length <= MAX_LENGTH) return id;
  return id === '' ? 'call_0' : `${id.slice(0, MAX_LENGTH - 33)}_${shortHash(id, 32)}`;
}
