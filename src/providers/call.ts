import type { AnswerContext, Codec } from '../codecs/codec.ts';
import type { ProviderKey } from '../config/schema.ts';
import type { CallContext } from '../model/call.ts';
import type { CodecId } from '../model/content.ts';
import { asGatewayError, GatewayError } from '../model/errors.ts';
import type { Frame, StreamEvent } from '../model/event.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import type { ChatRequest } from '../model/request.ts';
import { eventsOf } from '../model/response.ts';
import { ReasoningVault, withoutAnyState } from '../vault/vault.ts';
import { googleModelPath } from './base-url.ts';
import type { Cancellation } from './cancellation.ts';
import { ChatServers } from './chat-servers.ts';
import type { CompatRules } from './compat.ts';
import { decodedFrames } from './decoded.ts';
import type { DirectResponse, StreamBody } from './direct-response.ts';
import { ForeignAccount } from './foreign-account.ts';
import { forwardedHeaders } from './forwarded-headers.ts';
import { createModelKnowledge, type ModelKnowledge } from './models/traits.ts';
import { type Outgoing, outgoing } from './outgoing.ts';
import { endOf, passThroughFrames } from './pass-through.ts';
import { type Deployment, isScripted, type Provider } from './provider.ts';
import { noteAnswer, rawExchange } from './raw-exchange.ts';
import { isHistoryRefusal, refusalOf, toldHeaders } from './refusal.ts';
import { tooLate } from './upstream.ts';
import { UpstreamFrames } from './upstream-frames.ts';
import type { Upstreams } from './upstreams.ts';
import { Witness } from './witness.ts';

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
  /** Where models' reasoning state is kept; a new one when absent. */
  readonly vault?: ReasoningVault;
  /** What is known of models; what their families tell when absent. */
  readonly models?: ModelKnowledge;
  /** What is converted though the provider might take it; the usual when absent. */
  readonly compat?: CompatRules;
  readonly insteadOfHosted?: () => string | undefined;
}

