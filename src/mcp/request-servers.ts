import { createHash } from 'node:crypto';
import {
  type McpClientConfig,
  mcpClient,
  type RequestServersConfig,
  type ToolManagerConfig,
} from '../config/schema.ts';
import { GatewayError } from '../model/errors.ts';
import type { JsonObject } from '../model/json.ts';
import { guardedFetch, refuseInside } from './address-guard.ts';
import { Connection } from './connection.ts';
import type { ConnectionOptions } from './connection-options.ts';
import type { ToolCallRequest, ToolResult } from './contract.ts';
import { reasonOf, statusOfFailure } from './failures.ts';
import type { ListedTool } from './listed-tools.ts';
import { cleanedResult } from './safety/scan.ts';
import { REQUEST_SERVER, type ToolSafety } from './safety/tool-safety.ts';
import type { McpLog } from './telling.ts';
import { DEFAULT_TIMING, later, type McpTiming } from './timing.ts';

/** A server as a request names it. */
export interface ServerAddress {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A connected server, for as long as one request uses it. */
export interface OpenServer {
  readonly tools: readonly ListedTool[];
  /** Runs a tool by its upstream name. What the tool itself calls an error is a result; all else throws GatewayError. */
  call(upstreamName: string, request: ToolCallRequest): Promise<ToolResult>;
}

interface Options {
  readonly rules: RequestServersConfig;
  readonly toolManager: ToolManagerConfig;
  readonly log: McpLog;
  /** Without it every tool passes as its server gives it. */
  readonly safety?: ToolSafety | undefined;
  readonly timing?: Partial<McpTiming>;
}

interface Entry {
  readonly connection: Promise<Connection>;
  idle: NodeJS.Timeout | undefined;
  /** Calls under way, during which it is not given up. */
  running: number;
}

/** A server that answers so to one transport may speak the other (MCP specification, backwards compatibility). */
const OTHER_TRANSPORT: ReadonlySet<number> = new Set([400, 404, 405, 406, 415, 501]);

/**
 * The servers that requests name for themselves: one connection for each address and set of headers, kept while it is
 * used and for a while after. Nothing of one caller's secrets is shared with another's.
 */
export class RequestServers {
  readonly #options: Options;
  readonly #timing: McpTiming;
  readonly #entries = new Map<string, Entry>();
  readonly #stopsListening: (() => void) | undefined;
  #network: ReturnType<typeof guardedFetch> | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#timing = { ...DEFAULT_TIMING, ...options.timing };
    this.#stopsListening = options.safety?.onRelease((id) => void this.#reviewAgain(id));
  }

  /** Throws GatewayError that says why there is no connection. */
  async open(server: ServerAddress): Promise<OpenServer> {
    const url = this.#checked(server);
    const { allow_private_addresses: allowPrivate, allowed_hosts: allowedHosts } = this.#options.rules;
    await refuseInside(url, { allowPrivate, allowedHosts });
    const key = keyOf(server);
    const entry = this.#entryFor(key, server, url);
    const connection = await entry.connection;
    return {
      tools: connection.listed.filter(({ heldBack }) => heldBack === undefined),
      // by then the connection may have been given up
      call: (upstreamName, request) => this.#call(key, this.#entryFor(key, server, url), upstreamName, request),
    };
  }

  async close(): Promise<void> {
    this.#stopsListening?.();
    await Promise.all([...this.#entries.keys()].map((key) => this.#forget(key)));
    await this.#network?.close();
  }

  #checked({ name, url: given }: ServerAddress): URL {
    if (!this.#options.rules.enabled) {
      const why = 'this gateway lets no request name its own MCP servers (mcp.request_servers.enabled)';
      throw new GatewayError('permission', `MCP server "${name}" cannot be used: ${why}`);
    }
    const url = URL.canParse(given) ? new URL(given) : undefined;
    if (url && /^https?:$/.test(url.protocol)) return url;
    throw new GatewayError('invalid-request', `the url of MCP server "${name}" is not an http(s) URL`);
  }

  async #call(key: string, entry: Entry, upstreamName: string, request: ToolCallRequest): Promise<ToolResult> {
    const { tool_execution_timeout: timeoutMs } = this.#options.toolManager;
    const maxMs = timeoutMs * this.#timing.progressFactor;
    entry.running += 1;
    try {
      const connection = await entry.connection;
      const tool = { name: request.name, upstreamName };
      const result = await connection.call({ tool, request, headers: {}, timeoutMs, maxMs });
      const treatment = this.#options.safety?.resultTreatment(connection.config);
      return treatment ? cleanedResult(result, treatment) : result;
    } finally {
      entry.running -= 1;
      this.#used(key, entry);
    }
  }

