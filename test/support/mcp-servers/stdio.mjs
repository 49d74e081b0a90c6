import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { newServer } from './tools.mjs';

// --stubborn: outlives the end of its input and SIGTERM. --banner: prints what is no JSON first.
if (process.argv.includes('--stubborn')) {
  process.on('SIGTERM', () => {});
  setInterval(() => {}, 1_000);
}
if (process.argv.includes('--banner')) process.stdout.write('Welcome to the test server!\n');
process.stderr.write(`started with ${process.argv.length - 2} arguments\n`);
if (!process.argv.includes('--stubborn')) process.stdin.on('end', () => process.exit(0));
await newServer().connect(new StdioServerTransport());
