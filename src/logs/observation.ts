import type { Answerer, Attempt, CallContext } from '../model/call.ts';
import type { GatewayError } from '../model/errors.ts';
import type { Usage } from '../model/usage.ts';
import type { CallContents, CallStatus, ModelCallRecord } from './record.ts';
import type { LogSink } from './sink.ts';

/** What is logged of any request. */
interface Observed {
  readonly model: string;
  readonly stream: boolean;
}

/** What is learnt about one call while its answer passes. */
export abstract class Observation<Piece> {
  complete = false;
  error: GatewayError | undefined;
  protected readonly sink: LogSink;
  readonly #request: Observed;
  readonly #context: CallContext;
  readonly #startedAtMs = Date.now();
  readonly #started = performance.now();
  // the trace may be shared with the calls before this one
  readonly #attemptsBefore: number;
  readonly #lossesBefore: number;
  protected firstTokenMs: number | undefined;
  protected usage: Usage | undefined;
  protected stopReason: string | undefined;

  constructor(sink: LogSink, request: Observed, context: CallContext) {
    this.sink = sink;
    this.#request = request;
    this.#context = context;
    this.#attemptsBefore = context.trace.attempts.length;
    this.#lossesBefore = context.trace.losses.length;
  }

  abstract see(piece: Piece): void;

  protected abstract contents(): CallContents | undefined;

  protected sawContent(): void {
    this.firstTokenMs = performance.now() - this.#started;
  }

  record(): ModelCallRecord {
    const { trace, caller, requestId, parentId, operation } = this.#context;
    const attempts = this.#attemptsBefore === 0 ? trace.attempts : trace.attempts.slice(this.#attemptsBefore);
    const last = trace.failedAt ?? attempts.at(-1);
    const provider = last?.provider;
    const model = last?.model ?? this.#request.model;
    const { usage } = this;
    const owner = this.sink.ownerOf(caller);
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
      firstTokenMs: this.firstTokenMs,
      usage,
      costUsd: provider !== undefined && usage ? this.sink.costOf(provider, model, usage, this.#context) : undefined,
      stopReason: this.stopReason,
      retries: last && attempts.length > 1 ? retriesAt(last, attempts) : 0,
      fallbackIndex: last?.fallbackIndex ?? 0,
      attempts,
      losses: this.#lossesBefore === 0 ? trace.losses : trace.losses.slice(this.#lossesBefore),
      error: this.error,
      userAgent: caller.userAgent,
      metadata: caller.logLabels,
      dimensions: caller.dimensions,
      contents: this.contents(),
    };
  }

  #status(): CallStatus {
    if (this.error) return this.error.kind === 'cancelled' || this.#context.signal.aborted ? 'cancelled' : 'error';
    return this.complete ? 'success' : 'cancelled';
  }
}

/** A target whose keys serve no such model was never tried at all. */
const retriesAt = ({ fallbackIndex }: Answerer, attempts: readonly Attempt[]): number =>
  Math.max(0, attempts.filter((attempt) => attempt.fallbackIndex === fallbackIndex).length - 1);
