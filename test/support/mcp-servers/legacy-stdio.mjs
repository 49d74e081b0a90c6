import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { newLegacyServer } from './legacy-tools.mjs';

process.stdin.on('end', () => process.exit(0));
await newLegacyServer().connect(new StdioServerTransport());
