import { toolManager } from '../../../src/config/schema.ts';
import { McpClients } from '../../../src/mcp/clients.ts';
import { callOf, firstText, stdioConfig } from '../mcp-clients.ts';

// A gateway's MCP part alone, to be killed by a test: prints the ids of a server and of what that server started. Its
// first argument is the folder that it keeps its state in; with "polite" as the second the server ends with its input.
const [, , stateFolder, manner] = process.argv;
const clients = new McpClients({
  clients: [stdioConfig('ref', {}, ...(manner === 'polite' ? [] : ['--stubborn']))],
  toolManager: toolManager.parse({}),
  cwd: import.meta.dirname,
  log: () => {},
  // a busy machine may take its time: the ids are those of a server that is there
  timing: { bootWaitMs: 50_000 },
  ...(stateFolder && { stateFolder }),
});
await clients.start();
const grandchild = Number(firstText(await clients.call(callOf('ref-grandchild'))));
process.stdout.write(`${JSON.stringify([clients.statuses()[0]?.pid, grandchild])}\n`);
process.stdin.on('data', () => process.exit(0));
