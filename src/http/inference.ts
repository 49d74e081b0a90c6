import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from '../codecs/body.ts';
import type { Codec } from '../codecs/codec.ts';
import type { AbortPool } from '../model/abort-pool.ts';
import { type CallContext, type Caller, type ModelCall, newTrace } from '../model/call.ts';
import { DeferredRequest } from '../model/request.ts';
import type { KeepAlive } from './event-stream.ts';
import type { KeptItems } from './kept-items.ts';
import { cancelledByClient, type Exchange, replyError, replyStream, replyWhole } from './reply.ts';
import { replyArray } from './reply-array.ts';
import { requestBody } from './request-body.ts';
import type { RequestIds } from './request-ids.ts';
import type { Route } from './routes.ts';

export interface InferenceOptions {
  readonly call: ModelCall;
  readonly callerOf: (headers: IncomingMessage['headers']) => Caller;
  readonly keepAlive: KeepAlive;
  readonly requestIds: RequestIds;
  readonly openCalls: AbortPool;
  /** Items of Responses answers that clients may name instead of sending them back. */
  readonly items: KeptItems;
  readonly maxBodyBytes: number;
}

type InferenceRoute = Extract<Route, { kind: 'inference' }>;

/** Serves one inference request from its bytes to its last byte. Never throws: every failure becomes an answer. */
export async function serveInference(
  codec: Codec,
  { operation, url, envelope }: InferenceRoute,
  request: IncomingMessage,
  response: ServerResponse,
  options: InferenceOptions,
): Promise<void> {
  const requestId = options.requestIds.idFor(request.headers['x-request-id']);
  const abort = options.openCalls.take();
  let isAnswered = false;
  let exchange: Exchange | undefined;
  response.on('close', () => {
    if (!isAnswered) abort.abort(cancelledByClient());
  });
  try {
    const given = await requestBody(request, options.maxBodyBytes);
    const inside = envelope && url?.said ? envelope.opened(given, url.said) : undefined;
    const caller = options.callerOf(inside ? { ...request.headers, ...inside.headers } : request.headers);
    const isResponses = codec.id === 'openai-responses';
    const bytes = isResponses ? options.items.restored(ownerOf(caller), given) : (inside?.bytes ?? given);
    const { head, source } = readBody(codec.id, bytes, inside ? undefined : url?.said, url?.azure);
    const chat = new DeferredRequest(head, source, codec.decodeRequest);
    // what is ours in the history becomes turns again before anybody may send the bytes as they are
    if (codec.holdsOurs?.(bytes)) void chat.messages;
    const context: CallContext = {
      requestId,
      operation: head.stream ? `${operation}_stream` : operation,
      dialect: codec.id,
      caller,
      signal: abort.signal,
      trace: newTrace(),
      startedAtMs: performance.now(),
    };
    const estimatedInputTokens = () => bytes.length >> 2;
    const keep = isResponses
      ? (answer: string) => {
          if (source.member('store') !== false) options.items.remember(ownerOf(caller), answer);
        }
      : undefined;
    exchange = { codec, context, model: head.model, response, asked: source, estimatedInputTokens, keep };
    const frames = options.call(chat, context);
    if (!head.stream) await replyWhole(frames, exchange);
    else if (codec.id === 'gemini' && !asksForEvents(request)) await replyArray(frames, exchange);
    else await replyStream(frames, exchange, options.keepAlive);
  } catch (thrown) {
    replyError(thrown, codec, response, requestId, exchange);
  } finally {
    isAnswered = true;
    options.openCalls.giveBack(abort);
  }
}

const ownerOf = ({ virtualKey }: Caller): string => virtualKey ?? '';

/** Google streams a JSON array to whoever does not ask for events (Gemini API, streamGenerateContent). */
const asksForEvents = ({ url = '' }: IncomingMessage): boolean => /[?&]alt=sse(&|$)/.test(url);
