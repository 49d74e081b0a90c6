import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { type ClientCapabilities, ErrorCode, type JSONRPCMessage, McpError } from '@modelcontextprotocol/sdk/types.js';
import type { JsonSchemaValidator, jsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/types.js';
import { isObject, type JsonObject } from '../model/json.ts';
import type { GatewayTransport, ServerMessage } from './gateway-transport.ts';
import { OpenRequests, type SessionRequest } from './open-requests.ts';
import type { Origin, PeerEvents, RpcMessage } from './peer.ts';
import { paramsOf, ServerRequests } from './server-requests.ts';
import { settlesWithin } from './timing.ts';

export interface SessionEvents {
  /** The connection is gone, by our doing or not. Called once, after `openSession` gave the session. */
  onClosed(): void;
  onToolsChanged(): void;
  /** Trouble outside any request, such as the event stream of an HTTP server. */
  onTrouble(error: Error): void;
  /** What the server asks and says beside that; a session without it declares no client capabilities. */
  readonly peers?: PeerEvents | undefined;
  /** What the server may ask of its clients; everything when absent, as one session serves many of them. */
  readonly capabilities?: ClientCapabilities | undefined;
}

/** One session serves every client, so it declares what any of them may have; who cannot do it says so when asked. */
const EVERYTHING: ClientCapabilities = {
  sampling: { context: {}, tools: {} },
  elicitation: { form: {}, url: {} },
  roots: { listChanged: true },
};

const MAX_PAGES = 1_000;
const STDERR_IN_REASON = 3;

/** The SDK would compile a validator for each output schema (and keep it); results are the caller's to judge. */
const noValidation: jsonSchemaValidator = {
  getValidator<T>(): JsonSchemaValidator<T> {
    return (input) => ({ valid: true, data: input as T, errorMessage: undefined });
  },
};

/** One initialised connection to one MCP server. It does not come back: after `onClosed` a new one is dialled. */
export class Session {
  readonly openedAtMs = performance.now();
  readonly #client: Client;
  readonly #transport: GatewayTransport;
  readonly #requests: OpenRequests;
  readonly #serverRequests: ServerRequests;
  readonly #events: SessionEvents;
  #idle: (() => void) | undefined;
  #closed = false;

  constructor(name: string, transport: GatewayTransport, events: SessionEvents) {
    this.#transport = transport;
    this.#events = events;
    const capabilities = events.peers ? (events.capabilities ?? EVERYTHING) : {};
    this.#client = new Client(
      { name: `Bifrost-${name}`, version: '1.0.0' },
      { jsonSchemaValidator: noValidation, capabilities },
    );
    this.#requests = new OpenRequests({
      send: (message, flight) => transport.request(message, flight),
      tellCancelled: (requestId, reason) => this.#tellCancelled(requestId, reason),
      explained: (thrown) => this.explained(thrown),
      idle: () => this.#idle?.(),
    });
    this.#serverRequests = new ServerRequests({
      events: events.peers,
      send: (message) => transport.send(message),
      waiting: (origin) => (origin ? this.#requests.hold(origin) : () => undefined),
    });
    transport.onserver = (message, origin) => this.#receive(message, origin);
    this.#client.onerror = (error) => events.onTrouble(error);
    this.#client.onclose = () => {
      this.#closed = true;
      this.#serverRequests.close();
      events.onClosed();
      this.#requests.close();
    };
  }

  get closed(): boolean {
    return this.#closed;
  }

  get pid(): number | undefined {
    return this.#transport.pid;
  }

  get stderr(): readonly string[] {
    return this.#transport.stderr;
  }

  /** Nothing is asked of the server at the moment. */
  get isIdle(): boolean {
    return this.#requests.size === 0;
  }

  /** Whether what the server asks comes with the call that caused it. */
  get tellsOrigins(): boolean {
    return this.#transport.tellsOrigins;
  }

  /** Whether one connection does for callers that may be asked different things. */
  get isStateless(): boolean {
    return this.#transport.isStateless === true;
  }

  /** Whether a session of the older era is worth asking for beside this one. */
  get mayHaveOlderSessions(): boolean {
    return this.#transport.mayHaveOlderSessions === true;
  }

  get hasSession(): boolean {
    return this.#transport.hasSession;
  }

  get serverInfo(): JsonObject | undefined {
    const info = this.#client.getServerVersion();
    return info && { ...info };
  }

  /** What the server announced; undefined before `open`. */
  get capabilities(): JsonObject | undefined {
    // the SDK parsed it from JSON, and unknown members survive its schema
    return this.#client.getServerCapabilities() as JsonObject | undefined;
  }

  get instructions(): string | undefined {
    return this.#client.getInstructions();
  }

  /** Starts the transport and initialises. Closes everything again when it fails, is late, or `signal` says so. */
  async open(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const stop = () => void this.#transport.close();
    signal.addEventListener('abort', stop, { once: true });
    try {
      signal.throwIfAborted();
      // The SDK's own timeout covers `initialize` but not the start of the transport.
      const connected = this.#client.connect(this.#transport, { timeout: timeoutMs });
      if (!(await settlesWithin(connected, timeoutMs))) {
        throw new Error(`the server did not answer initialize within ${timeoutMs / 1_000} s`);
      }
      // From here on requests are our own: the SDK's would cost more than all else in a call.
      this.#transport.onmessage = (message) => this.#answered(message);
    } catch (thrown) {
      const reason = this.explained(thrown);
      await this.close();
      throw reason;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** The result as the server gave it. Rejects with McpError and what the transports throw, explained. */
  request(request: SessionRequest): Promise<unknown> {
    if (this.#closed) return Promise.reject(this.explained(new Error('Not connected')));
    return this.#requests.ask(request);
  }

  /** Tells the server something. */
  async notify({ method, params }: RpcMessage): Promise<void> {
    await this.#transport.send({ jsonrpc: '2.0', method, params });
  }

  /** A server that does not know `ping` says so, and is alive. */
  async ping(timeoutMs: number): Promise<void> {
    try {
      await this.request({ method: 'ping', timeoutMs });
    } catch (thrown) {
      if (!(thrown instanceof McpError && thrown.code === ErrorCode.MethodNotFound)) throw thrown;
    }
  }

  /** Every page of `tools/list`, unread. A server without tools has none, and is not asked. */
  async listTools(timeoutMs: number): Promise<unknown[]> {
    if (!this.#client.getServerCapabilities()?.tools) return [];
    return this.listAll('tools/list', 'tools', timeoutMs);
  }

  /** Every page of a list, unread. `member`: where its items stand in the result. */
  async listAll(method: string, member: string, timeoutMs: number): Promise<unknown[]> {
    const items: unknown[] = [];
    const cursors = new Set<string>();
    for (let cursor: string | undefined; ; ) {
      const params = cursor === undefined ? {} : { cursor };
      const page = await this.request({ method, params, timeoutMs });
      const listed = isObject(page) ? page[member] : undefined;
      if (!isObject(page) || !Array.isArray(listed)) throw new Error(`${method} gave no list of ${member}`);
      items.push(...listed);
      if (typeof page.nextCursor !== 'string' || page.nextCursor === '') return items;
      cursor = page.nextCursor;
      if (cursors.has(cursor) || cursors.size >= MAX_PAGES)
        throw new Error(`${method} does not end: cursor '${cursor}'`);
      cursors.add(cursor);
    }
  }

  /** Resolves when no request is in flight, at the latest after `withinMs`. */
  async drained(withinMs: number): Promise<void> {
    if (this.isIdle) return;
    const idle = new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
    await settlesWithin(idle, withinMs);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#transport.close();
  }

  /** What the server asks and says: all of it is handled here, so that it keeps the call it belongs to. */
  #receive(message: ServerMessage, told: Origin | undefined): boolean {
    const { method } = message;
    const origin = told ?? this.#soleOrigin();
    if ('id' in message) this.#serverRequests.receive(message, origin);
    else if (method === 'notifications/progress') this.#requests.progressed(paramsOf(message));
    else if (method === 'notifications/cancelled') this.#serverRequests.cancel(message.params?.requestId);
    else {
      if (method === 'notifications/tools/list_changed') this.#events.onToolsChanged();
      this.#events.peers?.onNotification({ method, params: paramsOf(message) }, origin);
    }
    return true;
  }

  /** Who must be meant where nothing says so: one client has calls under way, and nobody else. */
  #soleOrigin(): Origin | undefined {
    let sole: Origin | undefined;
    for (const origin of this.#requests.origins()) {
      if (!origin) continue;
      if (sole && (sole.peer === undefined || sole.peer.identity !== origin.peer?.identity)) return undefined;
      sole = origin;
    }
    return sole;
  }

  #answered(message: JSONRPCMessage): void {
    if (this.#requests.answered(message)) return;
    // what it says may be anybody's content: an answer that came too late is a tool's result
    const id = 'id' in message ? JSON.stringify(message.id) : 'none';
    this.#events.onTrouble(new Error(`the server answered a request that is not open (id ${id})`));
  }

  #tellCancelled(requestId: number, reason: string): void {
    const told = this.notify({ method: 'notifications/cancelled', params: { requestId, reason } });
    told.catch((thrown: unknown) =>
      this.#events.onTrouble(new Error('a cancellation was not sent', { cause: thrown })),
    );
  }

  /** An error about the closed connection says only that; the transport knows why, and stderr often the real reason. */
  explained(thrown: unknown): unknown {
    const { endReason } = this.#transport;
    const isClosed = thrown instanceof McpError && thrown.code === ErrorCode.ConnectionClosed;
    if (!endReason || !(isClosed || (thrown instanceof Error && thrown.message === 'Not connected'))) return thrown;
    // npx speaks of its own updates last, after the reason.
    const lines = this.stderr.filter((line) => !line.startsWith('npm notice'));
    const last = lines.slice(-STDERR_IN_REASON).join(' | ');
    return new Error(last ? `${endReason}; its last words: ${last}` : endReason);
  }
}
