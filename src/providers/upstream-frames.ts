import type { CallContext } from '../model/call.ts';
import { asGatewayError, GatewayError } from '../model/errors.ts';
import type { Frame } from '../model/event.ts';
import { DONE, OVER } from '../model/iteration.ts';
import { onAbort } from '../model/on-abort.ts';
import { Cancellation } from './cancellation.ts';

/** Asks the provider: gives the frames of a stream, or the one frame of a whole answer. */
type Answered = (cancellation: Cancellation) => Promise<AsyncIterator<Frame> | Frame>;

/** The frames of one answer, from the request that asks for it to the end. Leaving early ends the upstream request. */
export class UpstreamFrames implements AsyncIterableIterator<Frame, undefined> {
  readonly #context: CallContext;
  readonly #answered: Answered;
  readonly #cancellation = new Cancellation();
  #forgetSignal: (() => void) | undefined;
  #rest: AsyncIterator<Frame> | undefined;
  #isOver = false;

  constructor(context: CallContext, answered: Answered) {
    this.#context = context;
    this.#answered = answered;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Frame, undefined>> {
    if (this.#isOver) return OVER;
    return this.#rest ? this.#nextOf(this.#rest) : this.#begin();
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    if (this.#isOver) return DONE;
    this.#over();
    // first, or a read that is under way would be waited for
    this.#cancellation.fire(new GatewayError('cancelled', 'nobody reads the answer any longer'));
    await this.#rest?.return?.();
    return DONE;
  }

  async #begin(): Promise<IteratorResult<Frame, undefined>> {
    const { signal } = this.#context;
    this.#forgetSignal = onAbort(signal, () => this.#cancellation.fire(cancelled(this.#context)));
    try {
      if (signal.aborted) throw cancelled(this.#context);
      const answer = await this.#answered(this.#cancellation);
      if (!('next' in answer)) {
        this.#over();
        return { done: false, value: answer };
      }
      this.#rest = answer;
    } catch (thrown) {
      throw this.#failed(thrown);
    }
    return this.#nextOf(this.#rest);
  }

  async #nextOf(rest: AsyncIterator<Frame>): Promise<IteratorResult<Frame, undefined>> {
    try {
      const next = await rest.next();
      if (next.done || next.value.isLast) this.#over();
      return next;
    } catch (thrown) {
      throw this.#failed(thrown);
    }
  }

  #failed(thrown: unknown): GatewayError {
    this.#over();
    const error = this.#context.signal.aborted ? cancelled(this.#context) : asGatewayError(thrown);
    this.#cancellation.fire(error);
    return error;
  }

  #over(): void {
    this.#isOver = true;
    this.#forgetSignal?.();
  }
}

const cancelled = ({ signal }: CallContext): GatewayError =>
  signal.reason instanceof GatewayError
    ? signal.reason
    : new GatewayError('cancelled', 'the request was cancelled', { cause: signal.reason });
