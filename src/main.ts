#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import { runBundledServer } from './bundled-servers.ts';
import { type McpCommand, parseArguments, type ServeOptions } from './cli.ts';
import { undici } from './model/undici.ts';
import type { Running } from './serve.ts';
import { setUpV8, speedUpV8 } from './v8-flags.ts';

const WARM_UP_AFTER_MS = 250;

const command = parseArguments(process.argv.slice(2), process.env);

// a server at the end of a pipe ends with it
if (command.type !== 'mcp-server') outliveReaders();

switch (command.type) {
  case 'help':
    process.stdout.write(`${command.text}\n`);
    break;
  case 'version':
    process.stdout.write(`${version()}\n`);
    break;
  case 'invalid':
    process.stderr.write(`${command.text}\n`);
    process.exitCode = 2;
    break;
  case 'mcp-server':
    await runBundledServer(command.server, command.args);
    break;
  case 'mcp':
    await runMcpCommand(command);
    break;
  case 'serve':
    await runGateway(command);
}

/** The package's own version; package.json stands beside both `src` and `dist`. */
function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  // package.json of this package has a version
  return (JSON.parse(text) as { version: string }).version;
}

async function runMcpCommand(asked: McpCommand): Promise<void> {
  const { mcpCommand } = await import('./mcp-commands.ts');
  try {
    process.stdout.write(`${await mcpCommand(asked, process.env)}\n`);
  } catch (thrown) {
    process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
    process.exitCode = 1;
  }
}

async function runGateway(options: ServeOptions): Promise<void> {
  setUpV8();
  const [{ serve }, { openProcessLog }] = await Promise.all([import('./serve.ts'), import('./logs/process-log.ts')]);
  const processLog = await openProcessLog(options.logLevel, options.logStyle);
  try {
    const running = await serve(options, version(), processLog);
    stopOnSignal(running.stop);
    running.openLog();
    setTimeout(() => warmUp(running), WARM_UP_AFTER_MS).unref();
  } catch (thrown) {
    const explained = thrown instanceof Error && ['ConfigError', 'StartError', 'GatewayError'].includes(thrown.name);
    const text = thrown instanceof Error ? (explained ? thrown.message : (thrown.stack ?? thrown.message)) : thrown;
    process.stderr.write(`bifrost cannot start: ${text}\n`);
    process.exit(1);
  }
}

/** Before the first request has to wait for it, and behind whoever waits for the start. */
function warmUp(running: Running): void {
  undici();
  void running.warmUp();
  speedUpV8();
}

/** A pipe that is closed, or a terminal, takes its lines and not the gateway with it. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}

/** The first signal ends the gateway gently, the second at once, with the exit code that shells give for it. */
function stopOnSignal(stop: () => Promise<void>): void {
  const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals, number: number) => {
    if (stopping) process.exit(128 + number);
    stopping = true;
    stop().then(
      () => {
        if (terminals.every((descriptor) => isatty(descriptor))) process.exit(0);
        // Node 20 crashes over the settings of a terminal that is gone, which it gives back at its exit
        process.off(signal, onSignal).kill(process.pid, signal);
      },
      (thrown: unknown) => {
        process.stderr.write(`bifrost did not stop cleanly: ${String(thrown)}\n`);
        process.exit(1);
      },
    );
  };
  // the last one: its terminal was closed
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal);
}
