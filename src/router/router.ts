import type { Answerer, CallContext, ModelCall, Trace } from '../model/call.ts';
import { asGatewayError, GatewayError } from '../model/errors.ts';
import type { AnswerPiece } from '../model/event.ts';
import { DONE, OVER } from '../model/iteration.ts';
import { type OperationCall, type OperationRequest, operationName } from '../model/operation.ts';
import type { ChatRequest } from '../model/request.ts';
import type { ProviderCall } from '../providers/call.ts';
import type { OperationTry } from '../providers/operations/call.ts';
import type { Operation, Provider } from '../providers/provider.ts';
import { type AttemptTools, type Begun, type Failed, tryTarget } from './attempts.ts';
import { type Sleep, sleep } from './backoff.ts';
import { explicitTarget, resolveModel, type Target } from './resolve.ts';

/** Whether something else may be asked of a provider in place of an operation that it is not allowed. */
export type StandsIn<Request> = (provider: Provider, request: Request, context: CallContext) => boolean;

export interface RouterOptions<Call, Request = unknown> {
  readonly providers: ReadonlyMap<string, Provider>;
  readonly call: Call;
  /** Absent = never. */
  readonly standsIn?: StandsIn<Request>;
  /** [0, 1); for tests. */
  readonly random?: () => number;
  readonly sleep?: Sleep;
  readonly now?: () => number;
}

/** What routing needs to know of a request. */
interface Routable {
  readonly model: string;
  readonly fallbacks: readonly string[];
}

const chatOperation = ({ stream }: ChatRequest): Operation => (stream ? 'chat_completion_stream' : 'chat_completion');

const ownOperation = ({ kind, stream }: OperationRequest): Operation => operationName(kind, stream);

/**
 * Sends each request to the target it names, and to its fallbacks while the client has seen nothing of an answer.
 * When all fail, the first target's error is thrown.
 */
export const createRouter = (options: RouterOptions<ProviderCall, ChatRequest>): ModelCall =>
  routed(options, chatOperation);

/** The same for operations that are no chat. */
export const createOperationRouter = (options: RouterOptions<OperationTry, OperationRequest>): OperationCall =>
  routed(options, ownOperation);

function routed<Request extends Routable, Piece extends AnswerPiece>(
  options: RouterOptions<AttemptTools<Request, Piece>['call'], Request>,
  operationOf: (request: Request) => Operation,
): (request: Request, context: CallContext) => AsyncIterable<Piece> {
  const tools: AttemptTools<Request, Piece> = {
    call: options.call,
    random: options.random ?? Math.random,
    sleep: options.sleep ?? sleep,
    now: options.now ?? Date.now,
  };
  return (request, context) =>
    new RoutedPieces(() =>
      firstAnswer(targetsOf(request, operationOf(request), context, options), request, context, tools),
    );
}

/** The primary and its fallbacks, each resolved when its turn comes. Fallbacks that nobody serves are left out. */
function* targetsOf<Request extends Routable>(
  request: Request,
  operation: Operation,
  context: CallContext,
  { providers, standsIn }: Pick<RouterOptions<unknown, Request>, 'providers' | 'standsIn'>,
): Generator<Target> {
  const { model, fallbacks } = request;
  const { dialect, caller, trace } = context;
  const mayAsk = (provider: Provider) => provider.allows(operation) || standsIn?.(provider, request, context) === true;
  const primary = resolveModel(model, providers, dialect);
  trace.requested = { provider: primary.provider.name, model: primary.model };
  if (!mayAsk(primary.provider)) throw notAllowed(operation, primary.provider);
  yield primary;
  for (const fallback of fallbacks) {
    const target = resolvedFallback(fallback, providers);
    // a caller's own key is for the provider that was asked for, and no business of any other
    const isOthers = caller.directKey !== undefined && target?.provider !== primary.provider;
    if (target && mayAsk(target.provider) && !isOthers) yield target;
  }
}

