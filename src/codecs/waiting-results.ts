import type { ToolResultPart } from '../model/content.ts';

/** A result of a tool, and where in the request it stands. */
type PlacedResult = readonly [result: ToolResultPart, at: string];

/** Results that wait for their calls: each call takes one of its id, the first that came. */
export class WaitingResults {
  readonly #byCall = new Map<string, { readonly results: PlacedResult[]; taken: number }>();

  add(result: ToolResultPart, at: string): void {
    const same = this.#byCall.get(result.callId);
    if (same) same.results.push([result, at]);
    else this.#byCall.set(result.callId, { results: [[result, at]], taken: 0 });
  }

  take(callId: string): PlacedResult | undefined {
    const same = this.#byCall.get(callId);
    return same?.results[same.taken++];
  }

  /** Those that no call took. */
  get rest(): PlacedResult[] {
    return [...this.#byCall.values()].flatMap(({ results, taken }) => results.slice(taken));
  }
}
