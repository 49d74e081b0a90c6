import type { Codec } from '../../codecs/codec.ts';
import { numberOrNothing, type Translation } from '../../codecs/operations/translation.ts';
import type { CallContext } from '../../model/call.ts';
import type { CodecId } from '../../model/content.ts';
import { asGatewayError, GatewayError } from '../../model/errors.ts';
import { type OperationFrame, type OperationRequest, operationName } from '../../model/operation.ts';
import { type CallTarget, placed } from '../call.ts';
import { Cancellation } from '../cancellation.ts';
import type { DirectResponse, StreamBody } from '../direct-response.ts';
import { isScripted } from '../provider.ts';
import { refusalOf, toldHeaders } from '../refusal.ts';
import { tooLate, type Upstream, type UpstreamCall, type UpstreamTarget } from '../upstream.ts';
import type { Upstreams } from '../upstreams.ts';
import { answersTo } from './others.ts';
import { type OutgoingOperation, outgoingOperation, unsupported } from './outgoing.ts';
import { passthroughUrl, untouchedFrames } from './passthrough.ts';
import { Patience, patiently } from './patience.ts';
import { whenComplete } from './pending.ts';
import { spokenEvents } from './spoken-events.ts';
import { byteFrames, eventFrames } from './stream.ts';
import { transcriptEvents } from './transcript-events.ts';
import { contentTypeOf, readAnswer, wholeFrame } from './whole-answer.ts';

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
    context.trace.losses.push(...sent.losses);
    const cancellation = new Cancellation();
    const onCancel = () => cancellation.fire(cancelled(context));
    context.signal.addEventListener('abort', onCancel, { once: true });
    let isComplete = false;
    try {
      if (context.signal.aborted) throw cancelled(context);
      const upstreamTarget = provider.upstreamOf(key);
      const upstream = await upstreams(upstreamTarget);
      const name = operationName(request.kind, request.stream);
      const url = provider.operationUrl?.(name) ?? urlOf(sent, upstreamTarget, request, model);
      const call = { headers: headersOf(sent, upstreamTarget, request, context), ...wishesOf(request, sent, url) };
      const ask = asker(upstream, url, call, upstreamTarget, request, context);
      const answer = await ask(sent.body, cancellation);
      if (request.kind === 'passthrough') {
        yield* untouchedFrames(answer);
        isComplete = true;
        return;
      }
      const good = (each: DirectResponse): DirectResponse => {
        if (each.ok) return each;
        throw refusalOf(each, codecs[deployment.speaks[0]], provider.name, key);
      };
      context.trace.upstreamHeaders = toldHeaders(good(answer).headers.record);
      if (answer.stream) {
        yield* streamFrames(answer.stream, answer, target, request, context);
      } else {
        const asked: Ask = async (body, each) => good(await ask(body, each));
        const others = sent.others ? await answersTo(sent.others, cancellation, asked) : [];
        const again = (path: string) =>
          upstream.get(`${serverRoot(upstreamTarget.baseUrl)}${path}`, { headers: {}, cancellation });
        const whole = sent.translation?.pendingAt
          ? await completed(answer, sent.translation, upstreamTarget, cancellation, async (path) =>
              good(await again(path)),
            )
          : answer;
        yield wholeFrame([whole, ...others], sent, request, deployment.name);
      }
      isComplete = true;
    } catch (thrown) {
      throw context.signal.aborted ? cancelled(context) : failureOf(thrown, request);
    } finally {
      context.signal.removeEventListener('abort', onCancel);
      if (!isComplete) cancellation.fire(new GatewayError('cancelled', 'nobody reads the answer any longer'));
    }
  };
}

type Ask = (body: Uint8Array | string, cancellation: Cancellation) => Promise<DirectResponse>;

/** One request of a call: answered in time, and with the time that it took noted. */
function asker(
  upstream: Upstream,
  url: string,
  call: UpstreamCall,
  target: UpstreamTarget,
  request: OperationRequest,
  { trace }: CallContext,
): Ask {
  const { upload } = request.payload;
  return async (body, cancellation) => {
    const patience = new Patience(target.timeoutMs, () => cancellation.fire(tooLate(target)));
    const onFailure = (reason: Error) => cancellation.fire(reason);
    const wishes = upload ? { ...call.wishes, upload: patiently(upload, patience, onFailure) } : call.wishes;
    const askedAtMs = performance.now();
    try {
      return await dispatched(upstream, url, body, request, { ...call, ...(wishes && { wishes }), cancellation });
    } finally {
      patience.end();
      trace.upstreamMs += performance.now() - askedAtMs;
    }
  };
}

