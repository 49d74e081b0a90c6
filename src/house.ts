import { resolveCommand } from './bundled-servers.ts';
import { codecs } from './codecs/index.ts';
import type { LoadedConfig } from './config/load.ts';
import { createGateway, type Gateway } from './gateway/gateway.ts';
import type { VirtualKeys } from './governance/virtual-keys.ts';
import type { Logs } from './logs/logs.ts';
import { createMetrics, type Metrics } from './logs/metrics.ts';
import type { Log } from './logs/process-log.ts';
import { type Callers, forAllowedCallers, openCallers, openVirtualKeys } from './rooms/callers.ts';
import { type Mcp, openMcp, searchingClients } from './rooms/mcp.ts';
import { openSignIn, type SignIn } from './rooms/mcp-sign-in.ts';
import { openKnowledge } from './rooms/model-sheet.ts';
import { type Models, openModels } from './rooms/models.ts';
import { openRequestLog } from './rooms/request-log.ts';

/** Everything of a gateway that is no door: its rooms, and the request path through them. */
export interface House {
  readonly loaded: LoadedConfig;
  readonly metrics: Metrics;
  readonly mcp: Mcp;
  readonly keys: VirtualKeys;
  readonly signIn: SignIn | undefined;
  readonly callers: Callers;
  readonly logs: Logs;
  readonly models: Models;
  readonly gateway: Gateway;
  /** Ends what the doors have no part in, in the order in which rows are still written. */
  close(): Promise<void>;
}

/** Opens the rooms and joins them. MCP servers are not dialled yet. Throws ConfigError. */
export async function openHouse(loaded: LoadedConfig, appDir: string, log: Log): Promise<House> {
  const { config } = loaded;
  const metrics = createMetrics(config.client.prometheus_labels);
  const mcp = await openMcp(loaded, appDir, resolveCommand, log);
  const keys = openVirtualKeys(config, mcp.clients, mcp.virtualMcps, mcp.keyStore.entries, log);
  const signIn = await openSignIn(config, keys, log);
  const callers = openCallers(config, mcp.clients, keys, signIn);
  const knowledge = openKnowledge(config, appDir, log);
  const logs = openRequestLog(config, metrics, knowledge.models, log);
  const models = openModels(loaded, log, knowledge.models, () => searchingClients(mcp.clients));
  const gateway = joined(mcp, keys, models, logs);
  return {
    loaded,
    metrics,
    mcp,
    keys,
    signIn,
    callers,
    logs,
    models,
    gateway,
    async close() {
      await Promise.all([mcp.logins.close(), signIn?.close()]);
      await logs.close();
      await models.close();
      knowledge.close();
    },
  };
}

/** The request path; the models behind it answer MCP servers too, where a client's config lets them. */
function joined(mcp: Mcp, keys: VirtualKeys, models: Models, logs: Logs): Gateway {
  const gateway = createGateway({
    routed: forAllowedCallers(models.routed, keys),
    routedOperation: forAllowedCallers(models.routedOperation, keys),
    countTokens: models.catalog.countTokens,
    mostTools: models.mostTools,
    mcp: mcp.clients,
    results: mcp.results,
    serverTools: {
      wordsOf: (dialect) => codecs[dialect].serverTools,
      hostOf: models.serverToolHost,
      servers: mcp.requestServers,
    },
    toolManager: mcp.settings.toolManager,
    sink: logs.sink,
  });
  mcp.clients.relay.answerSampling = gateway.answerSampling;
  return gateway;
}
