import { join } from 'node:path';
import type { KeyAccess } from '../config/governance-section.ts';
import type { Config, LoadedConfig } from '../config/load.ts';
import type { McpClientConfig } from '../config/schema.ts';
import type { VirtualMcpConfig } from '../config/virtual-mcp.ts';
import type { Log } from '../logs/process-log.ts';
import { addressRulesFor, commandFault, isOfFile } from '../mcp/api-clients.ts';
import { McpClients, type McpClientsOptions } from '../mcp/clients.ts';
import { slugClashes } from '../mcp/endpoints.ts';
import { RequestServers } from '../mcp/request-servers.ts';
import { LargeResults } from '../mcp/results/large-results.ts';
import { ToolSafety } from '../mcp/safety/tool-safety.ts';
import { VirtualMcps } from '../mcp/virtual-mcps.ts';
import { type ClientOverrides, openClientOverrides } from '../stores/client-overrides.ts';
import { openKeyOverrides } from '../stores/key-overrides.ts';
import { type LiveMcpSettings, openMcpSettings } from '../stores/mcp-settings.ts';
import type { Overrides } from '../stores/overrides.ts';
import { openToolPins } from '../stores/tool-pins.ts';
import { openVirtualMcpOverrides } from '../stores/virtual-mcp-overrides.ts';
import { openUpstreamAuth, type UpstreamLogins } from './upstream-auth.ts';

/** What the API changes, as it is kept for the next start. */
interface Kept {
  readonly overrides: ClientOverrides;
  readonly settings: LiveMcpSettings;
  readonly virtualMcpStore: Pick<Overrides<VirtualMcpConfig>, 'entries' | 'put' | 'remove'>;
  /** What the virtual keys may use of the clients, as it was changed through the API. */
  readonly keyStore: Pick<Overrides<KeyAccess>, 'entries' | 'put'>;
}

export interface Mcp extends Kept {
  readonly clients: McpClients;
  readonly logins: UpstreamLogins;
  readonly safety: ToolSafety;
  readonly results: LargeResults;
  /** Those that requests name for themselves. */
  readonly requestServers: RequestServers;
  readonly virtualMcps: VirtualMcps;
}

/** The MCP clients and virtual MCPs of the file, as they were changed through the API; not yet dialled. */
export async function openMcp(
  loaded: LoadedConfig,
  appDir: string,
  resolveCommand: NonNullable<McpClientsOptions['resolveCommand']>,
  log: Log,
): Promise<Mcp> {
  const { config } = loaded;
  const kept = await openKept(loaded, appDir, log);
  const { overrides, settings, virtualMcpStore } = kept;
  const safety = new ToolSafety({
    rules: config.mcp.tool_safety,
    store: await openToolPins(join(appDir, 'mcp', 'tool-pins.json')),
    log,
  });
  const logins = openUpstreamAuth(config, log);
  const clients = new McpClients({
    clients: startable(overrides.clients, config, log),
    toolManager: settings.toolManager,
    cwd: appDir,
    log,
    resolveCommand,
    syncIntervalMs: settings.syncIntervalMs,
    stateFolder: join(appDir, 'mcp'),
    safety,
    auth: logins.auth,
    externalUrl: logins.externalUrl,
    addressRulesOf: (client) => addressRulesFor(client, config.mcp.api_clients, config.mcp.client_configs),
  });
  const results = new LargeResults({
    rules: config.mcp.result_limits,
    limitsOf: (clientId) => clients.config(clientId)?.result_limits,
    catalog: () => clients.catalog,
  });
  const virtualMcps = new VirtualMcps(virtualMcpStore.entries);
  for (const clash of slugClashes(virtualMcps.list, overrides.clients)) log('warn', clash);
  const requestServers = new RequestServers({
    rules: config.mcp.request_servers,
    toolManager: settings.toolManager,
    log,
    safety,
  });
  return { ...kept, clients, logins, safety, results, requestServers, virtualMcps };
}

/** What the API has changed, beside what the file says. */
async function openKept({ config, listed }: LoadedConfig, appDir: string, log: Log): Promise<Kept> {
  const fileWins = config.source_of_truth === 'config.json';
  const overrides = await openClientOverrides({
    path: join(appDir, 'mcp-clients.json'),
    fileClients: config.mcp.client_configs,
    fileNames: fileWins ? listed.mcpClients : undefined,
    encryptionKey: config.encryption_key?.value,
    warn: (message) => log('warn', message),
  });
  const settings = await openMcpSettings({
    path: join(appDir, 'mcp-settings.json'),
    toolManager: config.mcp.tool_manager_config,
    syncIntervalMs: config.mcp.tool_sync_interval,
    fileWins,
  });
  const virtualMcpStore = await openVirtualMcpOverrides({
    path: join(appDir, 'virtual-mcps.json'),
    fileEntries: config.mcp.virtual_mcps,
    fileNames: fileWins ? listed.virtualMcps : undefined,
  });
  const { virtual_keys: fileKeys } = config.governance;
  const keyStore = await openKeyOverrides({
    path: join(appDir, 'virtual-keys.json'),
    fileEntries: fileKeys,
    fileNames: fileWins ? fileKeys.map(({ id }) => id) : undefined,
    encryptionKey: config.encryption_key?.value,
  });
  for (const { warnings } of [overrides, virtualMcpStore, keyStore]) for (const each of warnings) log('warn', each);
  return { overrides, settings, virtualMcpStore, keyStore };
}

/** A list of commands that became shorter holds for clients that the API made before, too. */
function startable(clients: readonly McpClientConfig[], { mcp }: Config, log: Log): readonly McpClientConfig[] {
  return clients.filter((client) => {
    const fault = isOfFile(client, mcp.client_configs) ? undefined : commandFault(client, mcp.api_clients);
    if (fault) log('warn', `MCP client ${client.name} is left out: ${fault}`);
    return fault === undefined;
  });
}

/** Names the configured MCP clients whose tools search or fetch; undefined when there is none. */
export function searchingClients(clients: Pick<McpClients, 'catalog'>): string | undefined {
  const tools = clients.catalog.tools.filter(({ upstreamName }) => /search|fetch|browse|crawl/i.test(upstreamName));
  const names = [...new Set(tools.map(({ clientName }) => `"${clientName}"`))];
  return names.length === 0 ? undefined : `use the MCP client ${names.join(' or ')} of this gateway in its place`;
}
