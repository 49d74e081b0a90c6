import { mkdirSync } from 'node:fs';
import type { IncomingHttpHeaders, Server } from 'node:http';
import { join } from 'node:path';
import { bannerRecord, bannerText } from './banner.ts';
import { resolveCommand } from './bundled-servers.ts';
import type { ServeOptions } from './cli.ts';
import { codecs } from './codecs/index.ts';
import { type LoadedConfig, loadConfig } from './config/load.ts';
import { probeHttp } from './config/probe.ts';
import type { Environment } from './config/secrets.ts';
import { createGateway } from './gateway/gateway.ts';
import { createPricing } from './governance/pricing.ts';
import type { LogQueries } from './http/admin/logs.ts';
import { closeGently, createApp } from './http/app.ts';
import { callerFor } from './http/caller.ts';
import { KeepAlive } from './http/event-stream.ts';
import { adminCheck, originCheck } from './http/origin.ts';
import { RequestIds } from './http/request-ids.ts';
import { listen } from './listen.ts';
import { type Logs, openLogs } from './logs/logs.ts';
import { createMetrics } from './logs/metrics.ts';
import { logQueryOf, mcpLogQueryOf } from './logs/query.ts';
import { McpClients } from './mcp/clients.ts';
import { McpServer } from './mcp/server/server.ts';
import type { ProcessLog } from './process-log.ts';
import { createProviderCall } from './providers/call.ts';
import { createProviderCatalog } from './providers/catalog.ts';
import { createNetwork } from './providers/fetch.ts';
import { builtInDeployments, createProviders } from './providers/registry.ts';
import { createUpstreams } from './providers/upstreams.ts';
import { createModelCatalog } from './router/catalog.ts';
import { createRouter } from './router/router.ts';
import { openClientOverrides } from './stores/client-overrides.ts';

/** What the gateway stands in; tests give their own. */
export interface Surroundings {
  readonly env: Environment;
  readonly keepAlive: KeepAlive;
  /** How long answers in flight may go on once the gateway is told to stop. */
  readonly graceMs: number;
}

export interface Running {
  readonly url: string;
  /** Lets answers in flight finish, ends every MCP server, writes what is left of the log. */
  stop(): Promise<void>;
}

