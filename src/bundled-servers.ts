import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** True when this runs from the TypeScript sources, as in development and tests. */
const fromSource = import.meta.url.endsWith('.ts');

interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * The command of a stdio server: the word `bifrost` means this gateway's own program, wherever it is installed, so
 * that a config with the bundled servers works everywhere. Any other command is what it says.
 */
export function resolveCommand(command: string, args: readonly string[]): Command {
  if (command !== 'bifrost') return { command, args };
  const [word, name = '', ...rest] = args;
  const file = word === 'mcp-server' ? bundledServerFile(name) : undefined;
  // straight to the server: its start does not load the gateway
  const program = file ? [file, ...rest] : [fileURLToPath(new URL(`./main.${extension}`, import.meta.url)), ...args];
  return { command: process.execPath, args: [...loader(), ...program] };
}

/** Runs a bundled MCP server in this process, on its standard input and output. */
export async function runBundledServer(name: string, args: readonly string[]): Promise<void> {
  const file = bundledServerFile(name);
  if (!file) throw new Error(`the bundled MCP server "${name}" is not installed; run npm run build`);
  process.argv = [process.execPath, file, ...args];
  await import(file);
}

const extension = fromSource ? 'ts' : 'js';

function bundledServerFile(name: string): string | undefined {
  const folder = fromSource ? '../mcp-servers' : './mcp-servers';
  const file = fileURLToPath(new URL(`${folder}/${name}/main.${extension}`, import.meta.url));
  return /^[a-z]+$/.test(name) && existsSync(file) ? file : undefined;
}

const loader = (): string[] => (fromSource ? ['--import', import.meta.resolve('tsx')] : []);
