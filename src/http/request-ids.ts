import { orderedId } from '../model/ordered-id.ts';

const REMEMBERED = 10_000;

/**
 * Names requests. A caller's own `x-request-id` is taken, so that both sides find the log row by it; one that came
 * lately (a proxy that tries again, a script with a fixed id) is not, because an id is the name of one row.
 */
export class RequestIds {
  readonly #recent = new Set<string>();

  idFor(given: string | string[] | undefined): string {
    if (typeof given !== 'string' || !/^[\w.:-]{1,128}$/.test(given) || this.#recent.has(given)) return orderedId();
    this.#recent.add(given);
    const [oldest] = this.#recent;
    if (this.#recent.size > REMEMBERED && oldest !== undefined) this.#recent.delete(oldest);
    return given;
  }
}
