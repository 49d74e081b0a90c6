import type { AnswerContext, Codec } from '../codecs/codec.ts';
import type { ProviderKey } from '../config/schema.ts';
import type { CallContext } from '../model/call.ts';
import type { CodecId } from '../model/content.ts';
import { asGatewayError, GatewayError } from '../model/errors.ts';
import type { Frame, StreamEvent } from '../model/event.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import type { ChatRequest } from '../model/request.ts';
import { eventsOf } from '../model/response.ts';
import { googleModelPath } from './base-url.ts';
import { Cancellation } from './cancellation.ts';
import { decodedFrames } from './decoded.ts';
import type { DirectResponse, StreamBody } from './direct-response.ts';
import { forwardedHeaders } from './forwarded-headers.ts';
import { type Outgoing, outgoing } from './outgoing.ts';
import { endOf, passThroughFrames } from './pass-through.ts';
import { type Deployment, isScripted, type Provider } from './provider.ts';
import { refusalOf, toldHeaders } from './refusal.ts';
import { tooLate } from './upstream.ts';
import type { Upstreams } from './upstreams.ts';

/** One provider with one of its keys. */
export interface CallTarget {
  readonly provider: Provider;
  readonly key: ProviderKey;
  /** The model's name upstream. */
  readonly model: string;
}

/**
 * One try at one target. The first frame already holds content (or the whole answer): whoever has it knows that the
 * provider has taken the request. Iteration throws GatewayError; leaving it early ends the upstream request.
 */
export type ProviderCall = (target: CallTarget, request: ChatRequest, context: CallContext) => AsyncIterable<Frame>;

export interface ProviderCallOptions {
  readonly codecs: Readonly<Record<CodecId, Codec>>;
  readonly upstreams: Upstreams;
}

const CHAT_PATH: Readonly<Record<CodecId, (model: string, stream: boolean) => string>> = {
  'openai-chat': () => '/chat/completions',
  'openai-responses': () => '/responses',
  'anthropic-messages': () => '/v1/messages',
  gemini: (model, stream) =>
    `${googleModelPath(model)}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
};

export function createProviderCall({ codecs, upstreams }: ProviderCallOptions): ProviderCall {
  return (target, request, context) => {
    const { deployment } = target.provider;
    if (isScripted(deployment)) return scriptedFrames(deployment.scripted(request, target.model, context.signal));
    return upstreamFrames(deployment, target, request, context);
  };

  async function* upstreamFrames(
    deployment: Deployment,
    target: CallTarget,
    request: ChatRequest,
    context: CallContext,
  ): AsyncGenerator<Frame> {
    const sent = outgoing(codecs, deployment, request, target.model, context);
    const cancellation = new Cancellation();
    const onCancel = () => cancellation.fire(cancelled(context));
    context.signal.addEventListener('abort', onCancel, { once: true });
    let isComplete = false;
    try {
      if (context.signal.aborted) throw cancelled(context);
      const path = target.provider.chatUrl ?? CHAT_PATH[sent.codec.id](target.model, request.stream);
      const answer = await send(path, target, sent, context, cancellation);
      context.trace.upstreamHeaders = toldHeaders(answer.headers.record);
      if (answer.stream) yield* streamFrames(answer.stream, target.provider, sent, request, context);
      else yield wholeFrame(answer, target.provider.name, sent, request, context);
      isComplete = true;
    } catch (thrown) {
      throw context.signal.aborted ? cancelled(context) : asGatewayError(thrown);
    } finally {
      context.signal.removeEventListener('abort', onCancel);
      if (!isComplete) cancellation.fire(new GatewayError('cancelled', 'nobody reads the answer any longer'));
    }
  }

  /** The answer with a status below 300. Throws GatewayError. */
  async function send(
    path: string,
    { provider, key }: CallTarget,
    { codec, body }: Outgoing,
    context: CallContext,
    cancellation: Cancellation,
  ): Promise<DirectResponse> {
    const upstreamTarget = provider.upstreamOf(key);
    const upstream = await upstreams(upstreamTarget);
    const headers = forwardedHeaders(context.caller.forwardHeaders, codec.id);
    // The SDK's own timer fires a signal that our fetch does not hear
    const timer = setTimeout(() => cancellation.fire(tooLate(upstreamTarget)), upstreamTarget.timeoutMs);
    try {
      const answer = await upstream.post(path, body, { headers, cancellation });
      if (!answer.ok) throw refusalOf(answer, codec, provider.name);
      return answer;
    } finally {
      clearTimeout(timer);
    }
  }
}

async function* scriptedFrames(events: AsyncIterable<StreamEvent>): AsyncGenerator<Frame> {
  try {
    for await (const event of events) yield { events: [event] };
  } catch (thrown) {
    throw asGatewayError(thrown);
  }
}

const answerContext = ({ toolNames }: Outgoing, { requestId, trace }: CallContext): AnswerContext => ({
  ...(toolNames && { toolNames }),
  callId: `${requestId}-${trace.attempts.length}`,
});

function streamFrames(
  body: StreamBody,
  { name: provider, network }: Provider,
  sent: Outgoing,
  request: ChatRequest,
  context: CallContext,
): AsyncIterable<Frame> {
  const { codec, passThrough } = sent;
  const idleMs = network.stream_idle_timeout_in_seconds * 1_000;
  if (!passThrough || !request.stream) {
    return decodedFrames({ codec, context: answerContext(sent, context), body, provider, idleMs });
  }
  const onErrorInside = (error: GatewayError) => {
    // The attempt under way is the last one
    const attempt = context.trace.attempts.at(-1);
    if (attempt) attempt.error = error.message;
  };
  return passThroughFrames({ codec, body, provider, idleMs, onErrorInside });
}

/** A whole answer as one frame; also where a stream was asked for and the upstream gave none. */
function wholeFrame(
  answer: DirectResponse,
  provider: string,
  sent: Outgoing,
  request: ChatRequest,
  context: CallContext,
): Frame {
  const { codec, passThrough } = sent;
  const { bytes } = answer;
  const raw = passThrough && !request.stream ? { codec: codec.id, bytes } : undefined;
  if (raw) {
    const glance = codec.glance(bytes, 'json');
    if (glance.error) throw glance.error;
    if (glance.complete) return { raw, events: [endOf(glance)] };
  }
  const events = eventsOf(codec.decodeResponse(bodyOf(answer, provider), answerContext(sent, context)));
  return raw ? { raw, events: events.slice(-1) } : { events };
}

function bodyOf(answer: DirectResponse, provider: string): JsonObject {
  try {
    const body: unknown = JSON.parse(answer.bytes.toString('utf8'));
    if (isObject(body)) return body;
  } catch {
    // Told below, with what came in its place
  }
  const type = answer.headers.get('content-type') ?? 'no content type';
  const start = answer.bytes.toString('utf8', 0, 200);
  throw new GatewayError('bad-response', `${provider} answered with ${type} in place of a JSON object: ${start}`, {
    provider,
  });
}

const cancelled = ({ signal }: CallContext): GatewayError =>
  signal.reason instanceof GatewayError
    ? signal.reason
    : new GatewayError('cancelled', 'the request was cancelled', { cause: signal.reason });
