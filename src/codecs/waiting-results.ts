import type { Message, ToolResultPart } from '../model/content.ts';
import type { Ledger } from './ledger.ts';

/** A message, and its place in the request. */
export type PlacedMessage = readonly [message: Message, place: number];

/** A result of a tool, and where in the request it stands. */
type PlacedResult = readonly [result: ToolResultPart, at: string];

/** Results that wait for their calls: each call takes one of its id, the first that came. */
export class WaitingResults {
  readonly #byCall = new Map<string, { readonly results: PlacedResult[]; taken: number }>();

  /** The results in messages; `fieldOf` names a part's place. */
  static in(messages: readonly PlacedMessage[], fieldOf: (message: number, part: number) => string): WaitingResults {
    const waiting = new WaitingResults();
    for (const [{ parts }, place] of messages) {
      parts.forEach((part, index) => {
        if (part.type === 'tool-result') waiting.#add(part, fieldOf(place, index));
      });
    }
    return waiting;
  }

  #add(result: ToolResultPart, at: string): void {
    const same = this.#byCall.get(result.callId);
    if (same) same.results.push([result, at]);
    else this.#byCall.set(result.callId, { results: [[result, at]], taken: 0 });
  }

  take(callId: string): PlacedResult | undefined {
    const same = this.#byCall.get(callId);
    return same?.results[same.taken++];
  }

  /** Accounts for those that no call took. */
  dropRest(ledger: Ledger): void {
    for (const { results, taken } of this.#byCall.values()) {
      for (const [{ callId }, at] of results.slice(taken)) {
        ledger.dropped(at, `there is no call ${callId} in the turn before this result`);
      }
    }
  }
}
