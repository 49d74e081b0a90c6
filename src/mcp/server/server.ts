import { AbortPool } from '../../model/abort-pool.ts';
import type { Caller } from '../../model/call.ts';
import { asGatewayError, type GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import type { CatalogTool, ToolCallRequest, ToolProgress, ToolResult } from '../contract.ts';
import type { LargeResults } from '../results/large-results.ts';
import { isResultUri, withResultLink } from '../results/result-link.ts';
import { rpcErrorIn } from '../rpc-failure.ts';
import type { Exchange } from './exchange.ts';
import { endedText, errorTextOf, failureText, refusalText } from './failure-texts.ts';
import { Features } from './features.ts';
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
import { Offered } from './offered.ts';
import { jointCapabilities, ownCapabilities } from './presented.ts';
import { initializeResult, negotiatedVersion } from './protocol.ts';
import { notifyOf } from './said.ts';
import { type Session, type SessionLimits, Sessions, sessionOwner } from './sessions.ts';
import type { Servers } from './source.ts';

/** Where the tools come from: the manager of the MCP clients. */
export interface ToolSource {
  visibleTools(caller: Caller): readonly CatalogTool[];
  /** What a caller is given in place of what it may see, where that is not the same. */
  offeredTools?(caller: Caller): readonly CatalogTool[];
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
  /** Results that were too large to be given whole. */
  readonly results?: Pick<LargeResults, 'resource'>;
  /** What there is beside tools; nothing when absent. */
  readonly servers?: Servers;
  /** A chosen set of tools at an address of its own; undefined when there is none of this name. */
  readonly virtual?: (slug: string, caller: Caller) => VirtualServer | undefined;
  /** Calls `listener` when what those choose changed, which keys may have, too. */
  readonly onVirtualChange?: (listener: () => void) => () => void;
}

export interface VirtualServer {
  readonly name: string;
  readonly instructions?: string | undefined;
  /** The caller, narrowed to what was chosen. */
  readonly caller: Caller;
}

/** What one address under /mcp serves to one caller. */
export interface Entrance {
  readonly caller: Caller;
  /** The one client whose address it is, under its own names; undefined where there may be several. */
  readonly scope: string | undefined;
  readonly virtual?: VirtualServer | undefined;
}

const NOT_IN_BATCH = 'initialize must be sent on its own, not in a batch';

const METHODS: ReadonlySet<string> = new Set(['initialize', 'ping', 'tools/list', 'tools/call']);

/** The gateway as an MCP server, written by hand: no object graph for each request, one JSON text for each answer. */
export class McpServer {
  readonly sessions: Sessions;
  readonly #options: McpServerOptions;
  readonly #listing: Listing;
  readonly #ownListing: Listing;
  readonly #aborts = new AbortPool();
  readonly #features: Features | undefined;
  /** The tools of one client out of everything that a caller sees. */
  readonly #own = new WeakMap<readonly CatalogTool[], Map<string, readonly CatalogTool[]>>();
  /** Asked at each call of the newer era, whose lists may hold thousands. */
  readonly #byName = new WeakMap<readonly CatalogTool[], ReadonlyMap<string, CatalogTool>>();
  readonly #stopWatching: (() => void)[];

  constructor(options: McpServerOptions) {
    this.#options = options;
    this.#listing = new Listing(options.expose ?? ((tool) => tool.name));
    const { servers } = options;
    this.sessions = new Sessions({ ...options.sessions, ended: (session) => servers?.forget(session) });
    this.#features = servers && new Features(servers, this.sessions);
    this.#ownListing = new Listing((tool) => tool.upstreamName);
    const changed = notificationText('notifications/tools/list_changed');
    const tellAll = () => this.sessions.notifyAll(changed);
    this.#stopWatching = [options.tools.onChange(tellAll)];
    if (options.onVirtualChange) this.#stopWatching.push(options.onVirtualChange(tellAll));
    if (servers) this.#stopWatching.push(servers.onSaid(notifyOf(this.sessions)));
  }

  /** What /mcp/<slug>, or /mcp itself, is for this caller; undefined when that is nothing. */
  enter(slug: string | undefined, caller: Caller): Entrance | undefined {
    if (slug === undefined) return { caller, scope: undefined };
    const virtual = this.#options.virtual?.(slug, caller);
    if (virtual) return { caller: virtual.caller, scope: undefined, virtual };
    const server = this.#options.servers?.bySlug(slug, caller);
    return server && { caller, scope: server.name };
  }

  close(): void {
    for (const stop of this.#stopWatching) stop();
    this.sessions.close();
  }

  /** Ends what runs; whoever asked for it is told why. */
  endCalls(why: GatewayError): void {
    this.#aborts.abortAll(why);
  }

  knows(method: string): boolean {
    return METHODS.has(method) || this.#features?.knows(method) === true;
  }

  initialize(
    request: IncomingRequest,
    entrance: Entrance,
    slug: string | undefined,
  ): { readonly session: Session; readonly answer: string } {
    const { protocolVersion, capabilities } = request.params;
    const version = negotiatedVersion(protocolVersion);
    const session = this.sessions.open({
      slug,
      scope: entrance.scope,
      version,
      capabilities: isObject(capabilities) ? capabilities : {},
      owner: sessionOwner(entrance.caller),
    });
    const result = this.presentation(entrance, version);
    return { session, answer: resultText(request.id, JSON.stringify(result)) };
  }

  /** The answer to a request, or undefined when the client cancelled it and waits no longer. */
  answer(request: IncomingRequest, exchange: Exchange): Promise<string | undefined> {
    switch (request.method) {
      case 'tools/call':
        return this.#call(request, exchange);
      case 'tools/list':
        return Promise.resolve(this.#list(request, exchange));
      case 'ping':
        return Promise.resolve(resultText(request.id, '{}'));
      case 'initialize':
        return Promise.resolve(errorText(request.id, RPC_CODE.invalidRequest, NOT_IN_BATCH));
      case 'resources/read':
        return isResultUri(request.params.uri) ? this.#readKept(request, exchange) : this.#feature(request, exchange);
      default:
        return this.#feature(request, exchange);
    }
  }

  accept({ method, params }: IncomingNotification, exchange: Exchange): void {
    const { requestId } = params;
    if (method === 'notifications/cancelled') {
      if (typeof requestId === 'string' || typeof requestId === 'number') exchange.session?.cancel(requestId);
    } else if (method !== 'notifications/initialized') {
      this.#options.servers?.tell(exchange, { method, params });
    }
  }

  /** What `initialize` is answered with at this address. */
  presentation({ caller, scope, virtual }: Entrance, version = negotiatedVersion(undefined)): JsonObject {
    const servers = this.#options.servers?.visible(caller) ?? [];
    const own = scope === undefined ? undefined : servers.find(({ name }) => name === scope);
    const capabilities = own ? ownCapabilities(own) : jointCapabilities(servers);
    const result = initializeResult(version, this.#options.version, capabilities);
    const instructions = own ? own.instructions : virtual?.instructions;
    return {
      ...result,
      ...(own?.info && { serverInfo: own.info }),
      ...(virtual && { serverInfo: { name: virtual.name, version: this.#options.version } }),
      ...(instructions !== undefined && { instructions }),
    };
  }

  #list({ id, params }: IncomingRequest, exchange: Exchange): string {
    const { caller, scope } = exchange;
    if (params.cursor) return errorText(id, RPC_CODE.invalidParams, 'the tools are one page: no cursor was handed out');
    const { tools } = this.#options;
    if (scope === undefined) {
      return resultText(id, this.#listing.textOf(tools.offeredTools?.(caller) ?? tools.visibleTools(caller)));
    }
    const own = this.#options.servers?.ownTools(exchange, scope, caller);
    const listed = own ?? this.#ownTools(tools.visibleTools(caller), scope);
    return resultText(id, this.#ownListing.textOf(listed));
  }

  #ownTools(visible: readonly CatalogTool[], scope: string): readonly CatalogTool[] {
    const known = this.#own.get(visible) ?? new Map<string, readonly CatalogTool[]>();
    this.#own.set(visible, known);
    const tools = known.get(scope) ?? visible.filter(({ clientName }) => clientName === scope);
    known.set(scope, tools);
    return tools;
  }

  /** A tool result that was too large, as the resource that it is linked as. */
  async #readKept({ id, params }: IncomingRequest, { caller }: Exchange): Promise<string> {
    const { uri } = params;
    try {
      const kept = await this.#options.results?.resource(String(uri), caller);
      if (kept) return resultText(id, JSON.stringify(kept));
    } catch (thrown) {
      return errorText(id, RPC_CODE.resourceNotFound, asGatewayError(thrown).message, { uri: String(uri) });
    }
    return errorText(id, RPC_CODE.resourceNotFound, `Resource not found: ${String(uri)}`, { uri: String(uri) });
  }

  /** Everything beside tools. */
  async #feature(request: IncomingRequest, exchange: Exchange): Promise<string | undefined> {
    const { id, method, params } = request;
    if (!this.#features) return errorText(id, RPC_CODE.methodNotFound, `Method not found: ${method}`);
    const call = this.#aborts.take();
    exchange.session?.started(id, call);
    exchange.calls.add(call);
    try {
      const onProgress = progressTo(exchange, params._meta);
      const result = await this.#features.answer(request, exchange, call.signal, onProgress);
      return resultText(id, JSON.stringify(result));
    } catch (thrown) {
      return call.signal.aborted ? endedText(id, call.signal) : refusalText(id, thrown);
    } finally {
      exchange.calls.delete(call);
      exchange.session?.ended(call);
      this.#aborts.giveBack(call);
    }
  }

  async #call(request: IncomingRequest, exchange: Exchange): Promise<string | undefined> {
    const { id, params } = request;
    const { name } = params;
    const input = params.arguments ?? {};
    if (typeof name !== 'string') return errorText(id, RPC_CODE.invalidParams, 'params.name must be a string');
    if (!isObject(input)) return errorText(id, RPC_CODE.invalidParams, 'params.arguments must be an object');
    const call = this.#aborts.take();
    exchange.session?.started(id, call);
    exchange.calls.add(call);
    try {
      const toolCall = this.#toolCallOf(name, input, params._meta, call.signal, exchange);
      const result = await this.#options.tools.call(toolCall);
      const told = linksOf(result) ? await this.#leadingBack(result, toolCall) : result;
      return resultText(id, JSON.stringify(withResultLink(told, exchange.session?.facts.version)));
    } catch (thrown) {
      return call.signal.aborted ? endedText(id, call.signal) : this.#failed(id, thrown, name, exchange);
    } finally {
      exchange.calls.delete(call);
      exchange.session?.ended(call);
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
    const { caller } = exchange;
    const request = { name: this.#catalogName(name, exchange), arguments: input, caller, signal, peer: exchange };
    if (!isObject(meta)) return request;
    const { progressToken: _, ...rest } = meta;
    const onProgress = progressTo(exchange, meta);
    return { ...request, ...(Object.keys(rest).length > 0 && { meta: rest }), ...(onProgress && { onProgress }) };
  }

  async #leadingBack(result: ToolResult, { name, peer, caller }: ToolCallRequest): Promise<ToolResult> {
    const { servers } = this.#options;
    const client = name.slice(0, name.indexOf('-'));
    if (!servers || peer?.scope !== undefined) return result;
    const content = await new Offered(servers, undefined, caller).leadingBack(client, result.content);
    // blocks stay blocks
    return { ...result, content: content as ToolResult['content'] };
  }

  /** A failed call is a result that the model reads; a server's own refusal stays one at the server's own address. */
  #failed(id: JsonRpcId, thrown: unknown, name: string, exchange: Exchange): string {
    const error = rpcErrorIn(thrown);
    if (error?.code === RPC_CODE.urlElicitationRequired) {
      this.#options.servers?.noteElicitations(this.#clientOf(name, exchange), error.data, exchange);
      return errorTextOf(id, error);
    }
    return error && exchange.scope !== undefined ? errorTextOf(id, error) : resultText(id, failureText(thrown));
  }

  #clientOf(name: string, exchange: Exchange): string {
    const catalogName = this.#catalogName(name, exchange);
    return catalogName.slice(0, catalogName.indexOf('-'));
  }

  /** The input schema of a tool by the name it has at this address; undefined when the caller sees none. */
  schemaOf(name: string, entrance: Entrance): JsonObject | undefined {
    const catalogName = this.#catalogName(name, entrance);
    const visible = this.#options.tools.visibleTools(entrance.caller);
    let known = this.#byName.get(visible);
    if (!known) {
      known = new Map(visible.map((tool) => [tool.name, tool]));
      this.#byName.set(visible, known);
    }
    return known.get(catalogName)?.inputSchema;
  }

  #catalogName(name: string, { caller, scope }: Pick<Exchange, 'caller' | 'scope'>): string {
    if (scope !== undefined) return `${scope}-${name}`;
    const { expose, tools } = this.#options;
    if (!expose) return name;
    return tools.visibleTools(caller).find((tool) => expose(tool) === name)?.name ?? name;
  }
}

/** Only results with resources in them are looked into: nearly all have none. */
const linksOf = ({ content }: ToolResult): boolean =>
  content.some(({ type }) => type === 'resource' || type === 'resource_link');

function progressTo({ notify }: Exchange, meta: unknown): ((progress: ToolProgress) => void) | undefined {
  const token = isObject(meta) ? meta.progressToken : undefined;
  if (!notify || (typeof token !== 'string' && typeof token !== 'number')) return undefined;
  return (progress) => notify(progressText(token, progress));
}

const progressText = (progressToken: JsonRpcId, progress: ToolProgress): string =>
  notificationText('notifications/progress', { progressToken, ...progress });