/** Starts the gateway. Throws ConfigError or StartError, whose messages say what to do. */
export async function serve(
  options: ServeOptions,
  version: string,
  processLog: ProcessLog,
  surroundings: Partial<Surroundings> = {},
): Promise<Running> {
  const { appDir, host, port } = options;
  const { env = process.env, keepAlive = new KeepAlive(), graceMs = 10_000 } = surroundings;
  const { log } = processLog;
  mkdirSync(appDir, { recursive: true });
  const listenAddress = { host, port };
  const loaded = await loadConfig({
    appDir,
    env,
    listen: listenAddress,
    detectable: builtInDeployments,
    probe: probeHttp,
  });
  const { config } = loaded;
  const overrides = await openClientOverrides({
    path: join(appDir, 'mcp-clients.json'),
    fileClients: config.mcp.client_configs,
    fileWins: config.source_of_truth === 'config.json',
  });
  const providers = createProviders(config.providers);
  for (const problem of [...overrides.warnings, ...providers.problems]) log('warn', problem);

  const metrics = createMetrics();
  const pricing = createPricing();
  const logs = openLogs({
    path: config.logs_store.config.path,
    enabled: config.client.enable_logging && config.logs_store.enabled,
    contentLogging: !config.client.disable_content_logging,
    limits: { retentionDays: config.logs_store.retention_days || config.client.log_retention_days },
    metrics,
    costOf: (provider, model, usage) => pricing.costOf(provider, model, usage),
    warn: (message) => log('warn', message),
  });

  const network = createNetwork();
  const upstreams = createUpstreams(network);
  const routed = createRouter({ providers: providers.byName, call: createProviderCall({ codecs, upstreams }) });
  const models = createModelCatalog({
    providers: providers.byName,
    catalog: createProviderCatalog({ codecs, upstreams }),
  });
  const mcp = new McpClients({
    clients: overrides.clients,
    toolManager: config.mcp.tool_manager_config,
    cwd: appDir,
    log,
    resolveCommand,
    syncIntervalMs: config.mcp.tool_sync_interval,
  });
  const gateway = createGateway({
    routed,
    countTokens: models.countTokens,
    mcp,
    toolManager: config.mcp.tool_manager_config,
    sink: logs.sink,
  });

  const originRules = { host, port, allowedOrigins: config.client.allowed_origins };
  const maxBodyBytes = config.client.max_request_body_size_mb * 1024 * 1024;
  const mcpServer = new McpServer({ tools: gateway.tools, version });
  let booting: Promise<void> | undefined;
  const callerOf = (headers: IncomingHttpHeaders) => callerFor(headers, mcp.allowedExtraHeaders);
  const app = createApp({
    booting: () => booting,
    call: gateway.call,
    codecs,
    callerOf,
    keepAlive,
    requestIds: new RequestIds(),
    maxBodyBytes,
    check: originCheck(originRules),
    mcp: { server: mcpServer, check: originCheck(originRules), callerOf, maxBodyBytes },
    sideRoutes: {
      listModels: async ({ signal }) => {
        const listing = await models.listModels(signal);
        for (const problem of listing.problems) log('warn', problem);
        return listing.models;
      },
      countTokens: gateway.countTokens,
      executeTool: gateway.executeTool,
    },
    admin: once(async () => {
      const [{ createAdminApp }, { landingPage }] = await Promise.all([
        import('./http/admin/app.ts'),
        import('./http/admin/landing.ts'),
      ]);
      return createAdminApp({
        version,
        config: () => config,
        check: adminCheck(originRules),
        clients: mcp,
        store: overrides,
        logs: logQueries(logs),
        pages: landingPage,
      });
    }),
    health: () => ({ status: 'ok', version, mcp_clients: mcp.statuses().length, tools: mcp.catalog.tools.length }),
    metricsText: () => metrics.text(),
    observe: (path, method, status, seconds) => metrics.httpRequest(path, method, status, seconds),
  });
  const servers = await listen(app.server, host, port).catch(async (thrown: unknown) => {
    await logs.close();
    throw thrown;
  });
  const url = urlOf(servers, host, port);
  booting = mcp
    .start()
    .catch((thrown: unknown) => log('error', `the MCP clients did not start: ${String(thrown)}`))
    .finally(() => {
      booting = undefined;
      announce(mcp, loaded, { version, host, port: Number(new URL(url).port) }, options, processLog);
    });

  return {
    url,
    async stop() {
      log('info', 'stopping: answers in flight may finish');
      mcpServer.sessions.closeListeners();
      await Promise.all(servers.map((server) => closeGently(server, graceMs)));
      keepAlive.stop();
      mcpServer.close();
      // a request whose connection was ended still has its row to write
      await Promise.all([mcp.close(), app.settled()]);
      await logs.close();
      await network.close();
      log('info', 'stopped');
      processLog.flush();
    },
  };
}

/** Loads on the first call, and gives the same from then on. */
function once<Value>(load: () => Promise<Value>): () => Promise<Value> {
  let loaded: Promise<Value> | undefined;
  return () => {
    loaded ??= load();
    return loaded;
  };
}

/** The log as the admin API asks it: by query strings. */
const logQueries = (logs: Logs): LogQueries => ({
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
});

function urlOf([first]: readonly Server[], host: string, port: number): string {
  const address = first?.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
}

/** Says that the gateway is ready, once the MCP servers have had their chance to come up. */
function announce(
  mcp: McpClients,
  loaded: LoadedConfig,
  place: { version: string; host: string; port: number },
  { logStyle }: ServeOptions,
  { log, print }: ProcessLog,
): void {
  const mcpClients = mcp.statuses().map(({ name, state, tools }) => ({ name, state, toolCount: tools.length }));
  const facts = { ...place, loaded, mcpClients };
  if (logStyle === 'json') log('info', 'the gateway is ready', bannerRecord(facts));
  else print(bannerText(facts));
}
