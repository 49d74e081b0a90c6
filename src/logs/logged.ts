import type { Attempt, CallContext, ModelCall } from '../model/call.ts';
import { asGatewayError, type GatewayError } from '../model/errors.ts';
import type { Frame, StreamEvent } from '../model/event.ts';
import type { ChatRequest } from '../model/request.ts';
import type { Usage } from '../model/usage.ts';
import { inputOf, OutputCollector } from './contents.ts';
import type { CallContents, CallStatus, ModelCallRecord } from './record.ts';
import type { LogSink } from './sink.ts';

/** The call, with one record of it in the log however it ends: finished, failed, or left by whoever was reading. */
export const logged =
  (next: ModelCall, sink: LogSink): ModelCall =>
  (request, context) =>
    new LoggedFrames(() => next(request, context), new Observation(sink, request, context), sink);

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/** The frames as they come, seen in passing; iterated by hand, because every read of every stream goes through here. */
class LoggedFrames implements AsyncIterableIterator<Frame, undefined> {
  readonly #begin: () => AsyncIterable<Frame>;
  readonly #observation: Observation;
  readonly #sink: LogSink;
  #frames: AsyncIterator<Frame> | undefined;
  #isOver = false;

  constructor(begin: () => AsyncIterable<Frame>, observation: Observation, sink: LogSink) {
    this.#begin = begin;
    this.#observation = observation;
    this.#sink = sink;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Frame, undefined>> {
    if (this.#isOver) return DONE;
    try {
      this.#frames ??= this.#begin()[Symbol.asyncIterator]();
      const next = await this.#frames.next();
      if (!next.done) {
        this.#observation.see(next.value);
        return next;
      }
      this.#observation.complete = true;
    } catch (thrown) {
      this.#observation.error = asGatewayError(thrown);
      this.#end();
      throw thrown;
    }
    this.#end();
    return DONE;
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    try {
      await this.#frames?.return?.();
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

/** What is learnt about one call while its frames pass. */
class Observation {
  complete = false;
  error: GatewayError | undefined;
  readonly #sink: LogSink;
  readonly #request: ChatRequest;
  readonly #context: CallContext;
  readonly #startedAtMs = Date.now();
  readonly #started = performance.now();
  // the trace may be shared with the calls before this one
  readonly #attemptsBefore: number;
  readonly #lossesBefore: number;
  readonly #output: OutputCollector | undefined;
  #firstTokenMs: number | undefined;
  #usage: Usage | undefined;
  #stopReason: string | undefined;

  constructor(sink: LogSink, request: ChatRequest, context: CallContext) {
    this.#sink = sink;
    this.#request = request;
    this.#context = context;
    this.#attemptsBefore = context.trace.attempts.length;
    this.#lossesBefore = context.trace.losses.length;
    if (sink.keepsContents) this.#output = new OutputCollector(sink.maxContentBytes);
  }

  see(frame: Frame): void {
    if (this.#firstTokenMs === undefined && (frame.raw || frame.events.some(isContent))) {
      this.#firstTokenMs = performance.now() - this.#started;
    }
    this.#output?.see(frame);
    for (const event of frame.events) {
      if (event.type === 'response-end') {
        this.#usage = event.usage;
        this.#stopReason = event.reason.raw?.word ?? event.reason.kind;
        this.complete = true;
      } else if (event.type === 'response-start' && event.usage) {
        this.#usage = event.usage;
      }
    }
  }

  record(): ModelCallRecord {
    const { trace, caller, requestId, parentId, operation } = this.#context;
    const attempts = this.#attemptsBefore === 0 ? trace.attempts : trace.attempts.slice(this.#attemptsBefore);
    const last = attempts.at(-1);
    const provider = last?.provider;
    const model = last?.model ?? this.#request.model;
    const usage = this.#usage;
    const owner = this.#sink.ownerOf(caller);
    return {
      id: requestId,
      parentId,
      startedAtMs: this.#startedAtMs,
      operation,
      provider,
      model,
      requestedModel: this.#request.model,
      keyName: last?.keyName,
      virtualKeyId: owner?.id,
      virtualKeyName: owner?.name,
      status: this.#status(),
      stream: this.#request.stream,
      latencyMs: performance.now() - this.#started,
      firstTokenMs: this.#firstTokenMs,
      usage,
      costUsd: provider !== undefined && usage ? this.#sink.costOf(provider, model, usage) : undefined,
      stopReason: this.#stopReason,
      retries: last && attempts.length > 1 ? attemptsAt(last.fallbackIndex, attempts) - 1 : 0,
      fallbackIndex: last?.fallbackIndex ?? 0,
      attempts,
      losses: this.#lossesBefore === 0 ? trace.losses : trace.losses.slice(this.#lossesBefore),
      error: this.error,
      userAgent: caller.userAgent,
      contents: this.#output && this.#contents(this.#output),
    };
  }

  #status(): CallStatus {
    if (this.error) return this.error.kind === 'cancelled' || this.#context.signal.aborted ? 'cancelled' : 'error';
    return this.complete ? 'success' : 'cancelled';
  }

  #contents(collector: OutputCollector): CallContents {
    const { requestCodec, request, appended, truncated } = inputOf(this.#request, this.#sink.maxContentBytes);
    const output = collector.take();
    return {
      requestCodec,
      request,
      appended,
      responseCodec: output.responseCodec,
      response: output.response,
      truncated: truncated || output.truncated,
    };
  }
}

const attemptsAt = (fallbackIndex: number, attempts: readonly Attempt[]): number =>
  attempts.filter((attempt) => attempt.fallbackIndex === fallbackIndex).length;

const isContent = ({ type }: StreamEvent): boolean => type === 'part-start' || type === 'part-delta';