const CHAT_PATH: Readonly<Record<CodecId, (model: string, stream: boolean) => string>> = {
  'openai-chat': () => '/chat/completions',
  'openai-responses': () => '/responses',
  'anthropic-messages': () => '/v1/messages',
  'bedrock-converse': (model, stream) =>
    `/model/${encodeURIComponent(model)}/${stream ? 'converse-stream' : 'converse'}`,
  gemini: (model, stream) =>
    `${googleModelPath(model)}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
};

export function createProviderCall({
  codecs,
  upstreams,
  vault = new ReasoningVault(),
  models = createModelKnowledge(),
  compat,
  insteadOfHosted,
}: ProviderCallOptions): ProviderCall {
  const chatServers = new ChatServers();
  const writing = { codecs, vault, models, ...(compat && { compat }), insteadOfHosted };
  return (given, request, context) => {
    const target = placed(given);
    const { deployment } = target.provider;
    if (isScripted(deployment)) return scriptedFrames(deployment.scripted(request, target.model, context.signal));
    const seen = chatServers.seen(deployment);
    return new UpstreamFrames(context, (cancellation) => answered(seen, target, request, context, cancellation));
  };

  async function answered(
    deployment: Deployment,
    target: CallTarget,
    request: ChatRequest,
    context: CallContext,
    cancellation: Cancellation,
  ): Promise<AsyncIterator<Frame> | Frame> {
    let sent = outgoing(writing, deployment, request, target.model, context);
    let answer: DirectResponse;
    try {
      answer = await send(target, sent, request, context, cancellation);
    } catch (thrown) {
      sent = rewritten(thrown, sent, deployment, request, target.model, context);
      answer = await send(target, sent, request, context, cancellation);
    }
    const witness = witnessOf(sent, target, request, context);
    context.trace.upstreamHeaders = toldHeaders(answer.headers.record);
    if (!answer.stream) return wholeFrame(answer, target.provider.name, sent, request, context, witness);
    return streamFrames(answer.stream, target.provider, sent, request, context, witness)[Symbol.asyncIterator]();
  }

  /** The request in another form, where a refusal tells that this helps. Throws the refusal elsewhere. */
  function rewritten(
    refusal: unknown,
    sent: Outgoing,
    deployment: Deployment,
    request: ChatRequest,
    model: string,
    context: CallContext,
  ): Outgoing {
    if (isHistoryRefusal(refusal)) return outgoing(writing, deployment, withoutAnyState(request), model, context);
    const chatServer = chatServers.learnt(deployment, sent, refusal);
    if (!chatServer) throw refusal;
    return outgoing(writing, chatServer, request, model, context);
  }

  /** The answer with a status below 300. Throws GatewayError. */
  async function send(
    target: CallTarget,
    sent: Outgoing,
    { stream }: ChatRequest,
    context: CallContext,
    cancellation: Cancellation,
  ): Promise<DirectResponse> {
    const { provider, key, model } = target;
    const { codec, body } = sent;
    const raw = rawExchange(target, sent, context);
    const path = chatPath(provider, codec.id, model, stream);
    const upstreamTarget = provider.upstreamOf(key);
    const upstream = await upstreams(upstreamTarget);
    const headers = forwardedHeaders(context, codec.id, provider.takesBeta);
    // The SDK's own timer fires a signal that our fetch does not hear
    const timer = setTimeout(() => cancellation.fire(tooLate(upstreamTarget)), upstreamTarget.timeoutMs);
    const askedAtMs = performance.now();
    try {
      const answer = await upstream.post(path, body, { headers, cancellation });
      context.trace.upstreamHeaders = toldHeaders(answer.headers.record);
      if (raw) noteAnswer(raw, answer);
      if (!answer.ok) throw refusalOf(answer, codec, provider.name, key);
      return answer;
    } finally {
      clearTimeout(timer);
      context.trace.upstreamMs += performance.now() - askedAtMs;
    }
  }

  /** A client of the same format that offers no tools needs nobody to remember for it. */
  function witnessOf(
    { codec, passThrough }: Outgoing,
    { provider, model }: CallTarget,
    { raw }: ChatRequest,
    context: CallContext,
  ): Witness | undefined {
    if (passThrough && !raw?.has('tools')) return undefined;
    return new Witness(vault, { provider: provider.name, model }, codec, context);
  }
}

/** Clouds host models of several families: the target as the one that serves this model sees it. */
export function placed(target: CallTarget): CallTarget {
  const { provider, key, model } = target;
  return provider.placeOf ? { ...target, ...provider.placeOf(key, model) } : target;
}

function chatPath({ chatUrl, deployment }: Provider, format: CodecId, model: string, stream: boolean): string {
  if (chatUrl !== undefined) return chatUrl;
  const own = isScripted(deployment) ? undefined : deployment.chatPath?.(format, model, stream);
  return own ?? CHAT_PATH[format](model, stream);
}

async function* scriptedFrames(events: AsyncIterable<StreamEvent>): AsyncGenerator<Frame> {
  try {
    for await (const event of events) yield { events: [event] };
  } catch (thrown) {
    throw asGatewayError(thrown);
  }
}

const answerContext = (
  { codec, toolNames, answersByTool }: Outgoing,
  { dialect, requestId, trace }: CallContext,
): AnswerContext => ({
  ...(toolNames && { toolNames }),
  ...(answersByTool && { answersByTool }),
  callId: `${requestId}-${trace.attempts.length}`,
  foreign: codec.id !== dialect,
});

function streamFrames(
  body: StreamBody,
  { name: provider, network }: Provider,
  sent: Outgoing,
  request: ChatRequest,
  context: CallContext,
  witness: Witness | undefined,
): AsyncIterable<Frame> {
  const { codec, passThrough } = sent;
  const idleMs = network.stream_idle_timeout_in_seconds * 1_000;
  if (!passThrough || !request.stream) {
    const account = ForeignAccount.of(codec.id, context, request.stream);
    const reading = { codec, context: answerContext(sent, context), body, provider, idleMs, account };
    return decodedFrames(witness ? { ...reading, witness } : reading);
  }
  const onErrorInside = (error: GatewayError) => {
    // The attempt under way is the last one
    const attempt = context.trace.attempts.at(-1);
    if (attempt) attempt.error = error.message;
  };
  return passThroughFrames({ codec, body, provider, idleMs, witness, onErrorInside });
}

/** A whole answer as one frame; also where a stream was asked for and the upstream gave none. */
function wholeFrame(
  answer: DirectResponse,
  provider: string,
  sent: Outgoing,
  request: ChatRequest,
  context: CallContext,
  witness: Witness | undefined,
): Frame {
  const { codec, passThrough } = sent;
  const { bytes } = answer;
  const raw = passThrough && !request.stream ? { codec: codec.id, bytes } : undefined;
  if (raw) {
    const glance = codec.glance(bytes, 'json');
    if (glance.error) throw glance.error;
    // an answer that does not say how it ended is looked at, it may be none
    if (glance.complete && glance.reason) {
      witness?.seeBytes(bytes);
      witness?.seeEnd('json');
      return { raw, events: [endOf(glance)], isLast: true };
    }
  }
  const response = codec.decodeResponse(bodyOf(answer, provider), answerContext(sent, context));
  witness?.seeParts(response.parts);
  const events = eventsOf(response);
  const account = ForeignAccount.of(codec.id, context, request.stream);
  if (account) for (const event of events) account.see(event);
  return raw ? { raw, events: events.slice(-1), isLast: true } : { events, isLast: true };
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
