/**
 * Ends one upstream call, before its answer or in the middle of it. An AbortSignal would do as well, but the SDKs hang
 * listeners on it that they do not take off, and each signal costs as much as a tenth of the call.
 */
export class Cancellation {
  #reason: Error | undefined;
  #end: ((reason: Error) => void) | undefined;

  fire(reason: Error): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#end?.(reason);
  }

  /** Called by the one fetch that carries the call. */
  onFire(end: (reason: Error) => void): void {
    this.#end = end;
    if (this.#reason) end(this.#reason);
  }
}

/** What our fetch takes beside the standard options. */
export interface CancellableInit extends RequestInit {
  readonly cancellation?: Cancellation;
}

/** As an SDK's `fetchOptions`, which it hands to our fetch as they are. */
export const cancelledBy = (
  cancellation: Cancellation,
): Omit<RequestInit, 'body' | 'headers' | 'method' | 'signal'> => {
  const init: CancellableInit = { cancellation };
  return init;
};
