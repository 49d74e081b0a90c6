import type { JsonValue } from '../../model/json.ts';

/** More places than any schema that a model could follow; one that refers to itself in many ways stops here. */
const MOST_PLACES = 4_000;
/** More than any catalog of tools has; one long list of choices that is referred to from everywhere stops here. */
const MOST_CHARACTERS = 1_000_000;
/** References inside of references. */
const MOST_TURNS = 100;

/** How much a schema has grown by what its references lead to, written out in their places. */
export class Growth {
  #places = 0;
  #characters = 0;
  readonly #lengths = new Map<JsonValue | undefined, number>();

  countPlace(): void {
    this.#places += 1;
  }

  /** Whether what one more reference leads to may be written out; `trail`: the references that led to it. */
  allows(ref: string, target: JsonValue | undefined, trail: readonly string[]): boolean {
    if (this.#places > MOST_PLACES || trail.length > MOST_TURNS || trail.includes(ref)) return false;
    this.#characters += this.#lengthOf(target);
    return this.#characters <= MOST_CHARACTERS;
  }

  #lengthOf(target: JsonValue | undefined): number {
    const known = this.#lengths.get(target);
    if (known !== undefined || this.#characters > MOST_CHARACTERS) return known ?? 0;
    const length = JSON.stringify(target)?.length ?? 0;
    this.#lengths.set(target, length);
    return length;
  }
}
