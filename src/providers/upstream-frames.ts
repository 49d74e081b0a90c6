import type { CallContext } from '../model/call.ts';
import { asGatewayError, GatewayError } from '../model/errors.ts';
import type { Frame } from '../model/event.ts';
import { DONE, OVER } from '../model/iteration.ts';
import { onAbort } from '../model/on-abort.ts';
import { answered } from './asked-chat.ts';
import { Cancellation, cancelledCall } from './cancellation.ts';
import type { ChatTry } from './chat-try.ts';

/** The frames of one answer, from the request that asks for it to the end. Leaving early ends the upstream request. */
export class UpstreamFrames implements AsyncIterableIterator<Frame, undefined> {
  readonly #context: CallContext;
  readonly #chatTry: ChatTry;
  readonly #cancellation = new Cancellation();
  #forgetSignal: (() => void) | undefined;
  #rest: AsyncIterator<Frame> | undefined;
  #isOver = false;

  constructor(chatTry: ChatTry) {
    this.#context = chatTry.context;
    this.#chatTry = chatTry;
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
    this.#forgetSignal = onAbort(signal, () => this.#cancellation.fire(cancelledCall(signal)));
    try {
      if (signal.aborted) throw cancelledCall(signal);
      const answer = await answered(this.#chatTry, this.#cancellation);
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
    const { signal } = this.#context;
    const error = signal.aborted ? cancelledCall(signal) : asGatewayError(thrown);
    this.#cancellation.fire(error);
    return error;
  }

  #over(): void {
    this.#isOver = true;
    this.#forgetSignal?.();
  }
}
