import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { McpCommand } from './cli.ts';
import { loadConfig } from './config/load.ts';
import type { McpClientConfig } from './config/schema.ts';
import type { Environment } from './config/secrets.ts';
import { parseSettings } from './mcp/import/entries.ts';
import { type ImportedServer, importedServers } from './mcp/import/import.ts';
import { GatewayError } from './model/errors.ts';
import { type ClientOverrides, openClientOverrides } from './stores/client-overrides.ts';

/** What `bifrost mcp list` and `bifrost mcp import` print, after they did it. Throws GatewayError or ConfigError. */
export async function mcpCommand(command: McpCommand, env: Environment): Promise<string> {
  const overrides = await clientsOf(command.appDir, env);
  if (command.action === 'list') return listText(overrides.clients);
  const settings = parseSettings(await textOf(command.file));
  const taken = overrides.clients.map(({ name }) => name);
  const servers = importedServers(settings, { taken, environment: env });
  if (!command.dryRun) for (const { config } of servers) if (config) await overrides.put(config);
  return importText(servers, command.dryRun);
}

async function clientsOf(appDir: string, env: Environment): Promise<ClientOverrides> {
  const listen = { host: 'localhost', port: 0 };
  const { config, listed } = await loadConfig({ appDir, env, listen, detectable: [], probe: async () => false });
  return openClientOverrides({
    path: join(appDir, 'mcp-clients.json'),
    fileClients: config.mcp.client_configs,
    fileNames: config.source_of_truth === 'config.json' ? listed.mcpClients : undefined,
    encryptionKey: config.encryption_key?.value,
  });
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : 'unreadable';
    throw new GatewayError('invalid-request', `${file} cannot be read (${code})`, { cause });
  }
}

function listText(clients: readonly McpClientConfig[]): string {
  if (clients.length === 0) return 'There are no MCP clients yet; "bifrost mcp import FILE" takes those of an agent.';
  const width = Math.max(...clients.map(({ name }) => name.length));
  return clients
    .map((client) => `${client.name.padEnd(width)}  ${client.connection_type.padEnd(7)}  ${targetOf(client)}`)
    .join('\n');
}

/** Where a client leads, without what may be secret: arguments, and what stands behind the path of an address. */
function targetOf({ disabled, connection_string, stdio_config, openapi_config }: McpClientConfig): string {
  const suffix = disabled ? ' (disabled)' : '';
  if (stdio_config) return `${stdio_config.command}${suffix}`;
  const address = connection_string ?? openapi_config?.base_url ?? openapi_config?.spec_url;
  if (!address) return `${openapi_config?.spec_file ?? 'a document'}${suffix}`;
  if (address.ref) return `${address.ref}${suffix}`;
  const url = URL.canParse(address.value) ? new URL(address.value) : undefined;
  return `${url ? url.origin + url.pathname : '?'}${suffix}`;
}

function importText(servers: readonly ImportedServer[], isDryRun: boolean): string {
  const rows = servers.flatMap(({ sourceName, name, config, reason, notes }) => {
    const outcome = config
      ? `${isDryRun ? 'would be added' : 'added'} as ${name}, ${config.connection_type}`
      : `skipped: ${reason}`;
    return [`${sourceName}: ${outcome}`, ...notes.map((note) => `  note: ${note}`)];
  });
  const count = servers.filter(({ config }) => config).length;
  const end = isDryRun || count === 0 ? [] : ['The gateway connects to them at its next start.'];
  return [...rows, `${count} ${isDryRun ? 'would be added' : 'added'}, ${servers.length - count} skipped`, ...end].join(
    '\n',
  );
}
