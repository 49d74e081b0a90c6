import type { ServerResponse } from 'node:http';
import type { Codec } from '../codecs/codec.ts';
import type { CallContext } from '../model/call.ts';
import { asGatewayError, GatewayError } from '../model/errors.ts';
import type { Frame, StreamEvent } from '../model/event.ts';
import type { JsonObject } from '../model/json.ts';
import { emptyResponse, fold } from '../model/response.ts';
import { atTurnEnd } from '../model/turn-end.ts';
import { EventStream, type KeepAlive } from './event-stream.ts';

export interface Exchange {
  readonly codec: Codec;
  readonly context: CallContext;
  /** The model name as the client asked for it. */
  readonly model: string;
  /** Tokens of the request, roughly: for dialects that say them before the upstream does. */
  readonly estimatedInputTokens: () => number;
  readonly response: ServerResponse;
}

/** Answers with one JSON body: the upstream's own bytes where they came untouched. Throws what the frames throw. */
export async function replyWhole(frames: AsyncIterable<Frame>, exchange: Exchange): Promise<void> {
  const { codec, context, response, model } = exchange;
  const answer = emptyResponse();
  let bytes: Uint8Array | undefined;
  for await (const frame of frames) {
    if (frame.raw) bytes = bytes ? Buffer.concat([bytes, frame.raw.bytes]) : frame.raw.bytes;
    for (const event of frame.events) fold(answer, event);
  }
  if (!bytes) {
    answer.parts = answer.parts.filter((part) => part !== undefined);
    const body = codec.encodeResponse(answer, { model, createdAtMs: Date.now() });
    bytes = Buffer.from(JSON.stringify(withExtraFields(body, exchange)));
  }
  const headers = responseHeaders(context);
  headers.push('content-type', 'application/json', 'content-length', String(bytes.length));
  response.writeHead(200, headers);
  const answerBytes = bytes;
  atTurnEnd(() => response.end(answerBytes));
}

/**
 * Answers with server-sent events, one write for each upstream read. A failure before the first byte is thrown, so
 * that it becomes a status; after it, it ends the stream with the dialect's error event, never in silence.
 */
export async function replyStream(
  frames: AsyncIterable<Frame>,
  exchange: Exchange,
  keepAlive: KeepAlive,
): Promise<void> {
  const { codec, context, response, model } = exchange;
  const stream = new EventStream(response, codec.keepAlive, () => responseHeaders(context), codec.framing);
  keepAlive.watch(stream);
  try {
    const encode = codec.encodeStream({ model, createdAtMs: Date.now() });
    for await (const frame of frames) {
      const piece = frame.raw ? frame.raw.bytes : textOf(frame.events, encode, exchange);
      if (piece.length === 0) continue;
      const slow = stream.write(piece);
      if (slow) await slow;
      if (response.destroyed) return;
    }
    stream.end();
  } catch (thrown) {
    if (!response.headersSent) {
      const told = thrown instanceof GatewayError ? thrown.details.stream : undefined;
      if (told?.codec !== codec.id) throw thrown;
      await stream.write(told.bytes);
      stream.end();
    } else if (!response.destroyed) stream.end(codec.encodeStreamError(asGatewayError(thrown)));
  } finally {
    keepAlive.forget(stream);
  }
}

function textOf(events: readonly StreamEvent[], encode: (event: StreamEvent) => string, exchange: Exchange): string {
  let text = '';
  for (const event of events) {
    const known = event.type === 'response-start' && !event.usage ? withEstimate(event, exchange) : event;
    text += encode(known);
  }
  return text;
}

/** Context meters and automatic compaction start from the first event; OpenAI gives its counts only in the last. */
const withEstimate = (event: StreamEvent & { type: 'response-start' }, exchange: Exchange): StreamEvent => {
  const input = exchange.estimatedInputTokens();
  return { ...event, usage: { input, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 } };
};

/** Answers with an error in the client's own dialect, or ends what has begun. */
export function replyError(thrown: unknown, codec: Codec, response: ServerResponse, requestId: string): void {
  if (response.destroyed || response.writableEnded) return;
  const error = asGatewayError(thrown);
  if (response.headersSent) {
    response.end();
    return;
  }
  const { status, body, headers } = codec.encodeError(error);
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...(requestId && { 'x-bifrost-request-id': requestId }),
    ...headers,
  });
  response.end(text);
}

/** Who answered, for people who debug: the upstream's own request id and limits, and our route. Names and values in turn. */
export function responseHeaders({ requestId, trace }: CallContext): string[] {
  const headers = ['x-bifrost-request-id', requestId];
  for (const name in trace.upstreamHeaders) headers.push(name, trace.upstreamHeaders[name] ?? '');
  const answered = trace.attempts.at(-1);
  if (answered) {
    headers.push('x-bifrost-provider', answered.provider, 'x-bifrost-resolved-model', answered.model);
    if (answered.fallbackIndex > 0) headers.push('x-bifrost-fallback-index', String(answered.fallbackIndex));
  }
  return headers;
}

/** The original's account of a call, in the one dialect that has room for it; the loss ledger is part of it. */
function withExtraFields(body: JsonObject, { codec, context, model }: Exchange): JsonObject {
  if (codec.id !== 'openai-chat') return body;
  const answered = context.trace.attempts.at(-1);
  const extra: JsonObject = {
    request_type: context.operation,
    original_model_requested: model,
    latency: Math.round(performance.now() - context.startedAtMs),
  };
  if (answered) Object.assign(extra, { provider: answered.provider, resolved_model_used: answered.model });
  if (context.trace.losses.length > 0) extra.losses = context.trace.losses.map((loss) => ({ ...loss }));
  return { ...body, extra_fields: extra };
}

export const cancelledByClient = (): GatewayError =>
  new GatewayError('cancelled', 'the client closed the connection before the answer was complete');
