import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { resolveCommand } from './bundled-servers.ts';
import { codecs } from './codecs/index.ts';
import type { KeyAccess } from './config/governance-section.ts';
import type { Config, LoadedConfig } from './config/load.ts';
import type { McpClientConfig } from './config/schema.ts';
import type { VirtualMcpConfig } from './config/virtual-mcp.ts';
import { pricedCall, priceOverridesOf } from './governance/price-overrides.ts';
import { createPricing } from './governance/pricing.ts';
import type { AdminOptions } from './http/admin/app.ts';
import type { LogQueries, LogQuery } from './http/admin/logs.ts';
import { type Logs, openLogs } from './logs/logs.ts';
import type { Metrics } from './logs/metrics.ts';
import { logQueryOf, mcpLogQueryOf } from './logs/query.ts';
import type { LogSink } from './logs/sink.ts';
import { addressRulesFor, commandFault, isOfFile } from './mcp/api-clients.ts';
import { McpClients } from './mcp/clients.ts';
import { slugClashes } from './mcp/endpoints.ts';
import { RequestServers } from './mcp/request-servers.ts';
import { LargeResults } from './mcp/results/large-results.ts';
import { ToolSafety } from './mcp/safety/tool-safety.ts';
import { VirtualMcps } from './mcp/virtual-mcps.ts';
import type { CallContext, ModelCall } from './model/call.ts';
import type { OperationCall } from './model/operation.ts';
import type { ChatRequest } from './model/request.ts';
import { textAt } from './model-sheet.ts';
import type { Log } from './process-log.ts';
import { createProviderCall } from './providers/call.ts';
import { createProviderCatalog } from './providers/catalog.ts';
import type { CompatRules } from './providers/compat.ts';
import { createNetwork } from './providers/fetch.ts';
import type { ModelKnowledge } from './providers/models/traits.ts';
import { createOperationTry } from './providers/operations/call.ts';
import { mayStandIn, withChats } from './providers/operations/text-by-chat.ts';
import type { ConfiguredProviders } from './providers/provider.ts';
import { createProviders } from './providers/registry.ts';
import { createUpstreams } from './providers/upstreams.ts';
import { readSdks } from './providers/warm-up.ts';
import { createModelCatalog, keepingListing, type ModelCatalog } from './router/catalog.ts';
import { lacksVariable, whyUnusable } from './router/keys.ts';
import { createOperationRouter, createRouter } from './router/router.ts';
import { type ServerToolHost, serverToolHost } from './router/server-tools.ts';
import { type ClientOverrides, openClientOverrides } from './stores/client-overrides.ts';
import { openKeyOverrides } from './stores/key-overrides.ts';
import { McpLibrary } from './stores/mcp-library.ts';
import { type LiveMcpSettings, openMcpSettings } from './stores/mcp-settings.ts';
import type { Overrides } from './stores/overrides.ts';
import { openToolPins } from './stores/tool-pins.ts';
import { openVirtualMcpOverrides } from './stores/virtual-mcp-overrides.ts';
import { openUpstreamAuth, type UpstreamLogins } from './upstream-auth.ts';

// The rooms of the house, each made of the configuration; `openHouse` joins them.

export interface Models {
  readonly routed: ModelCall;
  readonly routedOperation: OperationCall;
  readonly catalog: ModelCatalog;
  readonly serverToolHost: (request: ChatRequest, context: CallContext) => ServerToolHost;
  /** Whether a configured provider could be asked for a model. */
  readonly isUsable: (provider: string) => boolean;
  /** Does ahead what the first request would wait for. Never rejects. */
  warmUp(): Promise<void>;
  close(): Promise<void>;
}

const LISTING_KEPT_FOR_MS = 30_000;

