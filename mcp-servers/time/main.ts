import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { refuseToStart, serveOverStdio, serverVersion } from '../support.ts';
import { registerTimeTools } from './tools.ts';

if (process.argv.length > 2) refuseToStart('time', 'takes no arguments; set TZ to change the system time zone');

const server = new McpServer({ name: 'time', title: 'Time', version: serverVersion });
registerTimeTools(server);
await serveOverStdio(server);
