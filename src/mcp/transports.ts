import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { McpClientConfig } from '../config/schema.ts';
import { GatewayError } from '../model/errors.ts';
import type { JsonObject } from '../model/json.ts';
import type { ProcessJournal } from './fleet/journal.ts';
import { type MemoryWatch, memoryLimit } from './fleet/memory-watch.ts';
import type { GatewayTransport } from './gateway-transport.ts';
import { HttpTransport } from './http-transport.ts';
import { EraTransport } from './modern/era-transport.ts';
import { httpChannel } from './modern/http-channel.ts';
import { KnownServers } from './modern/known-servers.ts';
import { secretsOf } from './openapi/security.ts';
import { OpenApiTransport } from './openapi/transport.ts';
import { type GroupKeeper, StdioTransport } from './stdio.ts';
import { configuredVariables, serverEnvironment } from './stdio-environment.ts';

export interface TransportOptions {
  /** Where stdio servers run. */
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Carries what is sent to the server of a client. */
  readonly fetchOf: (config: McpClientConfig) => FetchLike;
  readonly graceMs: number;
  /** What the processes of stdio servers are written down in. */
  readonly journal?: ProcessJournal | undefined;
  readonly memory?: MemoryWatch | undefined;
  /** Finds the program behind a command, for servers that we ship. */
  readonly resolveCommand?: ((command: string, args: readonly string[]) => Command) | undefined;
}

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

export interface Wish {
  /** For a client of the older era alone: a session of that era, where the server has both. */
  readonly prefersOlder?: boolean;
}

/** A transport, not yet started, to the server of `config`. Throws GatewayError('invalid-request') on unusable config. */
export function transportFor(config: McpClientConfig, options: TransportOptions, wish: Wish = {}): GatewayTransport {
  switch (config.connection_type) {
    case 'stdio':
      return stdioTransport(config, options);
    case 'openapi':
      return openApiTransport(config, options);
    case 'http':
    case 'sse':
      return httpTransport(config, options, wish);
  }
}

/** What is known of the servers, for as long as the clients with these options live. */
const knownServers = new WeakMap<TransportOptions, KnownServers>();

function knownTo(options: TransportOptions): KnownServers {
  const known = knownServers.get(options) ?? new KnownServers();
  knownServers.set(options, known);
  return known;
}

/** `text` without the secrets of this client's config, for logs and answers. */
export function withoutSecrets(text: string, config: McpClientConfig, environment: NodeJS.ProcessEnv): string {
  const headers = Object.values(config.headers).map((header) => header.value);
  const variables = (config.stdio_config?.envs ?? []).map((entry) => {
    const equals = entry.indexOf('=');
    return equals === -1 ? (environment[entry] ?? '') : entry.slice(equals + 1);
  });
  const credentials = secretsOf(config.openapi_config?.security_credentials ?? {});
  // Very short values are words of ordinary text, not secrets.
  const secrets = [...headers, ...variables, ...credentials].filter((value) => value.length >= 8);
  return secrets.reduce((result, value) => result.replaceAll(value, '***'), text);
}

function stdioTransport(config: McpClientConfig, options: TransportOptions): GatewayTransport {
  const stdio = config.stdio_config;
  if (!stdio) throw new GatewayError('invalid-request', `stdio_config is required for MCP client ${config.name}`);
  const { environment, resolveCommand, cwd, graceMs } = options;
  const env = serverEnvironment(configuredVariables(config.name, stdio.envs, environment), environment);
  const { command, args } = resolveCommand?.(stdio.command, stdio.args) ?? stdio;
  return new EraTransport({
    legacy: () => new StdioTransport({ command, args, env, cwd, graceMs, keepers: keepersFor(config, options) }),
    known: knownTo(options),
    lent: lentBy(config),
    server: JSON.stringify([command, ...args]),
  });
}

function keepersFor(
  { name, process_config: limits }: McpClientConfig,
  { journal, memory }: TransportOptions,
): GroupKeeper[] {
  const isLimited = memory !== undefined && limits.memory_limit_mb > 0;
  return [
    ...(journal ? [journal.keeperFor(name)] : []),
    ...(isLimited ? [memoryLimit(memory, limits.memory_limit_mb)] : []),
  ];
}

function openApiTransport(config: McpClientConfig, { cwd }: TransportOptions): OpenApiTransport {
  const { name, openapi_config: openapi } = config;
  if (!openapi) throw new GatewayError('invalid-request', `openapi_config is required for MCP client ${name}`);
  return new OpenApiTransport({ clientName: name, config: openapi, headers: headersOf(config), cwd });
}

/** What the gateway does for callers that cannot do it themselves. */
const lentBy = ({ sampling }: McpClientConfig): JsonObject => (sampling?.enabled ? { sampling: {} } : {});

function headersOf(config: McpClientConfig): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [header, { value }] of Object.entries(config.headers)) if (value) headers[header] = value;
  return headers;
}

function httpTransport(config: McpClientConfig, options: TransportOptions, wish: Wish): GatewayTransport {
  const { name, connection_string: address, connection_type: type } = config;
  if (address?.unset) {
    throw new GatewayError(
      'invalid-request',
      `environment variable ${address.ref?.slice(4)} is not set for MCP client ${name}`,
    );
  }
  const url = URL.canParse(address?.value ?? '') ? new URL(address?.value ?? '') : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new GatewayError('invalid-request', `connection_string of MCP client ${name} is not an http(s) URL`);
  }
  const headers = headersOf(config);
  const { graceMs } = options;
  const fetch = options.fetchOf(config);
  const legacy = () => new HttpTransport({ url, type: type === 'sse' ? 'sse' : 'http', headers, fetch, graceMs });
  // The transport of 2024-11-05 is older than any server of the newer era.
  if (type === 'sse') return legacy();
  const channel = httpChannel({ url, headers, fetch });
  return new EraTransport({
    legacy,
    channel,
    known: knownTo(options),
    lent: lentBy(config),
    server: url.href,
    ...wish,
  });
}
