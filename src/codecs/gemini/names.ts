import { digest } from './wire.ts';

const MAX_LENGTH = 64;
/** Starts with a letter or an underscore, then letters, digits, underscores, dots and dashes (FunctionDeclaration.name). */
const VALID_NAME = /^[a-zA-Z_][a-zA-Z0-9_.-]{0,63}$/;

/**
 * The names under which a request's tools travel. Names that the API refuses are cleaned, cut and given a hash, always
 * the same way, so that prompt caches keep hitting.
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
    const clean = name.replace(/[^a-zA-Z0-9_.-]/g, '_').slice(0, MAX_LENGTH - 10);
    const wire = `${/^[a-zA-Z_]/.test(clean) ? '' : '_'}${clean}_${digest(name, 8)}`;
    this.#originals.set(wire, name);
    return wire;
  }

  /** Wire name -> original, for the names that were changed; undefined when none was. */
  get originals(): ReadonlyMap<string, string> | undefined {
    return this.#originals.size > 0 ? this.#originals : undefined;
  }
}
