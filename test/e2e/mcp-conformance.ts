import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { mcpClient, toolManager } from '../../src/config/schema.ts';
import { callerOf } from '../../src/http/caller.ts';
import { handleMcp } from '../../src/http/mcp.ts';
import { originCheck } from '../../src/http/origin.ts';
import { McpClients } from '../../src/mcp/clients.ts';
import { McpServer } from '../../src/mcp/server/server.ts';
import { serverFile } from '../support/mcp-clients.ts';
import { installed } from './installed.ts';

const SUITE = '@modelcontextprotocol/conformance@0.1.16';
const REPOSITORY = resolve(import.meta.dirname, '../..');

const platform = process.platform === 'win32' ? 'win' : process.platform;

export interface Suite {
  /** Runs one scenario against a server. Gives undefined when it passed, else what the suite said. */
  run(url: string, scenario: string): Promise<string | undefined>;
  /** Runs one scenario against the gateway as a client. */
  runClient(scenario: string): Promise<string | undefined>;
}

/** The suite as its authors publish it, with the Node 22 that it needs beside it. */
export async function conformanceSuite(): Promise<Suite> {
  const folder = await installed('mcp-conformance', SUITE, `node-${platform}-${process.arch}@22`);
  const node = join(folder, 'node_modules', `node-${platform}-${process.arch}`, 'bin/node');
  const main = join(folder, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');
  const suite = (...args: string[]): Promise<string | undefined> =>
    new Promise((settle) => {
      execFile(node, [main, ...args], { cwd: folder, timeout: 90_000 }, (failed, stdout, stderr) => {
        settle(failed ? `${stdout}\n${stderr}` : undefined);
      });
    });
  const command = `${process.execPath} ${join(REPOSITORY, 'test/e2e/gateway-client.mjs')}`;
  return {
    run: (url, scenario) => suite('server', '--url', url, '--scenario', scenario),
    runClient: (scenario) => suite('client', '--command', command, '--scenario', scenario, '--timeout', '80000'),
  };
}

export interface ConformanceGateway {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * The gateway's /mcp over its own MCP clients, with the suite's tools behind it on stdio. The tools have their own
 * names here, as the suite calls them so; users see them as `<client>-<tool>`.
 */
export async function conformanceGateway(): Promise<ConformanceGateway> {
  const upstream = mcpClient.parse({
    name: 'reference',
    connection_type: 'stdio',
    stdio_config: { command: process.execPath, args: [serverFile('everything-like.mjs')] },
    tools_to_execute: ['*'],
  });
  const clients = new McpClients({
    clients: [upstream],
    toolManager: toolManager.parse({}),
    cwd: REPOSITORY,
    log: () => {},
    timing: { bootWaitMs: 30_000 },
  });
  await clients.start();
  const server = new McpServer({ tools: clients, version: '0.0.0', expose: (tool) => tool.upstreamName });
  const check = originCheck({ host: '127.0.0.1', port: 0, allowedOrigins: [] });
  const endpoint = { server, check, callerOf, maxBodyBytes: 1_000_000 };
  const http = createServer((request, response) => void handleMcp(request, response, endpoint));
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
  // a listening TCP server has an address
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async close() {
      server.close();
      http.closeAllConnections();
      await new Promise((closed) => http.close(closed));
      await clients.close();
    },
  };
}
