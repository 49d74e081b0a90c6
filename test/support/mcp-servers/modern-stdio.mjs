import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { newModernServer } from './modern-tools.mjs';

// Knows the newer era only, unless told to greet the older one too.
serveStdio(() => newModernServer(), { legacy: process.argv.includes('--both') ? 'serve' : 'reject' });
