import type { Server } from 'node:http';
import { openAppDir } from './app-dir.ts';
import { type BannerFacts, bannerRecord, bannerText } from './banner.ts';
import type { ServeOptions } from './cli.ts';
import { loadConfig } from './config/load.ts';
import { probeHttp } from './config/probe.ts';
import type { Environment } from './config/secrets.ts';
import { openDoors } from './doors.ts';
import { openHouse } from './house.ts';
import { KeepAlive } from './http/event-stream.ts';
import { listen } from './listen.ts';
import type { ProcessLog } from './logs/process-log.ts';
import type { McpClients } from './mcp/clients.ts';
import { builtInDeployments } from './providers/registry.ts';

/** What the gateway stands in; tests give their own. */
export interface Surroundings {
  readonly env: Environment;
  readonly keepAlive: KeepAlive;
  /** How long answers in flight may go on once the gateway is told to stop. */
  readonly graceMs: number;
}

export interface Running {
  readonly url: string;
  /** Opens the request log ahead of the first request, whose row would wait for it where a killed gateway loses it. */
  openLog(): void;
  /** Does ahead what the first request would wait for. Never rejects. */
  warmUp(): Promise<void>;
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
  const listenAddress = { host, port };
  openAppDir(appDir);
  const detection = { detectable: builtInDeployments, probe: probeHttp };
  const loaded = await loadConfig({ appDir, env, listen: listenAddress, ...detection });
  const house = await openHouse(loaded, appDir, log);
  const { clients, requestServers } = house.mcp;
  let booting: Promise<void> | undefined;
  const doors = openDoors(house, { version, appDir, listenAddress, env, keepAlive, log, booting: () => booting });
  const servers = await listen(doors.app.server, host, port).catch(async (thrown: unknown) => {
    await house.logs.close();
    throw thrown;
  });
  const url = urlOf(servers, host, port);
  log('info', `listening on ${url}`);
  const known = { version, host, port: Number(new URL(url).port), loaded, isUsable: house.models.isUsable };
  booting = clients
    .start()
    .catch((thrown: unknown) => log('error', `the MCP clients did not start: ${String(thrown)}`))
    .finally(() => {
      booting = undefined;
      announce(clients, known, options, processLog);
    });
  return {
    url,
    openLog: () => house.logs.start(),
    warmUp: house.models.warmUp,
    async stop() {
      log('info', 'stopping: answers in flight may finish');
      await doors.close(servers, graceMs);
      // a request whose connection was ended still has its row to write
      await Promise.all([house.gateway.close(), clients.close(), requestServers.close(), doors.app.settled()]);
      await house.close();
      log('info', 'stopped');
      processLog.flush();
    },
  };
}

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