/** The way to every configured provider. `insteadOfHosted`: what stands in for a hosted tool that one does not have. */
export function openModels(
  { config, skippedProviders }: Pick<LoadedConfig, 'config' | 'skippedProviders'>,
  log: Log,
  models: ModelKnowledge,
  insteadOfHosted: () => string | undefined,
): Models {
  const { byName: providers, problems } = createProviders(config.providers, skippedProviders);
  const unusable = unusableOf(providers);
  for (const problem of [...problems, ...unusable.values()]) if (problem) log('warn', problem);
  const compat = compatRulesOf(config.client.compat);
  const network = createNetwork();
  const upstreams = createUpstreams(network);
  const call = createProviderCall({ codecs, upstreams, models, compat, insteadOfHosted });
  const byChat = { call, codec: codecs['openai-chat'], rules: compat };
  return {
    routed: createRouter({ providers, call }),
    routedOperation: createOperationRouter({
      providers,
      call: withChats(createOperationTry({ codecs, upstreams }), byChat),
      standsIn: (provider, request, context) => mayStandIn(compat, provider, request, context),
    }),
    catalog: keepingListing(
      createModelCatalog({ providers, catalog: createProviderCatalog({ codecs, upstreams }) }),
      LISTING_KEPT_FOR_MS,
    ),
    serverToolHost: (request, context) => serverToolHost(request, context, providers),
    isUsable: (name) => providers.has(name.toLowerCase()) && !unusable.has(name.toLowerCase()),
    warmUp: () => readSdks(providers.values(), upstreams),
    close: () => network.close(),
  };
}

const compatRulesOf = (compat: Config['client']['compat']): CompatRules => ({
  convertsTexts: compat.convert_text_to_chat,
  convertsChats: compat.convert_chat_to_responses,
  convertsReasoning: compat.force_reasoning_only_models_to_responses,
  convertsAzureDeepSeek: compat.azure_deepseek,
  dropsParams: compat.should_drop_params === true,
});

/** Providers that can serve nothing, with what is to be said of each: nothing where the configuration has warned. */
const unusableOf = (providers: ConfiguredProviders): ReadonlyMap<string, string | undefined> =>
  new Map(
    [...providers].flatMap(([name, provider]) => {
      const why = whyUnusable(provider);
      return why === undefined ? [] : [[name, lacksVariable(provider) ? undefined : why] as const];
    }),
  );

export function openRequestLog(
  { client, logs_store: store, governance, providers }: Config,
  metrics: Metrics,
  models: ModelKnowledge,
  log: Log,
): Logs {
  const keyNameOf = (provider: string | undefined, given: string): string | undefined =>
    Object.entries(providers)
      .filter(([name]) => provider === undefined || name.toLowerCase() === provider)
      .flatMap(([, { keys }]) => keys)
      .find(({ id, name }) => id === given || name === given)?.name;
  const overrides = priceOverridesOf(governance.pricing_overrides, keyNameOf);
  const pricing = createPricing(overrides, Date.now, models);
  const isAsked = overrides.length > 0;
  const logs = openLogs({
    path: store.config.path,
    enabled: client.enable_logging && store.enabled,
    contentLogging: !client.disable_content_logging,
    limits: { retentionDays: store.retention_days || client.log_retention_days },
    metrics,
    costOf: (provider, model, usage, context) =>
      pricing.costOf(provider, model, usage, isAsked ? pricedCall(context) : undefined),
    ownerOf: ({ keyOwner }) => keyOwner,
    warn: (message) => log('warn', message),
  });
  return client.dump_errors_in_console_logs ? { ...logs, sink: tellingErrors(logs.sink, log) } : logs;
}

/** Records whose errors stand in the process's own log too. */
const tellingErrors = (sink: LogSink, log: Log): LogSink => ({
  ...sink,
  recordCall(record) {
    sink.recordCall(record);
    const { id, provider, model, error } = record;
    if (error) log('error', `request ${id} failed: ${error.message}`, { provider, model, kind: error.kind });
  },
});

