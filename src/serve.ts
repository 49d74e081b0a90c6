import type { Server } from 'node:http';
import { openAppDir } from './app-dir.ts';
import { type BannerFacts, bannerRecord, bannerText } from './banner.ts';
import { forAllowedCallers, openCallers, openVirtualKeys } from './callers.ts';
import type { ServeOptions } from './cli.ts';
import { codecs } from './codecs/index.ts';
import {
  adminOnDemand,
  logQueries,
  openLibrary,
  openMcp,
  openModels,
  openRequestLog,
  searchingClients,
} from './composition.ts';
import { loadConfig } from './config/load.ts';
import { probeHttp } from './config/probe.ts';
import type { Environment } from './config/secrets.ts';
import { createGateway } from './gateway/gateway.ts';
import { closeGently, createApp } from './http/app.ts';
import { KeepAlive } from './http/event-stream.ts';
import { KeptItems } from './http/kept-items.ts';
import { adminCheck, originCheck } from './http/origin.ts';
import { RequestIds } from './http/request-ids.ts';
import type { SideRoutes } from './http/side-routes.ts';
import { stopping } from './http/stopping.ts';
import { listen } from './listen.ts';
import { createMetrics } from './logs/metrics.ts';
import type { McpClients } from './mcp/clients.ts';
import { ModernServer } from './mcp/modern/server.ts';
import { McpServer } from './mcp/server/server.ts';
import { openSignIn } from './mcp-sign-in.ts';
import { AbortPool } from './model/abort-pool.ts';
import { modelCallers } from './model-callers.ts';
import { openKnowledge } from './model-sheet.ts';
import type { Log, ProcessLog } from './process-log.ts';
import { builtInDeployments } from './providers/registry.ts';
import type { ModelCatalog } from './router/catalog.ts';

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
  openAppDir(appDir);
  const listenAddress = { host, port };
  const loaded = await loadConfig({
    appDir,
    env,
    listen: listenAddress,
    detectable: builtInDeployments,
    probe: probeHttp,
  });
  const { config } = loaded;

  const metrics = createMetrics();
  const rooms = await openMcp(loaded, appDir, log);
  const { clients: mcp, logins, safety, results, requestServers, overrides, virtualMcps, virtualMcpStore } = rooms;
  const keys = openVirtualKeys(config, mcp, virtualMcps, rooms.keyStore.entries, log);
  const signIn = await openSignIn(config, keys, log);
  const callers = openCallers(config, mcp, keys, signIn);
  const knowledge = openKnowledge(config, appDir, log);
  const logs = openRequestLog(config, metrics, knowledge.models, log);
  const models = openModels(loaded, log, knowledge.models, () => searchingClients(mcp));
  const gateway = createGateway({
    routed: forAllowedCallers(models.routed, keys),
    routedOperation: forAllowedCallers(models.routedOperation, keys),
    countTokens: models.catalog.countTokens,
    mcp,
    results,
    serverTools: {
      wordsOf: (dialect) => codecs[dialect].serverTools,
      hostOf: models.serverToolHost,
      servers: requestServers,
    },
    toolManager: rooms.settings.toolManager,
    sink: logs.sink,
  });
  mcp.relay.answerSampling = gateway.answerSampling;

  // the pages of logins send their forms from where browsers reach the gateway
  const ownOrigins = [logins.externalUrl, signIn?.issuerUrl].flatMap((url) =>
    url !== undefined && URL.canParse(url) ? [new URL(url).origin] : [],
  );
  const originRules = { ...listenAddress, allowedOrigins: [...config.client.allowed_origins, ...ownOrigins] };
  const check = originCheck(originRules);
  const maxBodyBytes = config.client.max_request_body_size_mb * 1024 * 1024;
  const { callerOf } = callers;
  const mcpServer = new McpServer({
    tools: gateway.tools,
    results,
    servers: mcp.servers,
    version,
    virtual: (slug, caller) => virtualMcps.serving(slug, caller, mcp.catalog),
    onVirtualChange: (listener) => {
      const ends = [virtualMcps.onChange(listener), keys.onChange(listener)];
      return () => {
        for (const end of ends) end();
      };
    },
  });
  const modernServer = new ModernServer(mcpServer);
  const openCalls = new AbortPool();
  let booting: Promise<void> | undefined;
  const app = createApp({
    booting: () => booting,
    call: gateway.call,
    operate: gateway.operate,
    ownerOf: gateway.ownerOf,
    codecs,
    callerOf: modelCallers(config, callerOf),
    keepAlive,
    requestIds: new RequestIds(),
    openCalls,
    items: new KeptItems(),
    maxBodyBytes,
    maxHeaderBytes: config.server.read_buffer_size,
    check,
    mcp: {
      server: mcpServer,
      modern: modernServer,
      check,
      callerOf: callers.atMcp,
      streams: callers.streamsAtMcp,
      maxBodyBytes,
    },
    sideRoutes: {
      listModels: listing(models.catalog, log),
      countTokens: gateway.countTokens,
      executeTool: gateway.executeTool,
    },
    admin: adminOnDemand({
      version,
      config: () => config,
      check: adminCheck(originRules),
      clients: mcp,
      auth: logins.auth,
      oauth: signIn,
      externalUrl: logins.externalUrl,
      store: overrides,
      safety,
      virtualMcps,
      virtualMcpStore,
      keys,
      keyStore: rooms.keyStore,
      library: openLibrary(config, appDir, log),
      environment: env,
      appDir,
      settings: rooms.settings,
      inspect: {
        ready: () => booting,
        callerOf,
        atVirtualMcp: (slug, caller) => virtualMcps.serving(slug, caller, mcp.catalog)?.caller,
        offered: (caller) => gateway.tools.offeredTools(caller).map(({ name }) => name),
        onlyOnDemand: () => mcp.toolManager.disable_auto_tool_inject,
      },
      logs: logQueries(logs),
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
  log('info', `listening on ${url}`);
  booting = mcp
    .start()
    .catch((thrown: unknown) => log('error', `the MCP clients did not start: ${String(thrown)}`))
    .finally(() => {
      booting = undefined;
      announce(
        mcp,
        { version, host, port: Number(new URL(url).port), loaded, isUsable: models.isUsable },
        options,
        processLog,
      );
    });

  return {
    url,
    async stop() {
      log('info', 'stopping: answers in flight may finish');
      const endCalls = () => {
        openCalls.abortAll(stopping());
        mcpServer.endCalls(stopping());
      };
      mcpServer.sessions.closeListeners();
      await Promise.all(servers.map((server) => closeGently(server, graceMs, endCalls)));
      keepAlive.stop();
      modernServer.close();
      mcpServer.close();
      callers.streamsAtMcp?.close();
      // a request whose connection was ended still has its row to write
      await Promise.all([gateway.close(), mcp.close(), requestServers.close(), app.settled()]);
      await Promise.all([logins.close(), signIn?.close()]);
      await logs.close();
      await models.close();
      knowledge.close();
      log('info', 'stopped');
      processLog.flush();
    },
  };
}

const listing =
  (catalog: ModelCatalog, log: Log): SideRoutes['listModels'] =>
  async ({ signal }) => {
    const { models, problems } = await catalog.listModels(signal);
    for (const problem of problems) log('warn', problem);
    return models;
  };

function urlOf([first]: readonly Server[], host: string, port: number): string {
  const address = first?.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
}

/** Says that the gateway is ready, once the MCP servers have had their chance to come up. */
function announce(
  mcp: McpClients,
  known: Omit<BannerFacts, 'mcpClients'>,
  { logStyle }: ServeOptions,
  { log, print }: ProcessLog,
): void {
  const mcpClients = mcp.statuses().map(({ name, state, tools }) => ({ name, state, toolCount: tools.length }));
  const facts = { ...known, mcpClients };
  if (logStyle === 'json') log('info', 'the gateway is ready', bannerRecord(facts));
  else print(bannerText(facts));
}
