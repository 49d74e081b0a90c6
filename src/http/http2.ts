import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Http2Server, Http2ServerRequest, Http2ServerResponse, ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { ownValue } from '../model/json.ts';

/** What the parser of HTTP/1 says when a client begins with HTTP/2's preface. */
const PREFACE = 'HPE_PAUSED_H2_UPGRADE';

/** What a client can do wrong before its request is one; the others are bad requests. Node answers so by itself. */
const STATUS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

interface ClientError extends Error {
  readonly code?: string;
  /** The bytes that were not understood. */
  readonly rawPacket?: Buffer;
}

/**
 * Serves clients that speak HTTP/2 without TLS from their first byte, as AWS's SDK for JavaScript does with Bedrock.
 * Everybody else pays nothing: Node's parser of HTTP/1 stops at the preface, and only then is HTTP/2 loaded.
 */
export function acceptHttp2(server: Server, listener: RequestListener): void {
  const sessions = new Set<ServerHttp2Session>();
  let opening: Promise<Http2Server> | undefined;
  server.on('clientError', (error: ClientError, socket: Socket) => {
    if (error.code !== PREFACE || !error.rawPacket) return refuse(error, socket);
    const connection = handedOver(socket, error.rawPacket);
    opening ??= openHttp2(server, listener, sessions);
    void opening.then((http2) => http2.emit('connection', connection));
  });
  const { closeIdleConnections, closeAllConnections } = server;
  server.closeIdleConnections = () => {
    closeIdleConnections.call(server);
    for (const session of sessions) session.close();
  };
  server.closeAllConnections = () => {
    closeAllConnections.call(server);
    for (const session of sessions) session.destroy();
  };
}

/** What node's types say of its compatibility API, and the API itself leaves out. */
const LEFT_OUT: PropertyDescriptorMap & ThisType<Http2ServerResponse> = {
  destroyed: {
    get() {
      return this.stream.destroyed;
    },
  },
  writableNeedDrain: {
    get() {
      return this.stream.writableNeedDrain;
    },
  },
};

async function openHttp2(
  { keepAliveTimeout, requestTimeout }: Server,
  listener: RequestListener,
  sessions: Set<ServerHttp2Session>,
): Promise<Http2Server> {
  const { createServer, Http2ServerResponse: Plain } = await import('node:http2');
  class Answer extends Plain {}
  Object.defineProperties(Answer.prototype, LEFT_OUT);
  const http2 = createServer({ Http2ServerResponse: Answer }, (request, response) => {
    request.headers.host ??= request.authority;
    // a stream that its client gave up stays open while writes wait for a window that never opens
    request.on('aborted', () => request.stream.destroy());
    endUnlessComplete(request, requestTimeout);
    // with what stands above, the compatibility API has what our routes use of both
    listener(asIncoming(request), asResponse(response));
  });
  http2.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    closeOnceIdle(session, keepAliveTimeout);
  });
  return http2;
}

/** A client that keeps its request to itself holds a stream no longer than HTTP/1's server lets it hold a connection. */
function endUnlessComplete(request: Http2ServerRequest, afterMs: number): void {
  const timer = setTimeout(() => {
    const { stream } = request;
    // `complete` would say whether somebody has read the request
    if (!stream.destroyed && stream.state.remoteClose !== 1) stream.destroy();
  }, afterMs);
  request.on('close', () => clearTimeout(timer));
}

/** Says goodbye to a connection that nobody has asked anything on for a while; answers under way are no such while. */
function closeOnceIdle(session: ServerHttp2Session, afterMs: number): void {
  let open = 0;
  const startTimer = () => setTimeout(() => session.close(), afterMs);
  let timer = startTimer();
  session.on('stream', (stream) => {
    open += 1;
    clearTimeout(timer);
    stream.on('close', () => {
      open -= 1;
      if (open === 0 && !session.closed) timer = startTimer();
    });
  });
  session.on('close', () => clearTimeout(timer));
}

const asIncoming = (request: Http2ServerRequest): IncomingMessage => request as unknown as IncomingMessage;

const asResponse = (response: Http2ServerResponse) =>
  response as unknown as ServerResponse<IncomingMessage> & { req: IncomingMessage };

/** The connection as a stream that begins with what was already read; the socket itself stays with HTTP/1's server. */
function handedOver(socket: Socket, first: Buffer): Duplex {
  for (const event of ['data', 'end', 'error', 'close', 'drain', 'timeout']) socket.removeAllListeners(event);
  const connection = new Duplex({
    read: () => void socket.resume(),
    write: (piece, encoding, done) => void socket.write(piece, encoding, done),
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  connection.push(first);
  socket.on('data', (piece) => {
    if (!connection.push(piece)) socket.pause();
  });
  socket.on('end', () => connection.push(null));
  socket.on('error', (error) => connection.destroy(error));
  socket.on('close', () => connection.destroy());
  return connection;
}

function refuse({ code = '' }: ClientError, socket: Socket): void {
  if (socket.writable && code !== 'ECONNRESET') {
    socket.write(`HTTP/1.1 ${ownValue(STATUS, code) ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`);
  }
  socket.destroy();
}