export interface Mcp {
  readonly clients: McpClients;
  readonly logins: UpstreamLogins;
  readonly safety: ToolSafety;
  readonly results: LargeResults;
  /** Those that requests name for themselves. */
  readonly requestServers: RequestServers;
  /** Where changes made through the API are kept. */
  readonly overrides: ClientOverrides;
  readonly virtualMcps: VirtualMcps;
  readonly settings: LiveMcpSettings;
  readonly virtualMcpStore: Pick<Overrides<VirtualMcpConfig>, 'put' | 'remove'>;
  /** What the virtual keys may use of the clients, as it was changed through the API. */
  readonly keyStore: Pick<Overrides<KeyAccess>, 'entries' | 'put'>;
}

/** The library of known MCP servers; nothing of it is read before somebody asks. */
export const openLibrary = ({ framework: { pricing } }: Config, appDir: string, log: Log): McpLibrary =>
  new McpLibrary({
    path: join(appDir, 'mcp-library.json'),
    url: pricing.mcp_library_url,
    syncIntervalMs: pricing.mcp_library_sync_interval * 1_000,
    read: textAt,
    warn: (message) => log('warn', message),
  });

/** Names the configured MCP clients whose tools search or fetch; undefined when there is none. */
export function searchingClients(clients: Pick<McpClients, 'catalog'>): string | undefined {
  const tools = clients.catalog.tools.filter(({ upstreamName }) => /search|fetch|browse|crawl/i.test(upstreamName));
  const names = [...new Set(tools.map(({ clientName }) => `"${clientName}"`))];
  return names.length === 0 ? undefined : `use the MCP client ${names.join(' or ')} of this gateway in its place`;
}

/** The MCP clients and virtual MCPs of the file, as they were changed through the API; not yet dialled. */
export async function openMcp({ config, listed }: LoadedConfig, appDir: string, log: Log): Promise<Mcp> {
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
  return {
    clients,
    logins,
    safety,
    results,
    requestServers,
    overrides,
    virtualMcps,
    virtualMcpStore,
    keyStore,
    settings,
  };
}

/** A list of commands that became shorter holds for clients that the API made before, too. */
function startable(clients: readonly McpClientConfig[], { mcp }: Config, log: Log): readonly McpClientConfig[] {
  return clients.filter((client) => {
    const fault = isOfFile(client, mcp.client_configs) ? undefined : commandFault(client, mcp.api_clients);
    if (fault) log('warn', `MCP client ${client.name} is left out: ${fault}`);
    return fault === undefined;
  });
}

/** The admin API and the page at `/`, loaded on first use and kept: nothing of them is needed to serve models. */
export function adminOnDemand(options: Omit<AdminOptions, 'pages'>): () => Promise<RequestListener> {
  let loaded: Promise<RequestListener> | undefined;
  const load = async (): Promise<RequestListener> => {
    const [{ createAdminApp }, { landingPage }] = await Promise.all([
      import('./http/admin/app.ts'),
      import('./http/admin/landing.ts'),
    ]);
    return createAdminApp({ ...options, pages: landingPage });
  };
  return () => {
    loaded ??= load();
    return loaded;
  };
}

const mcpFiltersOf = (query: LogQuery) => mcpLogQueryOf(new URLSearchParams(query)).filters;

/** The log as the admin API asks it: by query strings. */
export const logQueries = (logs: Logs): LogQueries => ({
  listLogs: async (query) => {
    const { filters, paging } = logQueryOf(new URLSearchParams(query));
    return logs.listLogs(filters, paging);
  },
  getLog: (id) => logs.getLog(id),
  listMcpLogs: async (query) => {
    const { filters, paging } = mcpLogQueryOf(new URLSearchParams(query));
    return logs.listMcpLogs(filters, paging);
  },
  getMcpLog: (id) => logs.getMcpLog(id),
  mcpLogStats: async (query) => logs.mcpLogStats(mcpFiltersOf(query)),
  mcpLogFacets: () => logs.mcpLogFacets(),
  mcpHistogram: async (query) => logs.mcpHistogram(mcpFiltersOf(query)),
  mcpCosts: async (query) => logs.mcpCosts(mcpFiltersOf(query)),
  mcpTools: async (query, limit) => logs.mcpTools(mcpFiltersOf(query), limit),
  deleteMcpLogs: (ids) => logs.deleteMcpLogs(ids),
});
