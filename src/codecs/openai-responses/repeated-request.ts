import type { JsonObject } from '../../model/json.ts';

/**
 * What a response repeats of its request: the same from the first event to the last, and most of what they say where
 * tools are offered, so that it is written once.
 */
export class RepeatedRequest {
  readonly #echo: JsonObject;
  #text = '';

  constructor(echo: JsonObject) {
    this.#echo = echo;
  }

  /** The text of the response of which `said` is the rest. */
  with(said: JsonObject): string {
    this.#text ||= JSON.stringify(this.#echo).slice(0, -1);
    return `${this.#text},${JSON.stringify(said).slice(1)}`;
  }
}
