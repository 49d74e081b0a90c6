import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { createInterface } from 'node:readline';

// A server by hand that does to its client what no client deserves: one tool for each way.
const say = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const text = (id, value) => say({ id, result: { content: [{ type: 'text', text: value }] } });
const sleeper = () => spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)']);

process.stderr.write('the last words of a hostile server\n');
process.on('SIGTERM', () => {});

const ways = {
  calm: (id) => text(id, 'calm'),
  // the answer stands in the middle of it
  flood(id) {
    for (let line = 0; line < 20_000; line += 1) process.stdout.write(`debug ${line} {"not": json}\n`);
    text(id, 'through the flood');
    for (let line = 0; line < 20_000; line += 1) process.stdout.write('[1,2\n{}\nnull\n"text"\n\n');
  },
  async halves(id) {
    const whole = Buffer.from(
      `${JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'hälften 💥' }] } })}\n`,
    );
    for (const byte of whole) {
      process.stdout.write(Buffer.from([byte]));
      if (byte % 7 === 0) await new Promise((next) => setImmediate(next));
    }
  },
  huge: (id) => text(id, 'x'.repeat(50 * 1024 * 1024)),
  junk(id) {
    process.stdout.write(`${'y'.repeat(50 * 1024 * 1024)}\n`);
    text(id, 'behind the junk');
  },
  unfinished() {
    process.stdout.write('{"jsonrpc":"2.0","id":1,"resu', () => process.exit(3));
  },
  exit: () => process.exit(9),
  killed: () => process.kill(process.pid, 'SIGKILL'),
  deaf() {
    closeSync(0);
    setInterval(() => {}, 1_000);
  },
  mute() {
    closeSync(1);
    setInterval(() => {}, 1_000);
  },
  twice(id) {
    text(id, 'first');
    text(id, 'second');
    text(987_654, 'nobody asked');
  },
  forks(id) {
    const pids = [sleeper().pid, sleeper().pid];
    text(id, JSON.stringify(pids));
  },
  loud(id) {
    for (let line = 0; line < 50_000; line += 1) process.stderr.write(`noise ${line} ${'z'.repeat(100)}\n`);
    text(id, 'said');
  },
};

function answer({ id, method, params }) {
  if (id === undefined) return;
  if (method === 'initialize') {
    const { protocolVersion } = params;
    say({
      id,
      result: { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'hostile', version: '1' } },
    });
  } else if (method === 'tools/list') {
    say({ id, result: { tools: Object.keys(ways).map((name) => ({ name, inputSchema: { type: 'object' } })) } });
  } else if (method === 'tools/call') ways[params.name](id);
  else if (method === 'ping') say({ id, result: {} });
  else say({ id, error: { code: -32601, message: 'Method not found' } });
}

createInterface({ input: process.stdin }).on('line', (line) => answer(JSON.parse(line)));
