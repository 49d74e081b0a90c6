import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Codec } from '../codecs/codec.ts';
import type { AbortPool } from '../model/abort-pool.ts';
import { type CallContext, type Caller, newTrace } from '../model/call.ts';
import { asGatewayError } from '../model/errors.ts';
import { type OperationCall, type OperationFrame, type OperationRequest, operationName } from '../model/operation.ts';
import { drained, EventStream, type KeepAlive } from './event-stream.ts';
import { ChunkFields, extraFields, holdsExtraFields } from './extra-fields.ts';
import { cancelledByClient, replyError } from './reply.ts';
import type { RequestIds } from './request-ids.ts';
import { responseHeaders } from './response-headers.ts';

export interface OperationOptions {
  readonly operate: OperationCall;
  readonly callerOf: (headers: IncomingMessage['headers']) => Caller;
  readonly keepAlive: KeepAlive;
  readonly requestIds: RequestIds;
  readonly openCalls: AbortPool;
}

/** Serves one operation from its bytes to its last byte. Never throws: every failure becomes an answer. */
export async function serveOperation(
  codec: Codec,
  asked: () => Promise<OperationRequest>,
  request: IncomingMessage,
  response: ServerResponse,
  options: OperationOptions,
): Promise<void> {
  const requestId = options.requestIds.idFor(request.headers['x-request-id']);
  const abort = options.openCalls.take();
  let isAnswered = false;
  response.on('close', () => {
    if (!isAnswered) abort.abort(cancelledByClient());
  });
  let exchange: Exchange | undefined;
  try {
    const operation = await asked();
    const context: CallContext = {
      requestId,
      operation: operationName(operation.kind, operation.stream),
      dialect: codec.id,
      caller: options.callerOf(request.headers),
      signal: abort.signal,
      trace: newTrace(),
      startedAtMs: performance.now(),
    };
    exchange = { codec, context, model: operation.model, response };
    await reply(options.operate(operation, context), exchange, options.keepAlive);
  } catch (thrown) {
    replyError(thrown, codec, response, requestId, exchange);
  } finally {
    isAnswered = true;
    options.openCalls.giveBack(abort);
  }
}

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
    if (first.head) await replyUntouched(first.head, first, pieces, exchange);
    else if (first.contentType?.includes('text/event-stream')) await replyEvents(first, pieces, exchange, keepAlive);
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
  const { response, context, model, codec } = exchange;
  const { translated, contentType = 'application/octet-stream', isWhole } = first;
  const accounted = translated && holdsExtraFields(codec.id) ? extraFields(context, model) : undefined;
  const body = accounted ? { ...translated, extra_fields: accounted } : translated;
  const bytes = body ? Buffer.from(JSON.stringify(body)) : first.bytes;
  const headers = responseHeaders(context, model);
  headers.push('content-type', contentType);
  if (isWhole) {
    // read to its end first: the row of the log is written there
    await rest.next();
    headers.push('content-length', String(bytes.length));
    response.writeHead(200, headers);
    response.end(bytes);
    return;
  }
  response.writeHead(200, headers);
  await written(bytes, response);
  await passOn(rest, response);
}

/** Whatever the provider said, in its own words and bytes. */
async function replyUntouched(
  { status, headers }: NonNullable<OperationFrame['head']>,
  first: OperationFrame,
  rest: AsyncIterator<OperationFrame>,
  { response, context }: Exchange,
): Promise<void> {
  response.writeHead(status, { ...headers, 'x-bifrost-request-id': context.requestId });
  response.flushHeaders();
  await written(first.bytes, response);
  await passOn(rest, response);
}

async function passOn(rest: AsyncIterator<OperationFrame>, response: ServerResponse): Promise<void> {
  try {
    for (let next = await rest.next(); !next.done; next = await rest.next()) {
      await written(next.value.bytes, response);
      if (response.destroyed) return;
    }
    response.end();
  } catch {
    // such an answer has no word for an error: a connection that breaks is the only sign of one
    response.destroy();
  }
}

async function written(bytes: Uint8Array, response: ServerResponse): Promise<void> {
  if (bytes.length > 0 && !response.write(bytes)) await drained(response);
}

async function replyEvents(
  first: OperationFrame,
  rest: AsyncIterator<OperationFrame>,
  { codec, context, response, model }: Exchange,
  keepAlive: KeepAlive,
): Promise<void> {
  const stream = new EventStream(response, codec.keepAlive, () => responseHeaders(context, model));
  keepAlive.watch(stream);
  try {
    let frame = first;
    const fields = first.isConverted && holdsExtraFields(codec.id) ? new ChunkFields(context, model) : undefined;
    for (;;) {
      const isEnd = frame.usage !== undefined || frame.isWhole === true;
      const piece = fields ? fields.into(Buffer.from(frame.bytes).toString(), isEnd) : frame.bytes;
      const slow = piece.length > 0 ? stream.write(piece) : undefined;
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
