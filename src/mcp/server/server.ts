import { AbortPool } from '../../model/abort-pool.ts';
import type { Caller } from '../../model/call.ts';
import { asGatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import type { CatalogTool, ToolCallRequest, ToolProgress, ToolResult } from '../contract.ts';
import {
  errorText,
  type IncomingNotification,
  type IncomingRequest,
  type JsonRpcId,
  notificationText,
  RPC_CODE,
  resultText,
} from './json-rpc.ts';
import { Listing } from './listing.ts';
import { initializeResult, negotiatedVersion } from './protocol.ts';
import { type Session, type SessionLimits, Sessions } from './sessions.ts';

/** Where the tools come from: the manager of the MCP clients. */
export interface ToolSource {
  visibleTools(caller: Caller): readonly CatalogTool[];
  /**
   * Rejects with a GatewayError when the tool may not be called or could not be reached. The signal is the call's only
   * until it has ended.
   */
  call(request: ToolCallRequest): Promise<ToolResult>;
  /** Calls `listener` after each change of the catalog, until the returned function is called. */
  onChange(listener: () => void): () => void;
}

export interface McpServerOptions {
  readonly tools: ToolSource;
  readonly version: string;
  /** The name that a tool is listed and called by; `<client>-<tool>` when absent. */
  readonly expose?: (tool: CatalogTool) => string;
  readonly sessions?: Partial<SessionLimits>;
}

/** One HTTP request's side of a conversation. */
export interface Exchange {
  readonly caller: Caller;
  readonly session: Session | undefined;
  /** What runs for this request; whoever holds the connection aborts it when the client leaves. */
  readonly calls: Set<AbortController>;
  /** Sends a notification ahead of the answer; absent when the client takes nothing but the answer. */
  readonly notify?: ((message: string) => void) | undefined;
}

const METHODS: ReadonlySet<string> = new Set(['initialize', 'ping', 'tools/list', 'tools/call']);

/** The gateway as an MCP server, written by hand: no object graph for each request, one JSON text for each answer. */
export class McpServer {
  readonly sessions: Sessions;
  readonly #options: McpServerOptions;
  readonly #listing: Listing;
  readonly #aborts = new AbortPool();
  readonly #stopWatching: () => void;

  constructor(options: McpServerOptions) {
    this.#options = options;
    this.#listing = new Listing(options.expose ?? ((tool) => tool.name));
    this.sessions = new Sessions(options.sessions);
    this.#stopWatching = options.tools.onChange(() =>
      this.sessions.notifyAll(notificationText('notifications/tools/list_changed')),
    );
  }

  close(): void {
    this.#stopWatching();
    this.sessions.close();
  }

  knows(method: string): boolean {
    return METHODS.has(method);
  }

  initialize(request: IncomingRequest): { readonly session: Session; readonly answer: string } {
    const version = negotiatedVersion(request.params.protocolVersion);
    const result = initializeResult(version, this.#options.version);
    return { session: this.sessions.open(), answer: resultText(request.id, JSON.stringify(result)) };
  }

  /** The answer to a request, or undefined when the client cancelled it and waits no longer. */
  async answer(request: IncomingRequest, exchange: Exchange): Promise<string | undefined> {
    switch (request.method) {
      case 'tools/call':
        return this.#call(request, exchange);
      case 'tools/list':
        return this.#list(request, exchange);
      case 'ping':
        return resultText(request.id, '{}');
      case 'initialize':
        return errorText(request.id, RPC_CODE.invalidRequest, 'initialize must be sent on its own, not in a batch');
      default:
        return errorText(request.id, RPC_CODE.methodNotFound, `Method not found: ${request.method}`);
    }
  }

  accept(notification: IncomingNotification, session: Session | undefined): void {
    const { requestId } = notification.params;
    if (notification.method !== 'notifications/cancelled') return;
    if (typeof requestId === 'string' || typeof requestId === 'number') session?.cancel(requestId);
  }

  #list({ id, params }: IncomingRequest, { caller }: Exchange): string {
    if (params.cursor) return errorText(id, RPC_CODE.invalidParams, 'the tools are one page: no cursor was handed out');
    return resultText(id, this.#listing.textOf(this.#options.tools.visibleTools(caller)));
  }

  async #call(request: IncomingRequest, exchange: Exchange): Promise<string | undefined> {
    const { id, params } = request;
    const { name } = params;
    const input = params.arguments ?? {};
    if (typeof name !== 'string') return errorText(id, RPC_CODE.invalidParams, 'params.name must be a string');
    if (!isObject(input)) return errorText(id, RPC_CODE.invalidParams, 'params.arguments must be an object');
    const call = this.#aborts.take();
    const ended = exchange.session?.started(id, call);
    exchange.calls.add(call);
    try {
      const toolCall = this.#toolCallOf(name, input, params._meta, call.signal, exchange);
      return resultText(id, JSON.stringify(await this.#options.tools.call(toolCall)));
    } catch (thrown) {
      return call.signal.aborted ? undefined : resultText(id, failureText(thrown));
    } finally {
      exchange.calls.delete(call);
      ended?.();
      this.#aborts.giveBack(call);
    }
  }

  #toolCallOf(
    name: string,
    input: JsonObject,
    meta: unknown,
    signal: AbortSignal,
    exchange: Exchange,
  ): ToolCallRequest {
    const { caller, notify } = exchange;
    const request = { name: this.#catalogName(name, caller), arguments: input, caller, signal };
    if (!isObject(meta)) return request;
    const { progressToken, ...rest } = meta;
    const wantsProgress = typeof progressToken === 'string' || typeof progressToken === 'number';
    return {
      ...request,
      ...(Object.keys(rest).length > 0 && { meta: rest }),
      ...(wantsProgress &&
        notify && { onProgress: (progress: ToolProgress) => notify(progressText(progressToken, progress)) }),
    };
  }

  #catalogName(name: string, caller: Caller): string {
    const { expose, tools } = this.#options;
    if (!expose) return name;
    return tools.visibleTools(caller).find((tool) => expose(tool) === name)?.name ?? name;
  }
}

const progressText = (progressToken: JsonRpcId, progress: ToolProgress): string =>
  notificationText('notifications/progress', { progressToken, ...progress });

/** A failed call is a result that the model reads, so that it can do something else (Bifrost's wording). */
const failureText = (thrown: unknown): string =>
  JSON.stringify({
    content: [{ type: 'text', text: `Tool execution failed: ${asGatewayError(thrown).message}` }],
    isError: true,
  });