function notAllowed(operation: Operation, { name, deployment }: Provider): GatewayError {
  const isChatless = 'chatless' in deployment && deployment.chatless === true;
  const why = isChatless ? 'it has no such models; name another provider' : 'its allowed_requests leave it out';
  return new GatewayError('invalid-request', `${operation} is not supported by provider "${name}": ${why}`, {
    provider: name,
  });
}

function resolvedFallback(name: string, providers: ReadonlyMap<string, Provider>): Target | undefined {
  try {
    return explicitTarget(name, providers);
  } catch {
    // A fallback at a provider that is not configured is passed over, as in the original
    return undefined;
  }
}

async function firstAnswer<Request, Piece>(
  targets: Iterable<Target>,
  request: Request,
  context: CallContext,
  tools: AttemptTools<Request, Piece>,
): Promise<Begun<Piece>> {
  const { trace } = context;
  const before = trace.attempts.length;
  let primary: Failure | undefined;
  let index = 0;
  for (const target of targets) {
    let failed: Failed;
    try {
      const outcome = await tryTarget(target, index, request, context, tools);
      if ('first' in outcome) return outcome;
      failed = outcome;
    } catch (thrown) {
      failed = { error: asGatewayError(thrown), mayFallBack: !context.signal.aborted };
    }
    if (!failed.mayFallBack) throw failed.error;
    primary ??= failureOf(failed.error, target, trace, before);
    index++;
  }
  if (!primary) throw new GatewayError('internal', 'a request without a target was routed');
  if (index > 1) {
    trace.failedAt = primary.at;
    trace.upstreamHeaders = primary.headers;
  }
  throw primary.error;
}

/** What is told of the first target if the others fail as well. */
interface Failure {
  readonly error: GatewayError;
  readonly at: Answerer;
  readonly headers: Trace['upstreamHeaders'];
}

/** A target whose keys serve no such model fails without an attempt. */
function failureOf(error: GatewayError, { provider, model }: Target, trace: Trace, before: number): Failure {
  const last = trace.attempts.length > before ? trace.attempts.at(-1) : undefined;
  const at = last ?? { provider: provider.name, model, keyName: '', fallbackIndex: 0 };
  return { error, at, headers: trace.upstreamHeaders };
}

/**
 * The pieces of whichever target answers, iterated by hand: it stands between the provider and the client on every
 * read, and async generators in a row cost a tenth of a small request.
 */
class RoutedPieces<Piece extends AnswerPiece> implements AsyncIterableIterator<Piece, undefined> {
  readonly #begin: () => Promise<Begun<Piece>>;
  #begun: Begun<Piece> | undefined;
  #isOver = false;

  constructor(begin: () => Promise<Begun<Piece>>) {
    this.#begin = begin;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Piece, undefined>> {
    if (this.#isOver) return OVER;
    return this.#begun ? this.#nextOf(this.#begun) : this.#firstOne();
  }

  /** Whoever leaves early ends the upstream request. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#isOver = true;
    await this.#begun?.rest.return?.();
    return DONE;
  }

  async #firstOne(): Promise<IteratorResult<Piece, undefined>> {
    try {
      this.#begun = await this.#begin();
    } catch (thrown) {
      this.#isOver = true;
      throw asGatewayError(thrown);
    }
    const { first } = this.#begun;
    if (first.isLast) this.#isOver = true;
    return { done: false, value: first };
  }

  async #nextOf({ rest, attempt }: Begun<Piece>): Promise<IteratorResult<Piece, undefined>> {
    try {
      const next = await rest.next();
      if (next.done) {
        this.#isOver = true;
        return DONE;
      }
      if (next.value.isLast) this.#isOver = true;
      return next;
    } catch (thrown) {
      this.#isOver = true;
      const error = asGatewayError(thrown);
      attempt.error = error.message;
      throw error;
    }
  }
}
