import type { CallContext, ModelCall, Trace } from '../model/call.ts';
import { asGatewayError } from '../model/errors.ts';
import type { AnswerPiece, Frame, StreamEvent } from '../model/event.ts';
import { DONE } from '../model/iteration.ts';
import type { OperationCall } from '../model/operation.ts';
import type { ChatRequest } from '../model/request.ts';
import { cutExchange, inputOf, OutputCollector } from './contents.ts';
import { Observation } from './observation.ts';
import { OperationObservation } from './operation-observation.ts';
import type { CallContents } from './record.ts';
import type { LogSink } from './sink.ts';

/** The call, with one record of it in the log however it ends: finished, failed, or left by whoever was reading. */
export const logged =
  (next: ModelCall, sink: LogSink): ModelCall =>
  (request, context) =>
    new LoggedPieces(() => next(request, context), new ChatObservation(sink, request, context), sink);

/** The same for operations that are no chat. */
export const loggedOperation =
  (next: OperationCall, sink: LogSink): OperationCall =>
  (request, context) =>
    new LoggedPieces(() => next(request, context), new OperationObservation(sink, request, context), sink);

/** The pieces of an answer as they come, seen in passing; iterated by hand, because every read of every stream goes through here. */
class LoggedPieces<Piece extends AnswerPiece> implements AsyncIterableIterator<Piece, undefined> {
  readonly #begin: () => AsyncIterable<Piece>;
  readonly #observation: Observation<Piece>;
  readonly #sink: LogSink;
  #pieces: AsyncIterator<Piece> | undefined;
  #isOver = false;

  constructor(begin: () => AsyncIterable<Piece>, observation: Observation<Piece>, sink: LogSink) {
    this.#begin = begin;
    this.#observation = observation;
    this.#sink = sink;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Piece, undefined>> {
    if (this.#isOver) return DONE;
    try {
      this.#pieces ??= this.#begin()[Symbol.asyncIterator]();
      const next = await this.#pieces.next();
      if (!next.done) {
        this.#observation.see(next.value);
        if (!next.value.isLast) return next;
      }
      this.#observation.complete = true;
      this.#end();
      return next.done ? DONE : next;
    } catch (thrown) {
      this.#observation.error = asGatewayError(thrown);
      this.#end();
      throw thrown;
    }
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    try {
      await this.#pieces?.return?.();
    } finally {
      this.#end();
    }
    return DONE;
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sink.recordCall(this.#observation.record());
  }
}

/** What is learnt about a chat while its frames pass. */
class ChatObservation extends Observation<Frame> {
  readonly #request: ChatRequest;
  readonly #trace: Trace;
  readonly #output: OutputCollector | undefined;

  constructor(sink: LogSink, request: ChatRequest, context: CallContext) {
    super(sink, request, context);
    this.#request = request;
    this.#trace = context.trace;
    if (sink.keepsContentsOf(context.caller)) this.#output = new OutputCollector(sink.maxContentBytes);
  }

  see(frame: Frame): void {
    if (this.firstTokenMs === undefined && (frame.raw || frame.events.some(isContent))) this.sawContent();
    this.#output?.see(frame);
    for (const event of frame.events) {
      if (event.type === 'response-end') {
        this.usage = event.usage;
        this.stopReason = event.reason.raw?.word ?? event.reason.kind;
        this.complete = true;
      } else if (event.type === 'response-start' && event.usage) {
        this.usage = event.usage;
      }
    }
  }

  protected contents(): CallContents | undefined {
    if (!this.#output) return undefined;
    const { requestCodec, request, appended, truncated } = inputOf(this.#request, this.sink.maxContentBytes);
    const output = this.#output.take();
    const raw = this.#trace.keptRaw && cutExchange(this.#trace.keptRaw, this.sink.maxContentBytes);
    return {
      requestCodec,
      request,
      appended,
      responseCodec: output.responseCodec,
      response: output.response,
      raw,
      truncated: truncated || output.truncated || raw?.truncated === true,
    };
  }
}

const isContent = ({ type }: StreamEvent): boolean => type === 'part-start' || type === 'part-delta';
