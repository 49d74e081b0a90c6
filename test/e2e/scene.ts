import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Providers, startProviders } from '../clients/scene.ts';
import { keyed } from '../support/gateway.ts';
import { type GatewayProcess, startGateway } from '../support/gateway-process.ts';
import { toolsThere } from './tools-there.ts';

/** A server of its own process, all of whose tools run by themselves. */
export const stdioClient = (name: string, command: string, ...args: string[]) => ({
  name,
  connection_type: 'stdio',
  stdio_config: { command, args },
  tools_to_execute: ['*'],
  tools_to_auto_execute: ['*'],
});

/** The bundled server on the folder `workspace` of the app-dir. */
export const filesystem = stdioClient('filesystem', 'bifrost', 'mcp-server', 'filesystem', 'workspace');

export function writeIntoWorkspace({ appDir }: GatewayProcess, name: string, text: string): void {
  const workspace = join(appDir, 'workspace');
  mkdirSync(workspace, { recursive: true });
  writeFileSync(join(workspace, name), text);
}

export interface AgentScene {
  readonly providers: Providers;
  readonly gateway: GatewayProcess;
  close(): Promise<void>;
}

export interface AgentSceneOptions {
  /** What stands in `workspace/note.txt`. */
  readonly note: string;
  readonly mcp?: { readonly client_configs: readonly object[]; readonly tool_manager_config?: object };
  /** How many tools there are once all servers are up. */
  readonly tools?: number;
  /** What the config says of the provider at this address. */
  readonly provider?: (url: string) => object;
}

/** Scripted providers of every format and a gateway before them, with its tools there. */
export async function startAgentScene({
  note,
  mcp = { client_configs: [filesystem] },
  tools = 1,
  provider = keyed,
}: AgentSceneOptions): Promise<AgentScene> {
  const providers = await startProviders();
  const entries = Object.entries(providers.urls).map(([name, url]) => [name, provider(url)]);
  const gateway = await startGateway({ providers: Object.fromEntries(entries), mcp });
  await toolsThere(gateway, tools);
  writeIntoWorkspace(gateway, 'note.txt', note);
  const close = async () => {
    await gateway.stop();
    await providers.close();
  };
  return { providers, gateway, close };
}
