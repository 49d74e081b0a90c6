import type { CodecId } from '../model/content.ts';
import type { Frame } from '../model/event.ts';
import type { ChatRequest } from '../model/request.ts';
import { withoutAnyState, withoutRaw } from '../vault/vault.ts';
import { streamFrames, wholeFrame } from './answer-frames.ts';
import { googleModelPath } from './base-url.ts';
import type { Cancellation } from './cancellation.ts';
import type { ChatTry } from './chat-try.ts';
import type { DirectResponse } from './direct-response.ts';
import { forwardedHeaders } from './forwarded-headers.ts';
import { type Outgoing, outgoing } from './outgoing.ts';
import { type Deployment, isScripted, type Provider } from './provider.ts';
import { noteAnswer, rawExchange } from './raw-exchange.ts';
import { isBlankRefusal, isHistoryRefusal, refusalOf, toldHeaders } from './refusal.ts';
import { tooLate } from './upstream.ts';
import { Witness } from './witness.ts';

const CHAT_PATH: Readonly<Record<CodecId, (model: string, stream: boolean) => string>> = {
  'openai-chat': () => '/chat/completions',
  'openai-responses': () => '/responses',
  'anthropic-messages': () => '/v1/messages',
  'bedrock-converse': (model, stream) =>
    `/model/${encodeURIComponent(model)}/${stream ? 'converse-stream' : 'converse'}`,
  gemini: (model, stream) =>
    `${googleModelPath(model)}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
};

/**
 * Asks the provider, and once more where its refusal tells how to ask better: the frames of a stream, or the one frame
 * of a whole answer. Throws GatewayError.
 */
export async function answered(chatTry: ChatTry, cancellation: Cancellation): Promise<AsyncIterator<Frame> | Frame> {
  let sent = written(chatTry, chatTry.deployment, chatTry.request);
  let answer: DirectResponse;
  try {
    answer = await send(chatTry, sent, cancellation);
  } catch (refusal) {
    sent = rewritten(chatTry, sent, refusal);
    answer = await send(chatTry, sent, cancellation);
  }
  const witness = witnessOf(chatTry, sent);
  if (!answer.stream) return wholeFrame(chatTry, answer, sent, witness);
  return streamFrames(chatTry, answer.stream, sent, witness)[Symbol.asyncIterator]();
}

const written = ({ means, target, context }: ChatTry, deployment: Deployment, request: ChatRequest): Outgoing =>
  outgoing(means.writing, deployment, request, target.model, context);

/** The request in another form, where a refusal tells that this helps. Throws the refusal elsewhere. */
function rewritten(chatTry: ChatTry, sent: Outgoing, refusal: unknown): Outgoing {
  const { means, deployment, request } = chatTry;
  if (isHistoryRefusal(refusal)) return written(chatTry, deployment, withoutAnyState(request));
  if (sent.passThrough && isBlankRefusal(refusal)) return written(chatTry, deployment, withoutRaw(request));
  const chatServer = means.chatServers.learnt(deployment, sent, refusal);
  if (!chatServer) throw refusal;
  return written(chatTry, chatServer, request);
}

/** The answer with a status below 300. Throws GatewayError. */
async function send(
  { means, target, request, context }: ChatTry,
  sent: Outgoing,
  cancellation: Cancellation,
): Promise<DirectResponse> {
  const { provider, key, model } = target;
  const { codec, body } = sent;
  const raw = rawExchange(target, sent, context);
  const path = chatPath(provider, codec.id, model, request.stream);
  const upstreamTarget = provider.upstreamOf(key);
  const upstream = await means.upstreams(upstreamTarget);
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

function chatPath({ chatUrl, deployment }: Provider, format: CodecId, model: string, stream: boolean): string {
  if (chatUrl !== undefined) return chatUrl;
  const own = isScripted(deployment) ? undefined : deployment.chatPath?.(format, model, stream);
  return own ?? CHAT_PATH[format](model, stream);
}

/** A client of the same format that offers no tools needs nobody to remember for it. */
function witnessOf(
  { means, target, request, context }: ChatTry,
  { codec, passThrough }: Outgoing,
): Witness | undefined {
  if (passThrough && !request.raw?.has('tools')) return undefined;
  const reader = { provider: target.provider.name, model: target.model };
  return new Witness(means.writing.vault, reader, codec, context);
}
