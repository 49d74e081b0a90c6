import { SSEClientTransport, SseError } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  ErrorCode,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type RequestId,
} from '@modelcontextprotocol/sdk/types.js';
import { deliver, type GatewayTransport } from './gateway-transport.ts';
import { HttpExchanges } from './http-exchanges.ts';
import type { Flight } from './peer.ts';
import { settlesWithin } from './timing.ts';

export interface HttpOptions {
  readonly url: URL;
  readonly type: 'http' | 'sse';
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: FetchLike;
  /** How long the server may take to hear that the session is over. */
  readonly graceMs: number;
}

/** The SDK's stream of server messages (GET) is tried this often after it was cut; health checks are the backstop. */
const RECONNECTION = {
  initialReconnectionDelay: 1_000,
  maxReconnectionDelay: 30_000,
  reconnectionDelayGrowFactor: 2,
  maxRetries: 5,
};

/** An MCP server over HTTP, streamable or SSE: the SDK's transport, with headers and an end for each request of its own. */
export class HttpTransport implements GatewayTransport {
  onmessage?: NonNullable<GatewayTransport['onmessage']>;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  readonly stderr: readonly string[] = [];
  onserver?: GatewayTransport['onserver'];
  readonly #inner: StreamableHTTPClientTransport | SSEClientTransport;
  readonly #exchanges: HttpExchanges;
  readonly #graceMs: number;
  #started = false;
  #closed = false;
  #endReason: string | undefined;

  constructor({ url, type, headers, fetch, graceMs }: HttpOptions) {
    this.#exchanges = new HttpExchanges(fetch, {
      lost: (id, reason) => this.#lost(id, reason),
      caused: (message, origin) => deliver(this, message, origin),
    });
    const options = { fetch: this.#exchanges.fetch, requestInit: { headers: { ...headers } } };
    this.#inner =
      type === 'sse'
        ? new SSEClientTransport(url, options)
        : new StreamableHTTPClientTransport(url, { ...options, reconnectionOptions: RECONNECTION });
    this.#graceMs = graceMs;
    this.#inner.onmessage = (message) => this.#receive(message);
    this.#inner.onerror = (error) => this.#failed(error);
  }

  get hasSession(): boolean {
    return this.#inner instanceof SSEClientTransport ? this.#started : this.#inner.sessionId !== undefined;
  }

  /** Streamable HTTP sends what a call caused on the stream of its answer. */
  get tellsOrigins(): boolean {
    return this.#inner instanceof StreamableHTTPClientTransport;
  }

  get endReason(): string | undefined {
    return this.#endReason;
  }

  async start(): Promise<void> {
    await this.#inner.start();
    this.#started = true;
  }

  setProtocolVersion(version: string): void {
    this.#inner.setProtocolVersion(version);
  }

  send(message: JSONRPCMessage): Promise<void> {
    if (!('method' in message) || !('id' in message)) return this.#sendNotice(message);
    return this.request(message, { id: message.id, headers: {}, origin: undefined });
  }

  async request(message: JSONRPCRequest, flight: Flight): Promise<void> {
    const { id } = message;
    this.#exchanges.begin(id, flight);
    try {
      await this.#post(message, () => this.#exchanges.resumable(id));
    } catch (thrown) {
      this.#exchanges.failed(id);
      throw unreadable(thrown);
    }
    this.#exchanges.sent(id, this.#inner instanceof SSEClientTransport);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#endReason ??= 'the connection was closed';
    if (this.#inner instanceof StreamableHTTPClientTransport) await this.#endSession(this.#inner);
    this.#exchanges.cancelAll();
    await this.#inner.close();
    this.onclose?.();
  }

  #post(message: JSONRPCMessage, onEventId?: () => void): Promise<void> {
    if (this.#inner instanceof SSEClientTransport) return this.#inner.send(message);
    return this.#inner.send(message, onEventId && { onresumptiontoken: onEventId });
  }

  /** Notifications and answers. A cancelled request's own exchange ends once the server was told. */
  async #sendNotice(message: JSONRPCMessage): Promise<void> {
    const cancelled = 'method' in message && message.method === 'notifications/cancelled' && message.params?.requestId;
    try {
      await this.#post(message);
    } finally {
      if (typeof cancelled === 'number') this.#exchanges.cancel(cancelled);
    }
  }

  async #endSession(inner: StreamableHTTPClientTransport): Promise<void> {
    // A server that does not answer, or does not know the session any more, is no reason to stay.
    const ended = inner.terminateSession().catch(() => undefined);
    await settlesWithin(ended, this.#graceMs);
  }

  #receive(message: JSONRPCMessage): void {
    if ('id' in message && message.id !== undefined && !('method' in message)) this.#exchanges.answered(message.id);
    deliver(this, message);
  }

  /** Tells the SDK that no answer will come, in the only words it knows. */
  #lost(id: RequestId, reason: string): void {
    this.onmessage?.({ jsonrpc: '2.0', id, error: { code: ErrorCode.ConnectionClosed, message: reason } });
  }

  #failed(error: Error): void {
    // An aborted POST is a cancelled call, and its caller knows.
    if (!this.#closed && error.name !== 'AbortError') this.onerror?.(error);
    // The SDK would connect again by itself, to a session that nobody has initialised.
    if (error instanceof SseError && this.#started && !this.#closed) {
      this.#endReason ??= `the event stream ended (${error.message})`;
      void this.close();
    }
  }
}

/** The SDK says of an answer that is none what its parsers say, which tells nobody what happened. */
function unreadable(thrown: unknown): unknown {
  if (thrown instanceof SyntaxError) return new Error("the server's answer is not JSON", { cause: thrown });
  if (thrown instanceof Error && thrown.name === 'ZodError') return new Error("the server's answer is not JSON-RPC");
  return thrown;
}
