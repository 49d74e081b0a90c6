import {
  ErrorCode,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type RequestId,
} from '@modelcontextprotocol/sdk/types.js';
import type { OpenApiConfig } from '../../config/openapi-section.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { guardedFetch } from '../address-guard.ts';
import { reasonOf } from '../failures.ts';
import { deliver, type GatewayTransport } from '../gateway-transport.ts';
import type { ClosableFetch } from '../light-fetch.ts';
import type { Flight } from '../peer.ts';
import { ArgumentFault, requestOf } from './request.ts';
import { resultOf } from './response.ts';
import { securedBy } from './security.ts';
import { addressRulesOf, baseOf, readSource } from './source.ts';
import { type OperationTool, toolsOfDocument } from './tools.ts';

export interface OpenApiOptions {
  readonly clientName: string;
  readonly config: OpenApiConfig;
  /** Sent with every call; what the document asks credentials for goes above them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly cwd: string;
}

interface Api {
  readonly document: JsonObject;
  readonly tools: ReadonlyMap<string, OperationTool>;
}

const NO_HEADERS: Readonly<Record<string, string>> = {};
const METHOD_NOT_FOUND: number = ErrorCode.MethodNotFound;

/** An API behind an OpenAPI document, as an MCP server inside the gateway: its operations are its tools. */
export class OpenApiTransport implements GatewayTransport {
  onmessage?: NonNullable<GatewayTransport['onmessage']>;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onserver?: GatewayTransport['onserver'];
  readonly stderr: readonly string[] = [];
  readonly hasSession = false;
  readonly tellsOrigins = true;
  readonly #options: OpenApiOptions;
  readonly #http: ClosableFetch;
  readonly #calls = new Map<RequestId, AbortController>();
  #api: Api | undefined;
  /** The document was read by `start` and nobody has listed its tools yet. */
  #isFresh = false;
  #closed = false;

  constructor(options: OpenApiOptions) {
    this.#options = options;
    this.#http = guardedFetch(addressRulesOf(options.config));
  }

  async start(): Promise<void> {
    await this.#read();
    this.#isFresh = true;
  }

  async request({ id, method, params }: JSONRPCRequest, { headers }: Pick<Flight, 'headers'>): Promise<void> {
    // The answer comes as a message, as from every other server; the sender does not wait for it here.
    void this.#answer(id, method, isObject(params) ? params : {}, headers);
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (!('method' in message)) return;
    if ('id' in message) return this.request(message, { headers: NO_HEADERS });
    const cancelled = message.method === 'notifications/cancelled' ? message.params?.requestId : undefined;
    if (typeof cancelled === 'string' || typeof cancelled === 'number') this.#calls.get(cancelled)?.abort();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const call of this.#calls.values()) call.abort();
    await this.#http.close();
    this.onclose?.();
  }

  async #answer(id: RequestId, method: string, params: JsonObject, headers: Readonly<Record<string, string>>) {
    const call = new AbortController();
    this.#calls.set(id, call);
    try {
      const result = await this.#resultOf(method, params, headers, call.signal);
      if (result) this.#deliver({ jsonrpc: '2.0', id, result });
      else {
        const error = { code: METHOD_NOT_FOUND, message: `an OpenAPI server has no ${method}` };
        this.#deliver({ jsonrpc: '2.0', id, error });
      }
    } catch (thrown) {
      const error = { code: ErrorCode.InternalError as number, message: reasonOf(thrown) };
      if (!call.signal.aborted) this.#deliver({ jsonrpc: '2.0', id, error });
    } finally {
      this.#calls.delete(id);
    }
  }

  #deliver(message: JSONRPCMessage): void {
    if (!this.#closed) deliver(this, message);
  }

  async #resultOf(
    method: string,
    params: JsonObject,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<JsonObject | undefined> {
    switch (method) {
      case 'initialize':
        return this.#initialized(params);
      case 'ping':
        return {};
      case 'tools/list':
        return { tools: await this.#listed() };
      case 'tools/call':
        return this.#called(params, headers, signal);
      default:
        return undefined;
    }
  }

  #initialized({ protocolVersion }: JsonObject): JsonObject {
    const { info } = this.#api?.document ?? {};
    const told = isObject(info) ? info : {};
    const named = (value: unknown, otherwise: string) =>
      typeof value === 'string' && value !== '' ? value : otherwise;
    return {
      protocolVersion,
      capabilities: { tools: {} },
      serverInfo: { name: named(told.title, this.#options.clientName), version: named(told.version, '1.0.0') },
      ...(typeof told.description === 'string' && { instructions: told.description }),
    };
  }

  async #listed(): Promise<JsonObject[]> {
    if (!this.#isFresh) await this.#read();
    this.#isFresh = false;
    return [...(this.#api?.tools.values() ?? [])].map(({ definition }) => definition);
  }

  async #read(): Promise<void> {
    const { config, clientName, cwd } = this.#options;
    const { document } = await readSource(config, { cwd, fetch: this.#http.fetch });
    const { tools } = toolsOfDocument(document, { clientName, includeDeprecated: config.include_deprecated });
    for (const { operation } of tools.slice(0, 1)) baseOf(config, operation.servers);
    this.#api = { document, tools: new Map(tools.map((tool) => [tool.name, tool])) };
  }

  async #called(
    { name, arguments: args }: JsonObject,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<JsonObject> {
    const tool = this.#api?.tools.get(String(name));
    if (!tool || !this.#api) return failed(`there is no operation '${String(name)}'`);
    const { config } = this.#options;
    try {
      const secured = securedBy(tool.operation.security, this.#api.document, config.security_credentials);
      const base = baseOf(config, tool.operation.servers);
      const { url, method, body, headers: own } = requestOf(tool, isObject(args) ? args : {}, base, secured);
      const response = await this.#http.fetch(url, {
        method,
        headers: { ...lowerCase(this.#options.headers), ...headers, ...own },
        ...(body !== undefined && { body }),
        // A redirect would carry keys to wherever the API says.
        redirect: 'manual',
        signal,
      });
      return await resultOf(response, config.max_response_bytes);
    } catch (thrown) {
      if (thrown instanceof ArgumentFault) return failed(thrown.message);
      throw thrown;
    }
  }
}

const failed = (text: string): JsonObject => ({ content: [{ type: 'text', text }], isError: true });

const lowerCase = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
