import { appendFileSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

// A stdio server without an SDK, which starts as fast as Node does.
// --starts <file>: a line for each start. --tools <file>: names of its tools, one a line. --stubborn: outlives its input.
const option = (name) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? undefined : process.argv[at + 1];
};

const starts = option('starts');
if (starts) appendFileSync(starts, `${process.pid}\n`);
const toolsFile = option('tools');
const toolNames = toolsFile ? readFileSync(toolsFile, 'utf8').trim().split('\n') : [];
const kept = [];

const TOOLS = {
  echo: async ({ value }) => String(value),
  pid: async () => String(process.pid),
  crash: async () => process.exit(7),
  slow: ({ ms }) => new Promise((resolve) => setTimeout(() => resolve('done'), ms)),
  // filled, so that the pages are really there
  hoard: async ({ megabytes }) => {
    kept.push(Buffer.alloc(megabytes * 1024 * 1024, 1));
    return 'kept';
  },
};

const METHODS = {
  initialize: async ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'light', version: '1' },
    instructions: 'Use it lightly.',
  }),
  ping: async () => ({}),
  'tools/list': async () => ({
    tools: [...Object.keys(TOOLS), ...toolNames].map((name) => ({
      name,
      inputSchema: { type: 'object' },
      annotations: { readOnlyHint: name === 'echo' },
    })),
  }),
  'tools/call': async ({ name, arguments: args }) => ({
    content: [{ type: 'text', text: TOOLS[name] ? await TOOLS[name](args) : `I am ${name}` }],
  }),
};

async function answer({ id, method, params }) {
  const run = METHODS[method];
  const outcome = run ? { result: await run(params) } : { error: { code: -32601, message: 'Method not found' } };
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...outcome })}\n`);
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const message = JSON.parse(line);
  if (message.id !== undefined && message.method) void answer(message);
});
if (process.argv.includes('--stubborn')) {
  process.on('SIGTERM', () => {});
  setInterval(() => {}, 1_000);
} else process.stdin.on('end', () => process.exit(0));
