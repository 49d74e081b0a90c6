import { createInterface } from 'node:readline';

// A server by hand, for what no SDK does. --silent: answers nothing before `initialize`. --strict: ends when anything
// comes before it. --slow: takes its time to start.
const is = (flag) => process.argv.includes(flag);
const say = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
let isOpen = false;

function answer({ id, method, params }) {
  if (id === undefined) return;
  if (method === 'initialize') {
    isOpen = true;
    const { protocolVersion } = params;
    say({ id, result: { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'old', version: '1' } } });
  } else if (!isOpen && is('--strict')) {
    process.exit(1);
  } else if (method === 'tools/list') {
    say({ id, result: { tools: [{ name: 'seen', inputSchema: { type: 'object' } }] } });
  } else if (method === 'tools/call') {
    say({ id, result: { content: [{ type: 'text', text: JSON.stringify(seen) }] } });
  } else if (isOpen || !is('--silent')) {
    say({ id, error: { code: -32601, message: 'Method not found' } });
  }
}

const seen = [];
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const message = JSON.parse(line);
    seen.push(message.method);
    answer(message);
  })
  .on('close', () => process.exit(0));
