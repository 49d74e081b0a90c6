import { asGatewayError, GatewayError } from '../model/errors.ts';
import { onAbort } from '../model/on-abort.ts';

interface QueueLimits {
  /** Calls under way at a time. */
  readonly concurrency: number;
  /** How many may wait where more are refused. */
  readonly bufferSize: number;
  /** Whether what comes while so many wait is refused; it waits as well otherwise. */
  readonly dropsExcess: boolean;
}

/** The way in to one provider: a few calls at once, the others in the order in which they came. */
export class CallQueue {
  readonly #provider: string;
  readonly #limits: QueueLimits;
  /** In the order of coming; a set, as those who go away do so from its middle. */
  readonly #waiting = new Set<Place>();
  #underWay = 0;

  constructor(provider: string, limits: QueueLimits) {
    this.#provider = provider;
    this.#limits = limits;
  }

  /** Throws GatewayError('queue-full'), or why the signal was aborted. */
  enter(signal: AbortSignal): Place {
    if (signal.aborted) throw asGatewayError(signal.reason);
    const { concurrency, bufferSize, dropsExcess } = this.#limits;
    const isFree = this.#underWay < concurrency;
    if (!isFree && dropsExcess && this.#waiting.size >= bufferSize) throw this.#full();
    const place = new Place(signal, (left) => this.#onLeave(left));
    if (isFree) {
      this.#underWay++;
      place.begin();
    } else this.#waiting.add(place);
    return place;
  }

  /** Whoever leaves from inside hands on his turn, so that nobody who comes just then is before those who wait. */
  #onLeave(place: Place): void {
    if (this.#waiting.delete(place)) return;
    const [next] = this.#waiting;
    if (next) {
      this.#waiting.delete(next);
      next.begin();
    } else this.#underWay--;
  }

  // the original's words first, for whoever looks for them
  #full(): GatewayError {
    const { concurrency, bufferSize } = this.#limits;
    return new GatewayError(
      'queue-full',
      `request dropped: queue is full: provider "${this.#provider}" has ${concurrency} calls under way and ` +
        `${bufferSize} that wait; send it again later, or raise concurrency_and_buffer_size of the provider`,
      { provider: this.#provider },
    );
  }
}

/** One call's place in a queue, from its coming until it leaves: by itself, or because its signal was aborted. */
export class Place {
  /** Resolves once it is this call's turn. Rejects with GatewayError when it left before. */
  readonly turn: Promise<void>;
  readonly #onLeave: (place: Place) => void;
  readonly #forgetSignal: () => void;
  #begin = () => {};
  #giveUp: (reason: GatewayError) => void = () => {};
  #hasLeft = false;

  constructor(signal: AbortSignal, onLeave: (place: Place) => void) {
    this.#onLeave = onLeave;
    this.#forgetSignal = onAbort(signal, () => this.leave(asGatewayError(signal.reason)));
    this.turn = new Promise((resolve, reject) => {
      this.#begin = resolve;
      this.#giveUp = reject;
    });
    // whoever left need not have waited
    this.turn.catch(() => undefined);
  }

  begin(): void {
    this.#begin();
  }

  /** Lets the next one in. */
  leave(reason = new GatewayError('cancelled', 'nobody reads the answer any longer')): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#forgetSignal();
    this.#giveUp(reason);
    this.#onLeave(this);
  }
}
