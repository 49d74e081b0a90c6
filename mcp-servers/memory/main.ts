import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { messageOf, refuseToStart, serveOverStdio, serverVersion } from '../support.ts';
import { type Db, openDatabase } from './database.ts';
import { registerMemoryTools } from './tools.ts';

const [file = './memory.db', ...rest] = process.argv.slice(2);
if (rest.length > 0) refuseToStart('memory', 'takes one argument: the file of the memory, by default ./memory.db');

const db = open(file);
process.once('exit', () => db.close());

const server = new McpServer(
  { name: 'memory', title: 'Memory', version: serverVersion },
  { instructions: 'Lasting memory. Recall before you answer about something known; remember what should last.' },
);
registerMemoryTools(server, db);
await serveOverStdio(server);

function open(path: string): Db {
  try {
    return openDatabase(path);
  } catch (error) {
    return refuseToStart('memory', messageOf(error));
  }
}
