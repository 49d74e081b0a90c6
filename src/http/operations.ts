import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SaidByUrl } from '../codecs/body.ts';
import type { Codec } from '../codecs/codec.ts';
import { readOperation } from '../codecs/operations/read-operation.ts';
import { type CallContext, type Caller, newTrace } from '../model/call.ts';
import { asGatewayError } from '../model/errors.ts';
import type { JsonObject } from '../model/json.ts';
import { type OperationCall, type OperationFrame, operationName } from '../model/operation.ts';
import { EventStream, type KeepAlive } from './event-stream.ts';
import { cancelledByClient, replyError, responseHeaders } from './reply.ts';
import { requestBody } from './request-body.ts';
import type { RequestIds } from './request-ids.ts';
import type { OperationRoute } from './routes.ts';

export interface OperationOptions {
  readonly operate: OperationCall;
  readonly callerOf: (headers: IncomingMessage['headers']) => Caller;
  readonly keepAlive: KeepAlive;
  readonly requestIds: RequestIds;
  readonly maxBodyBytes: number;
}

/** The most that sound to transcribe may take (OpenAI API reference, audio/transcriptions), and the form around it. */
const MOST_SOUND_BYTES = 25 * 1024 * 1024 + 64 * 1024;

/** Serves one operation from its bytes to its last byte. Never throws: every failure becomes an answer. */
export async function serveOperation(
  codec: Codec,
  route: OperationRoute,
  request: IncomingMessage,
  response: ServerResponse,
  options: OperationOptions,
): Promise<void> {
  const requestId = options.requestIds.idFor(request.headers['x-request-id']);
  const abort = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) abort.abort(cancelledByClient());
  });
  try {
    const bytes = await requestBody(request, mostBytes(route, options.maxBodyBytes));
    const contentType = request.headers['content-type'];
    const { kind, format } = route;
    const said: SaidByUrl | undefined = route.url?.said;
    const asked = readOperation({ kind, format, contentType, bytes, said });
    const context: CallContext = {
      requestId,
      operation: operationName(kind, asked.stream),
      dialect: codec.id,
      caller: options.callerOf(request.headers),
      signal: abort.signal,
      trace: newTrace(),
      startedAtMs: performance.now(),
    };
    await reply(options.operate(asked, context), { codec, context, model: asked.model, response }, options.keepAlive);
  } catch (thrown) {
    replyError(thrown, codec, response, requestId);
  }
}

const mostBytes = ({ kind }: OperationRoute, maxBodyBytes: number): number =>
  kind === 'transcription' || kind === 'translation' ? Math.min(MOST_SOUND_BYTES, maxBodyBytes) : maxBodyBytes;

interface Exchange {
  readonly codec: Codec;
  readonly context: CallContext;
  /** The model name as the client asked for it. */
  readonly model: string;
  readonly response: ServerResponse;
}

/** The first frame says what kind of answer it is; a failure before it is thrown, so that it becomes a status. */
async function reply(frames: AsyncIterable<OperationFrame>, exchange: Exchange, keepAlive: KeepAlive): Promise<void> {
  const pieces = frames[Symbol.asyncIterator]();
  const { done, value: first } = await pieces.next();
  if (done) return;
  try {
    if (first.contentType?.includes('text/event-stream')) await replyEvents(first, pieces, exchange, keepAlive);
    else await replyBytes(first, pieces, exchange);
  } finally {
    // whoever leaves early ends the upstream request
    await pieces.return?.();
  }
}

/** Pictures and sound as they come; JSON that was translated, with the original's account of it. */
async function replyBytes(
  first: OperationFrame,
  rest: AsyncIterator<OperationFrame>,
  exchange: Exchange,
): Promise<void> {
  const { response, context } = exchange;
  const bytes = first.translated ? Buffer.from(JSON.stringify(withAccount(first.translated, exchange))) : first.bytes;
  const second = await rest.next();
  const headers = responseHeaders(context);
  headers.push('content-type', first.contentType ?? 'application/octet-stream');
  if (second.done) {
    headers.push('content-length', String(bytes.length));
    response.writeHead(200, headers);
    response.end(bytes);
    return;
  }
  response.writeHead(200, headers);
  try {
    await written(bytes, response);
    for (let next: IteratorResult<OperationFrame> = second; !next.done; next = await rest.next()) {
      await written(next.value.bytes, response);
      if (response.destroyed) return;
    }
    response.end();
  } catch {
    // sound has no word for an error: a connection that breaks is the only sign of one
    response.destroy();
  }
}

async function written(bytes: Uint8Array, response: ServerResponse): Promise<void> {
  if (bytes.length === 0 || response.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

async function replyEvents(
  first: OperationFrame,
  rest: AsyncIterator<OperationFrame>,
  { codec, context, response }: Exchange,
  keepAlive: KeepAlive,
): Promise<void> {
  const stream = new EventStream(response, codec.keepAlive, () => responseHeaders(context));
  keepAlive.watch(stream);
  try {
    let frame = first;
    for (;;) {
      const slow = frame.bytes.length > 0 ? stream.write(frame.bytes) : undefined;
      if (slow) await slow;
      if (response.destroyed) return;
      const next = await rest.next();
      if (next.done) break;
      frame = next.value;
    }
    stream.end();
  } catch (thrown) {
    if (!response.headersSent) throw thrown;
    if (!response.destroyed) stream.end(codec.encodeStreamError(asGatewayError(thrown)));
  } finally {
    keepAlive.forget(stream);
  }
}

/** What the original adds to answers in OpenAI's shape; native routes have no room for it. */
function withAccount(body: JsonObject, { codec, context, model }: Exchange): JsonObject {
  if (codec.id !== 'openai-chat') return body;
  const answered = context.trace.attempts.at(-1);
  return {
    ...body,
    extra_fields: {
      request_type: context.operation,
      original_model_requested: model,
      latency: Math.round(performance.now() - context.startedAtMs),
      ...(answered && { provider: answered.provider, resolved_model_used: answered.model }),
      ...(context.trace.losses.length > 0 && { losses: context.trace.losses.map((loss) => ({ ...loss })) }),
    },
  };
}