/** An answer that was begun only, once it is complete; for that it has the time of one that comes whole. */
async function completed(
  begun: DirectResponse,
  { pendingAt }: Translation,
  target: UpstreamTarget,
  cancellation: Cancellation,
  ask: (path: string) => Promise<DirectResponse>,
): Promise<DirectResponse> {
  const patience = new Patience(target.timeoutMs, () => cancellation.fire(tooLate(target)));
  const whereOf = (answer: DirectResponse) => pendingAt?.(readAnswer(answer, target.provider));
  try {
    return await whenComplete(begun, { pendingAt: whereOf, ask, cancellation });
  } finally {
    patience.end();
  }
}

/** What of a request has gone out while it came cannot go out again. */
function failureOf(thrown: unknown, { payload: { upload } }: OperationRequest): GatewayError {
  const error = asGatewayError(thrown);
  if (!upload?.isBegun) return error;
  return new GatewayError(error.kind, error.message, { ...error.details, isFinal: true });
}

function dispatched(
  upstream: Upstream,
  url: string,
  body: Uint8Array | string,
  { kind, forwarded }: OperationRequest,
  call: UpstreamCall,
): Promise<DirectResponse> {
  if (forwarded?.method === 'GET') return upstream.get(url, call);
  if (forwarded?.method !== 'DELETE') return upstream.post(url, body, call);
  if (upstream.delete) return upstream.delete(url, call);
  throw new GatewayError('invalid-request', `${kind} cannot be asked of this provider: nothing can be deleted there`);
}

/** Sound and files are long and used while they come; what is passed through is nobody's to read. */
function wishesOf(
  { kind }: OperationRequest,
  { translation }: OutgoingOperation,
  url: string,
): Pick<UpstreamCall, 'wishes'> {
  if (kind === 'passthrough') return { wishes: { answerMode: 'untouched', exactUrl: url } };
  return !translation?.answer && (kind === 'speech' || kind === 'file_content')
    ? { wishes: { answerMode: 'streamed' } }
    : {};
}

function urlOf({ wire }: OutgoingOperation, target: UpstreamTarget, request: OperationRequest, model: string): string {
  if (request.kind === 'passthrough') return passthroughUrl(target.baseUrl, request);
  const path = wire.path(model, request, target);
  return wire.atRoot ? `${serverRoot(target.baseUrl)}${path}` : path;
}

/** A base URL without the path of the API version, or of the API that imitates OpenAI's. */
const serverRoot = (baseUrl: string): string =>
  baseUrl.replace(/\/+$/, '').replace(/(?:\/compatibility)?\/v\d+\w*$/, '');

/** Headers of one request; Anthropic's own mean nothing here. */
function headersOf(
  { contentType, wire }: OutgoingOperation,
  target: UpstreamTarget,
  { forwarded, payload: { upload } }: OperationRequest,
  { caller }: CallContext,
): Readonly<Record<string, string>> {
  if (forwarded?.headers) return forwarded.headers;
  const headers: Record<string, string> = { 'content-type': contentType, ...wire.headers?.(target) };
  if (upload?.length !== undefined) headers['content-length'] = String(upload.length);
  for (const [name, value] of Object.entries(caller.forwardHeaders)) {
    if (!name.startsWith('anthropic-')) headers[name] = value;
  }
  return headers;
}

function streamFrames(
  body: StreamBody,
  answer: DirectResponse,
  { provider }: CallTarget,
  request: OperationRequest,
  { trace }: CallContext,
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
      const attempt = trace.attempts.at(-1);
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

const cancelled = ({ signal }: CallContext): GatewayError =>
  signal.reason instanceof GatewayError
    ? signal.reason
    : new GatewayError('cancelled', 'the request was cancelled', { cause: signal.reason });
