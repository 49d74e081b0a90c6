import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach } from 'vitest';
import { type McpClientConfig, mcpClient, toolManager } from '../../src/config/schema.ts';
import { McpClients, type McpClientsOptions } from '../../src/mcp/clients.ts';
import type { ToolCallRequest, ToolResult } from '../../src/mcp/contract.ts';
import type { Caller } from '../../src/model/call.ts';

export const serverFile = (name: string): string => resolve(import.meta.dirname, 'mcp-servers', name);

export const nobody: Caller = { forwardHeaders: {} };

/** A client config as the loader makes it. */
export const clientConfig = (input: Record<string, unknown>): McpClientConfig =>
  mcpClient.parse({ tools_to_execute: ['*'], ...input });

/** The test server on stdio. */
export const stdioConfig = (name: string, input: Record<string, unknown> = {}, ...args: string[]): McpClientConfig =>
  clientConfig({
    name,
    connection_type: 'stdio',
    stdio_config: { command: process.execPath, args: [serverFile('stdio.mjs'), ...args] },
    ...input,
  });

export interface LogLine {
  readonly level: string;
  readonly message: string;
}

/** Clients with short waits, and everything they logged. */
export function newClients(
  clients: readonly McpClientConfig[],
  options: Partial<McpClientsOptions> = {},
): { clients: McpClients; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const made = new McpClients({
    clients,
    toolManager: toolManager.parse({}),
    cwd: import.meta.dirname,
    log: (level, message) => lines.push({ level, message }),
    random: () => 0.5,
    ...options,
    timing: {
      bootWaitMs: 15_000,
      checkRetriesMs: [],
      unstableCheckMs: 50,
      backoffInitialMs: 20,
      backoffMaxMs: 100,
      listChangedDebounceMs: 10,
      graceMs: 500,
      ...options.timing,
    },
  });
  return { clients: made, lines };
}

/** Gives a way to start clients that are closed after each test of the file. */
export function startedClients(): (
  configs: readonly McpClientConfig[],
  options?: Partial<McpClientsOptions>,
) => Promise<{ clients: McpClients; lines: LogLine[] }> {
  const open: McpClients[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((clients) => clients.close()));
  });
  return async (configs, options) => {
    const made = newClients(configs, options);
    open.push(made.clients);
    await made.clients.start();
    return made;
  };
}

export const callOf = (name: string, args: ToolCallRequest['arguments'] = {}, more: Partial<ToolCallRequest> = {}) => ({
  name,
  arguments: args,
  caller: nobody,
  signal: new AbortController().signal,
  ...more,
});

export const firstText = (result: ToolResult): string => String(result.content[0]?.text);

/** Long enough for any busy machine, and less than a test may take, so that a failure names its condition. */
export const PATIENCE_MS = 50_000;

/** Resolves when `holds` does, which is looked at every few milliseconds. */
export async function until(holds: () => boolean): Promise<void> {
  const givenUpAtMs = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > givenUpAtMs) throw new Error(`in ${PATIENCE_MS / 1_000} s it did not come true: ${holds}`);
    await new Promise((next) => setTimeout(next, 5));
  }
}

/** A process that has ended but that its parent has not noticed yet does not count. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync('/proc/self/stat') || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
