import type { Codec } from '../../codecs/codec.ts';
import { numberOrNothing } from '../../codecs/operations/translation.ts';
import type { CallContext } from '../../model/call.ts';
import type { CodecId } from '../../model/content.ts';
import { asGatewayError, GatewayError } from '../../model/errors.ts';
import { type OperationFrame, type OperationRequest, operationName } from '../../model/operation.ts';
import { Cancellation, cancelledCall } from '../cancellation.ts';
import type { DirectResponse, StreamBody } from '../direct-response.ts';
import { isScripted } from '../provider.ts';
import { refusalOf, toldHeaders } from '../refusal.ts';
import { type CallTarget, placed } from '../target.ts';
import type { Upstreams } from '../upstreams.ts';
import { type Ask, type Asking, asker, completed } from './asking.ts';
import { answersTo } from './others.ts';
import { outgoingOperation, unsupported } from './outgoing.ts';
import { untouchedFrames } from './passthrough.ts';
import { spokenEvents } from './spoken-events.ts';
import { byteFrames, eventFrames } from './stream.ts';
import { transcriptEvents } from './transcript-events.ts';
import { contentTypeOf, wholeFrame } from './whole-answer.ts';

/** One try at one target, as `ProviderCall` is for chats: leaving the answer early ends the upstream request. */
export type OperationTry = (
  target: CallTarget,
  request: OperationRequest,
  context: CallContext,
) => AsyncIterable<OperationFrame>;

export interface OperationTryOptions {
  readonly codecs: Readonly<Record<CodecId, Codec>>;
  readonly upstreams: Upstreams;
}

export function createOperationTry({ codecs, upstreams }: OperationTryOptions): OperationTry {
  return async function* operationFrames(given, request, context) {
    const target = placed(given);
    const { provider, key, model } = target;
    const { deployment } = provider;
    if (isScripted(deployment)) throw unsupported(operationName(request.kind, request.stream), provider.name);
    const sent = outgoingOperation(deployment, request, model);
    const { signal, trace } = context;
    trace.losses.push(...sent.losses);
    const cancellation = new Cancellation();
    const onCancel = () => cancellation.fire(cancelledCall(signal));
    signal.addEventListener('abort', onCancel, { once: true });
    let isComplete = false;
    try {
      if (signal.aborted) throw cancelledCall(signal);
      const upstreamTarget = provider.upstreamOf(key);
      const upstream = await upstreams(upstreamTarget);
      const asking = { target, upstreamTarget, upstream, request, sent, context, cancellation };
      yield* await answerFrames(asking, codecs[deployment.speaks[0]]);
      isComplete = true;
    } catch (thrown) {
      throw signal.aborted ? cancelledCall(signal) : failureOf(thrown, request);
    } finally {
      signal.removeEventListener('abort', onCancel);
      if (!isComplete) cancellation.fire(new GatewayError('cancelled', 'nobody reads the answer any longer'));
    }
  };
}

/** Asks, and gives the answer as it comes or, where it came whole, in one frame. `codec` reads refusals. */
async function answerFrames(
  asking: Asking,
  codec: Codec,
): Promise<AsyncIterable<OperationFrame> | readonly OperationFrame[]> {
  const { target, request, sent, context, cancellation } = asking;
  const { provider, key } = target;
  const ask = asker(asking);
  const answer = await ask(sent.body, cancellation);
  if (request.kind === 'passthrough') return untouchedFrames(answer);
  const checked = (each: DirectResponse): DirectResponse => {
    if (each.ok) return each;
    throw refusalOf(each, codec, provider.name, key);
  };
  context.trace.upstreamHeaders = toldHeaders(checked(answer).headers.record);
  if (answer.stream) return streamFrames(asking, answer, answer.stream);
  const askOther: Ask = async (body, ownCancellation) => checked(await ask(body, ownCancellation));
  const others = sent.others ? await answersTo(sent.others, cancellation, askOther) : [];
  const { pendingAt } = sent.translation ?? {};
  const whole = pendingAt ? await completed(asking, answer, pendingAt, checked) : answer;
  return [wholeFrame([whole, ...others], sent, request, provider.deployment.name)];
}

/** What of a request has gone out while it came cannot go out again. */
function failureOf(thrown: unknown, { payload: { upload } }: OperationRequest): GatewayError {
  const error = asGatewayError(thrown);
  if (!upload?.isBegun) return error;
  return new GatewayError(error.kind, error.message, { ...error.details, isFinal: true });
}

function streamFrames(
  { target: { provider }, request, context }: Asking,
  answer: DirectResponse,
  body: StreamBody,
): AsyncIterable<OperationFrame> {
  const { kind, stream } = request;
  const contentType = contentTypeOf(answer);
  const streamed = {
    body,
    contentType,
    provider: provider.name,
    answers: answersAsked(request),
    idleMs: provider.network.stream_idle_timeout_in_seconds * 1_000,
    onErrorInside: (error: GatewayError) => {
      // The attempt under way is the last one
      const attempt = context.trace.attempts.at(-1);
      if (attempt) attempt.error = error.message;
    },
  };
  if (!contentType.includes('text/event-stream')) {
    return stream && kind === 'speech' ? spokenEvents(byteFrames(streamed)) : byteFrames(streamed);
  }
  return kind === 'transcription' ? transcriptEvents(eventFrames(streamed)) : eventFrames(streamed);
}

/** Pictures are asked for by number; of text there are so many for each prompt. */
function answersAsked({ kind, payload }: OperationRequest): number {
  if (kind !== 'text_completion' && kind !== 'image_generation' && kind !== 'image_edit') return 1;
  const { n, prompt } = payload.fields;
  const prompts =
    kind === 'text_completion' && Array.isArray(prompt) && typeof prompt[0] !== 'number' ? prompt.length : 1;
  return Math.max(1, Math.floor(numberOrNothing(n) ?? 1) * prompts);
}
