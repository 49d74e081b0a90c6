const followers = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Runs `action` when `signal` aborts; gives the function that forgets it. A signal gets one listener however many calls
 * of a turn hang on it (Node warns from the eleventh on).
 */
export function onAbort(signal: AbortSignal, action: () => void): () => void {
  const known = followers.get(signal);
  const actions = known ?? new Set();
  if (!known) {
    followers.set(signal, actions);
    signal.addEventListener('abort', () => actions.forEach((each) => void each()), { once: true });
  }
  actions.add(action);
  return () => actions.delete(action);
}

/**
 * A signal for one call, which follows the caller's or ends the call by itself. The SDK never takes its listener off a
 * signal, so the caller's own would keep every call it made, and cancel calls that have ended. It reads no more of a
 * signal than is here, and a real AbortController costs more than the rest of a call.
 */
export class CallSignal {
  readonly #listeners: (() => void)[] = [];
  readonly #forget: () => void;
  aborted = false;
  reason: unknown;

  constructor(parent: AbortSignal) {
    this.#forget = onAbort(parent, () => this.abort(parent.reason));
    if (parent.aborted) this.abort(parent.reason);
  }

  /** What the SDK takes for an AbortSignal; of it, it uses the members below. */
  get forSdk(): AbortSignal {
    return this as unknown as AbortSignal;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.push(listener);
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    for (const listener of this.#listeners) listener();
  }

  /** The call is over: nothing cancels it any more. */
  release(): void {
    this.#forget();
  }
}
