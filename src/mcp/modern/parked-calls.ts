import { randomBytes } from 'node:crypto';
import type { JsonValue } from '../../model/json.ts';
import { later } from '../timing.ts';
import type { OpenCall } from './open-call.ts';

/** A person has this long to answer. */
const KEEP_MS = 10 * 60_000;
const MAX_PARKED = 1_000;

/** What a retry must have in common with the request that it continues. */
export interface Ticket {
  readonly method: string;
  readonly name: JsonValue | undefined;
  /** The address that was asked. */
  readonly place: string | undefined;
  readonly owner: string | undefined;
}

interface Parked {
  readonly call: OpenCall;
  readonly ticket: Ticket;
  readonly timer: NodeJS.Timeout;
}

const PREFIX = 'bifrost.';

/** Whether a `requestState` is one of ours; every other one is its server's. */
export const isOurState = (state: JsonValue | undefined): state is string =>
  typeof state === 'string' && state.startsWith(PREFIX);

/** Calls between an answer that asked for input and the request that brings it, each known by its `requestState`. */
export class ParkedCalls {
  readonly #parked = new Map<string, Parked>();

  /** Gives the state that the client must bring back. Beyond the limit the oldest call is given up. */
  park(call: OpenCall, ticket: Ticket): string {
    const [oldest] = this.#parked.keys();
    if (this.#parked.size >= MAX_PARKED && oldest !== undefined) this.#giveUp(oldest);
    call.park();
    const state = `${PREFIX}${randomBytes(24).toString('base64url')}`;
    this.#parked.set(state, { call, ticket, timer: later(KEEP_MS, () => this.#giveUp(state)) });
    return state;
  }

  /** The call of this state, which is good for one retry; undefined when there is none for such a request. */
  take(state: string, ticket: Ticket): OpenCall | undefined {
    const parked = this.#parked.get(state);
    if (!parked || JSON.stringify(parked.ticket) !== JSON.stringify(ticket)) return undefined;
    clearTimeout(parked.timer);
    this.#parked.delete(state);
    return parked.call;
  }

  close(): void {
    for (const state of [...this.#parked.keys()]) this.#giveUp(state);
  }

  #giveUp(state: string): void {
    const parked = this.#parked.get(state);
    clearTimeout(parked?.timer);
    this.#parked.delete(state);
    parked?.call.abort();
  }
}
