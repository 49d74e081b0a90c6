import { GatewayError } from '../model/errors.ts';

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

/** The error of a call whose `signal` has fired: what fired it, where that says why. */
export const cancelledCall = ({ reason }: AbortSignal): GatewayError =>
  reason instanceof GatewayError
    ? reason
    : new GatewayError('cancelled', 'the request was cancelled', { cause: reason });

/**
 * How the body of an answer comes. Absent: event streams as they arrive, everything else whole. `streamed`: whatever was
 * answered well, as it arrives. `framed`: the same but for texts, which are no frames. `untouched`: of any status, as it
 * arrives and in the encoding it has.
 */
export type AnswerMode = 'streamed' | 'framed' | 'untouched';

/** What our fetch takes beside the standard options. */
export interface CancellableInit extends RequestInit {
  readonly cancellation?: Cancellation;
  readonly answerMode?: AnswerMode;
  /** In place of the URL that an SDK made: SDKs read a query and write it anew, in their own way. */
  readonly exactUrl?: string;
  /** In place of the body: one that is still coming. SDKs would read it, or sign it. */
  readonly upload?: AsyncIterable<Uint8Array>;
}

/** What a call wants of our fetch, past the SDK. */
export type FetchWishes = Pick<CancellableInit, 'answerMode' | 'exactUrl' | 'upload'>;

/** As an SDK's `fetchOptions`, which it hands to our fetch as they are. */
export const cancelledBy = (
  cancellation: Cancellation,
  wishes: FetchWishes | undefined,
): Omit<RequestInit, 'body' | 'headers' | 'method' | 'signal'> => {
  const init: CancellableInit = wishes ? { cancellation, ...wishes } : { cancellation };
  return init;
};
