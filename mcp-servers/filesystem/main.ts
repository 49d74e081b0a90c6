import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { messageOf, refuseToStart, serveOverStdio, serverVersion } from '../support.ts';
import { registerReadTools } from './read-tools.ts';
import { describeRoots, openRoots, type Roots } from './roots.ts';
import { registerSearchTool } from './search-tool.ts';
import { registerWriteTools } from './write-tools.ts';

const roots: Roots = await openRoots(process.argv.slice(2)).catch((error) =>
  refuseToStart('filesystem', messageOf(error)),
);

const server = new McpServer(
  { name: 'filesystem', title: 'Filesystem', version: serverVersion },
  { instructions: `Files in: ${describeRoots(roots)}. Relative paths start at ${roots[0].given}.` },
);
registerReadTools(server, roots);
registerSearchTool(server, roots);
registerWriteTools(server, roots);
await serveOverStdio(server);
