import type { Server } from 'node:http';
import { codecs } from './codecs/index.ts';
import type { Environment } from './config/secrets.ts';
import type { House } from './house.ts';
import { type App, closeGently, createApp } from './http/app.ts';
import type { KeepAlive } from './http/event-stream.ts';
import { KeptItems } from './http/kept-items.ts';
import { adminCheck, type OriginRules, originCheck } from './http/origin.ts';
import { RequestIds } from './http/request-ids.ts';
import type { SideRoutes } from './http/side-routes.ts';
import { stopping } from './http/stopping.ts';
import type { Log } from './logs/process-log.ts';
import { ModernServer } from './mcp/modern/server.ts';
import { McpServer } from './mcp/server/server.ts';
import { AbortPool } from './model/abort-pool.ts';
import { adminOnDemand, logQueries, openLibrary } from './rooms/admin.ts';
import { modelCallers } from './rooms/model-callers.ts';
import type { ModelCatalog } from './router/catalog.ts';

export interface DoorOptions {
  readonly version: string;
  readonly appDir: string;
  readonly listenAddress: { readonly host: string; readonly port: number };
  readonly env: Environment;
  readonly keepAlive: KeepAlive;
  readonly log: Log;
  /** Until the MCP servers have had their chance to come up. */
  readonly booting: () => Promise<void> | undefined;
}

/** The ways into a gateway: HTTP, with `/mcp` and the admin API in it. */
export interface Doors {
  readonly app: App;
  /** Lets answers in flight finish for `graceMs`, then ends them; nobody comes in any more. */
  close(servers: readonly Server[], graceMs: number): Promise<void>;
}

export function openDoors(house: House, options: DoorOptions): Doors {
  const { mcp, metrics, gateway, callers, models } = house;
  const { version, keepAlive, log, booting } = options;
  const { config } = house.loaded;
  const rules = originRulesOf(house, options);
  const check = originCheck(rules);
  const maxBodyBytes = config.client.max_request_body_size_mb * 1024 * 1024;
  const mcpServer = mcpServerOf(house, version);
  const modernServer = new ModernServer(mcpServer);
  const openCalls = new AbortPool();
  const { atMcp, streamsAtMcp } = callers;
  const app = createApp({
    booting,
    call: gateway.call,
    operate: gateway.operate,
    ownerOf: gateway.ownerOf,
    codecs,
    callerOf: modelCallers(config, callers.callerOf),
    keepAlive,
    requestIds: new RequestIds(),
    openCalls,
    items: new KeptItems(),
    maxBodyBytes,
    maxHeaderBytes: config.server.read_buffer_size,
    check,
    mcp: { server: mcpServer, modern: modernServer, check, callerOf: atMcp, streams: streamsAtMcp, maxBodyBytes },
    sideRoutes: {
      listModels: listing(models.catalog, log),
      countTokens: gateway.countTokens,
      executeTool: gateway.executeTool,
    },
    admin: adminOf(house, rules, options),
    health: () => ({
      status: 'ok',
      version,
      mcp_clients: mcp.clients.statuses().length,
      tools: mcp.clients.catalog.tools.length,
    }),
    metricsText: () => metrics.text(),
    observe: (path, method, status, seconds) => metrics.httpRequest(path, method, status, seconds),
  });
  return {
    app,
    async close(servers, graceMs) {
      const endCalls = () => {
        openCalls.abortAll(stopping());
        mcpServer.endCalls(stopping());
      };
      mcpServer.sessions.closeListeners();
      await Promise.all(servers.map((server) => closeGently(server, graceMs, endCalls)));
      keepAlive.stop();
      modernServer.close();
      mcpServer.close();
      streamsAtMcp?.close();
    },
  };
}

/** Pages of logins send their forms from where browsers reach the gateway, which is an origin of its own. */
function originRulesOf({ loaded, mcp, signIn }: House, { listenAddress }: DoorOptions): OriginRules {
  const ownOrigins = [mcp.logins.externalUrl, signIn?.issuerUrl].flatMap((url) =>
    url !== undefined && URL.canParse(url) ? [new URL(url).origin] : [],
  );
  return { ...listenAddress, allowedOrigins: [...loaded.config.client.allowed_origins, ...ownOrigins] };
}

const mcpServerOf = ({ mcp, keys, gateway }: House, version: string): McpServer =>
  new McpServer({
    tools: gateway.tools,
    results: mcp.results,
    servers: mcp.clients.servers,
    version,
    virtual: (slug, caller) => mcp.virtualMcps.serving(slug, caller, mcp.clients.catalog),
    onVirtualChange: (listener) => {
      const ends = [mcp.virtualMcps.onChange(listener), keys.onChange(listener)];
      return () => {
        for (const end of ends) end();
      };
    },
  });

function adminOf(house: House, rules: OriginRules, { version, appDir, env, log, booting }: DoorOptions) {
  const { mcp, keys, signIn, gateway, callers, logs, loaded } = house;
  const { clients, logins, virtualMcps } = mcp;
  return adminOnDemand({
    version,
    config: () => loaded.config,
    check: adminCheck(rules),
    clients,
    auth: logins.auth,
    oauth: signIn,
    externalUrl: logins.externalUrl,
    store: mcp.overrides,
    safety: mcp.safety,
    virtualMcps,
    virtualMcpStore: mcp.virtualMcpStore,
    keys,
    keyStore: mcp.keyStore,
    library: openLibrary(loaded.config, appDir, log),
    environment: env,
    appDir,
    settings: mcp.settings,
    inspect: {
      ready: booting,
      callerOf: callers.callerOf,
      atVirtualMcp: (slug, caller) => virtualMcps.serving(slug, caller, clients.catalog)?.caller,
      offered: (caller) => gateway.tools.offeredTools(caller).map(({ name }) => name),
      onlyOnDemand: () => clients.toolManager.disable_auto_tool_inject,
    },
    logs: logQueries(logs),
  });
}

const listing =
  (catalog: ModelCatalog, log: Log): SideRoutes['listModels'] =>
  async ({ signal }) => {
    const { models, problems } = await catalog.listModels(signal);
    for (const problem of problems) log('warn', problem);
    return models;
  };
