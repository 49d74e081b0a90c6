import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { installed } from '../e2e/installed.ts';

const repository = resolve(import.meta.dirname, '../..');
const EVERYTHING = '@modelcontextprotocol/server-everything';

export interface McpSceneOptions {
  /** The harness, in a folder that may be written to. */
  readonly harness: string;
  /** For what the gateway keeps. */
  readonly folder: string;
  /** The built gateway. */
  readonly main: string;
}

/**
 * `tools/call` through /mcp, with filters, limits, safety and log on, beside an aggregator written by hand
 * (`agg-rawraw`, the reference) and those that others publish. All of them have the same server on stdio behind.
 */
export async function runMcpScene({ harness, folder, main }: McpSceneOptions): Promise<void> {
  const peers = await installed('mcp-peers', `${EVERYTHING}@2026.8.31`, 'mcp-proxy@6.7.19', 'mcp-hub@4.2.1');
  const packages = join(harness, 'node_modules');
  if (!existsSync(packages)) symlinkSync(join(repository, 'node_modules'), packages);
  const server = join(peers, 'node_modules', EVERYTHING, 'dist/index.js');
  const targets = join(folder, 'mcp-targets.json');
  writeFileSync(targets, JSON.stringify([gateway(join(folder, 'mcp'), main, server)]));
  const only = 'agg-rawraw,agg-raw,mcp-proxy,mcp-hub,ours';
  const args = ['--mods', peers, '--targets', targets, '--only', only, '--rounds', '5'];
  spawnSync(process.execPath, [join(harness, 'mcp.mjs'), ...args], { stdio: 'inherit' });
}

function gateway(appDir: string, main: string, server: string) {
  mkdirSync(appDir);
  const client = {
    name: 'everything',
    connection_type: 'stdio',
    stdio_config: { command: process.execPath, args: [server, 'stdio'] },
    tools_to_execute: ['*'],
  };
  writeFileSync(join(appDir, 'config.json'), JSON.stringify({ mcp: { client_configs: [client] } }));
  return {
    name: 'ours',
    tool: 'everything-echo',
    cmd: [process.execPath, main, '-app-dir', appDir, '-host', '127.0.0.1', '-port', '{port}'],
  };
}
