import type { ProviderConfig } from '../config/schema.ts';
import type { CallContext } from '../model/call.ts';
import { GatewayError } from '../model/errors.ts';
import type { AnswerPiece } from '../model/event.ts';
import { DONE, OVER } from '../model/iteration.ts';
import { CallQueue, type Place } from './call-queue.ts';
import type { CallTarget } from './target.ts';

/** One try at one target, be it a chat or another operation. */
type Try<Request, Piece> = (target: CallTarget, request: Request, context: CallContext) => AsyncIterable<Piece>;

/** By the provider's name; who is not in it is asked as much as comes. */
type CallQueues = ReadonlyMap<string, CallQueue>;

/** The queues that the configuration asks for. */
export function createQueues(
  providers: Readonly<Record<string, Pick<ProviderConfig, 'concurrency_and_buffer_size'>>>,
  dropsExcess: boolean,
): CallQueues {
  const queues = new Map<string, CallQueue>();
  for (const [given, { concurrency_and_buffer_size: limits }] of Object.entries(providers)) {
    if (!limits) continue;
    const name = given.toLowerCase();
    const { concurrency, buffer_size: bufferSize } = limits;
    queues.set(name, new CallQueue(name, { concurrency, bufferSize, dropsExcess }));
  }
  return queues;
}

/**
 * Tries that wait for their turn at providers with a queue, and keep it until the end of the answer. A pause before a
 * retry keeps nobody waiting: each try has a turn of its own.
 */
export function queued<Request, Piece extends AnswerPiece>(
  next: Try<Request, Piece>,
  queues: CallQueues,
): Try<Request, Piece> {
  if (queues.size === 0) return next;
  return (target, request, context) => {
    const queue = queues.get(target.provider.name);
    if (!queue) return next(target, request, context);
    return new QueuedPieces(
      () => queue.enter(context.signal),
      () => next(target, request, context),
    );
  };
}

/** The pieces of one answer, asked for when it is its turn. */
class QueuedPieces<Piece extends AnswerPiece> implements AsyncIterableIterator<Piece, undefined> {
  readonly #enter: () => Place;
  readonly #ask: () => AsyncIterable<Piece>;
  #place: Place | undefined;
  #pieces: AsyncIterator<Piece> | undefined;
  #isOver = false;

  constructor(enter: () => Place, ask: () => AsyncIterable<Piece>) {
    this.#enter = enter;
    this.#ask = ask;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Piece, undefined>> {
    if (this.#isOver) return OVER;
    try {
      const pieces = this.#pieces ?? (await this.#begun());
      const next = await pieces.next();
      if (next.done) {
        this.#over();
        return DONE;
      }
      if (next.value.isLast) this.#over();
      return next;
    } catch (thrown) {
      this.#over();
      throw thrown;
    }
  }

  /** The next one is let in once the provider's answer has been ended. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#isOver = true;
    try {
      await this.#pieces?.return?.();
    } finally {
      this.#over();
    }
    return DONE;
  }

  async #begun(): Promise<AsyncIterator<Piece>> {
    this.#place = this.#enter();
    await this.#place.turn;
    if (this.#isOver) throw new GatewayError('cancelled', 'nobody reads the answer any longer');
    this.#pieces = this.#ask()[Symbol.asyncIterator]();
    return this.#pieces;
  }

  #over(): void {
    this.#isOver = true;
    this.#place?.leave();
  }
}
