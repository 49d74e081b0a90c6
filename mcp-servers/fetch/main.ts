import { lookup } from 'node:dns/promises';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { refuseToStart, serveOverStdio, serverVersion } from '../support.ts';
import { reservedPurpose } from './address.ts';
import { registerFetchTool } from './tool.ts';

const unknown = process.argv.slice(2).find((argument) => argument !== '--allow-private');
if (unknown !== undefined) refuseToStart('fetch', `unknown argument '${unknown}'; the only one is --allow-private`);
const allowsPrivate = process.argv.includes('--allow-private');

const server = new McpServer({ name: 'fetch', title: 'Fetch', version: serverVersion });
registerFetchTool(server, {
  resolve: (host) => lookup(host, { all: true }),
  forbiddenPurpose: allowsPrivate ? () => undefined : reservedPurpose,
  timeoutMs: 20_000,
  maxBytes: 5 * 1024 * 1024,
});
await serveOverStdio(server);
