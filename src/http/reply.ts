import type { ServerResponse } from 'node:http';
import type { Codec } from '../codecs/codec.ts';
import type { CallContext } from '../model/call.ts';
import { asGatewayError, GatewayError } from '../model/errors.ts';
import type { Frame, StreamEvent } from '../model/event.ts';
import type { BodySource } from '../model/request.ts';
import { emptyResponse, fold } from '../model/response.ts';
import { atTurnEnd } from '../model/turn-end.ts';
import { EventStream, type KeepAlive } from './event-stream.ts';
import { ChunkFields, extraFields, holdsExtraFields, tellsInside, withExtraFields } from './extra-fields.ts';
import { responseHeaders } from './response-headers.ts';

export interface Exchange {
  readonly codec: Codec;
  readonly context: CallContext;
  /** The model name as the client asked for it. */
  readonly model: string;
  /** Tokens of the request, roughly: for dialects that say them before the upstream does. */
  readonly estimatedInputTokens: () => number;
  readonly response: ServerResponse;
  /** The client's body. */
  readonly asked: BodySource;
  /** Takes an answer that was put together here, as it went to the client; of a stream its end. */
  readonly keep?: ((answer: string) => void) | undefined;
}

/** Answers with one JSON body: the upstream's own bytes where they came untouched. Throws what the frames throw. */
export async function replyWhole(frames: AsyncIterable<Frame>, exchange: Exchange): Promise<void> {
  const { codec, context, response, model, asked } = exchange;
  const answer = emptyResponse();
  let bytes: Uint8Array | undefined;
  const reading = frames[Symbol.asyncIterator]();
  for (let isOver = false; !isOver; ) {
    const { done, value: frame } = await reading.next();
    if (done) break;
    if (frame.raw) bytes = bytes ? Buffer.concat([bytes, frame.raw.bytes]) : frame.raw.bytes;
    for (const event of frame.events) fold(answer, event);
    isOver = frame.isLast === true;
  }
  if (!bytes) {
    answer.parts = answer.parts.filter((part) => part !== undefined);
    const body = codec.encodeResponse(answer, { model, createdAtMs: Date.now(), asked });
    const whole = holdsExtraFields(codec.id) ? { ...body, extra_fields: extraFields(context, model) } : body;
    const text = JSON.stringify(whole);
    exchange.keep?.(text);
    bytes = Buffer.from(text);
  } else if (tellsInside(context.trace) && holdsExtraFields(codec.id)) bytes = withExtraFields(bytes, context, model);
  const headers = responseHeaders(context, model);
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
  const { codec, context, response, model, asked } = exchange;
  const stream = new EventStream(response, codec.keepAlive, () => responseHeaders(context, model), codec.framing);
  keepAlive.watch(stream);
  try {
    const encode = codec.encodeStream({ model, createdAtMs: Date.now(), asked });
    let fields: ChunkFields | undefined;
    for await (const frame of frames) {
      const isOurs = !frame.raw || tellsInside(context.trace);
      if (isOurs && holdsExtraFields(codec.id)) fields ??= new ChunkFields(context, model);
      const piece = frame.raw
        ? bytesOf(frame.raw.bytes, frame, fields)
        : textOf(frame.events, encode, exchange, fields);
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

/** The upstream's own bytes; who asked to see the raw exchange gets it in their events. */
const bytesOf = (bytes: Uint8Array, { isLast }: Frame, fields: ChunkFields | undefined): Uint8Array | string =>
  fields ? fields.intoBytes(bytes, isLast === true) : bytes;

function textOf(
  events: readonly StreamEvent[],
  encode: (event: StreamEvent) => string,
  exchange: Exchange,
  fields: ChunkFields | undefined,
): string {
  let text = '';
  for (const event of events) {
    const known = event.type === 'response-start' && !event.usage ? withEstimate(event, exchange) : event;
    const written = encode(known);
    if (event.type === 'response-end') exchange.keep?.(written);
    text += fields ? fields.into(written, event.type === 'response-end') : written;
  }
  return text;
}

/** Context meters and automatic compaction start from the first event; OpenAI gives its counts only in the last. */
const withEstimate = (event: StreamEvent & { type: 'response-start' }, exchange: Exchange): StreamEvent => {
  const input = exchange.estimatedInputTokens();
  return { ...event, usage: { input, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 } };
};

/** `headers` are names and values in turn. */
function setHeader(headers: string[], name: string, value: string): void {
  const at = headers.findIndex((given, index) => index % 2 === 0 && given === name);
  if (at < 0) headers.push(name, value);
  else headers[at + 1] = value;
}

/** Answers with an error in the client's own dialect, or ends what has begun. */
export function replyError(
  thrown: unknown,
  codec: Codec,
  response: ServerResponse,
  requestId: string,
  call?: Pick<Exchange, 'context' | 'model'>,
): void {
  if (response.destroyed || response.writableEnded) return;
  const error = asGatewayError(thrown);
  if (response.headersSent) {
    response.end();
    return;
  }
  const { status, body, headers } = codec.encodeError(error);
  const holds = call && holdsExtraFields(codec.id);
  const { mcpAuthRequired } = error.details;
  const fields = {
    ...(holds && extraFields(call.context, call.model)),
    ...(mcpAuthRequired && { mcp_auth_required: mcpAuthRequired }),
  };
  const text = JSON.stringify(holds || mcpAuthRequired ? { ...body, extra_fields: fields } : body);
  const told = call ? responseHeaders(call.context, call.model) : [];
  if (!call && requestId) told.push('x-bifrost-request-id', requestId, 'x-bifrost-trace-id', requestId);
  // ours counts what the provider said in whichever form; two of one name would be joined into nonsense
  const own = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)), ...headers };
  for (const [name, value] of Object.entries(own)) setHeader(told, name, value);
  response.writeHead(status, told);
  response.end(text);
}

export const cancelledByClient = (): GatewayError =>
  new GatewayError('cancelled', 'the client closed the connection before the answer was complete');