  async #reviewAgain(clientId: string): Promise<void> {
    for (const { connection } of this.#entries.values()) {
      const open = await connection.catch(() => undefined);
      if (open?.config.client_id === clientId) open.reviewAgain();
    }
  }

  #entryFor(key: string, server: ServerAddress, url: URL): Entry {
    const entry = this.#entries.get(key) ?? this.#admit(key, server, url);
    this.#used(key, entry);
    return entry;
  }

  #admit(key: string, server: ServerAddress, url: URL): Entry {
    if (this.#entries.size >= this.#options.rules.max_connections) {
      const oldest = [...this.#entries].find(([, { running }]) => running === 0);
      if (oldest) void this.#forget(oldest[0]);
    }
    const connection = this.#dialled(server, url);
    const entry: Entry = { connection, idle: undefined, running: 0 };
    this.#entries.set(key, entry);
    // the next request tries anew
    connection.catch(() => this.#forget(key));
    return entry;
  }

  /** Puts the entry last in line to be given up, and starts its time anew. */
  #used(key: string, entry: Entry): void {
    clearTimeout(entry.idle);
    if (this.#entries.get(key) !== entry) return;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.idle = later(this.#options.rules.idle_timeout, () => {
      if (entry.running > 0) this.#used(key, entry);
      else void this.#forget(key);
    });
  }

  async #forget(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    clearTimeout(entry.idle);
    await entry.connection.then(
      (connection) => connection.close(),
      () => undefined,
    );
  }

  async #dialled(server: ServerAddress, url: URL): Promise<Connection> {
    const first = url.pathname.endsWith('/sse') ? 'sse' : 'http';
    try {
      return await this.#dial(server, first);
    } catch (thrown) {
      if (!OTHER_TRANSPORT.has(statusOfFailure(thrown) ?? 0)) throw connectFailure(server, thrown);
      return await this.#dial(server, first === 'sse' ? 'http' : 'sse').catch(() => {
        throw connectFailure(server, thrown);
      });
    }
  }

  async #dial(server: ServerAddress, type: 'http' | 'sse'): Promise<Connection> {
    const config = { ...configOf(server, type), tool_safety: this.#options.rules.tool_safety };
    const connection = new Connection(config, this.#connectionOptions());
    try {
      await connection.dial();
      return connection;
    } catch (thrown) {
      await connection.close();
      throw thrown;
    }
  }

  #connectionOptions(): ConnectionOptions {
    const { rules, log, safety } = this.#options;
    const { allow_private_addresses: allowPrivate, allowed_hosts: allowedHosts } = rules;
    this.#network ??= guardedFetch({ allowPrivate, allowedHosts });
    const { fetch } = this.#network;
    return {
      // no process is ever started here
      transport: { cwd: '.', environment: {}, fetchOf: () => fetch, graceMs: this.#timing.graceMs },
      timing: this.#timing,
      random: Math.random,
      log: (level, message, fields: JsonObject) => log(level, message, fields),
      changed: () => undefined,
      safety: safety && {
        review: (config, tools) => safety.review(asPinned(config), tools),
        lookAhead: (config, listed) => safety.lookAhead(asPinned(config), listed),
      },
    };
  }
}

/** Who shares a connection: the same address with the same headers; the key tells nothing of either. */
const keyOf = ({ url, headers }: ServerAddress): string =>
  createHash('sha256')
    .update(JSON.stringify([url, Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1))]))
    .digest('base64');

const configOf = ({ name, url, headers }: ServerAddress, type: 'http' | 'sse'): McpClientConfig => ({
  ...mcpClient.parse({ name: 'request', connection_type: type, connection_string: 'http://request' }),
  name,
  client_id: requestServerId(url),
  tools_to_execute: ['*'],
  connection_string: { value: url },
  headers: Object.fromEntries(Object.entries(headers).map(([header, value]) => [header, { value }])),
});

/** A server is the same one for all its callers, whatever they show it and by whichever transport. */
function bareAddress(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

const requestServerId = (url: string): string =>
  REQUEST_SERVER + createHash('sha256').update(bareAddress(url)).digest('hex').slice(0, 16);

/** Where it leads must not change by a transport or a token, or its tools would be taken for new ones. */
const asPinned = (config: McpClientConfig): McpClientConfig => ({
  ...config,
  connection_type: 'http',
  connection_string: { value: bareAddress(config.connection_string?.value ?? '') },
});

function connectFailure({ name, headers }: ServerAddress, thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError && thrown.kind === 'permission') return thrown;
  const values = Object.values(headers).flatMap((value) => [value, value.replace(/^Bearer /, '')]);
  const secrets = values.filter((value) => value.length >= 8);
  const reason = secrets.reduce((text, value) => text.replaceAll(value, '***'), reasonOf(thrown));
  return new GatewayError('network', `the MCP server "${name}" could not be reached: ${reason}`, { status: 424 });
}
