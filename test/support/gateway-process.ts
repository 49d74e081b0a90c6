import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const MAIN = resolve(import.meta.dirname, '../../src/main.ts');
const FROM_SOURCE: readonly string[] = ['--import', 'tsx', MAIN];

/** As it was built last: what `npm start` and an installed package run. */
export const BUILT = [resolve(import.meta.dirname, '../../dist/main.js')];

export interface GatewayProcess {
  readonly url: string;
  readonly appDir: string;
  readonly child: ChildProcess;
  readonly pid: number;
  /** All that it wrote so far. */
  output(): string;
  /** Ends it as an operator would and gives its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/**
 * The gateway as users run it: a process of its own with an app-dir of its own. Resolves once it answers. Without a
 * config there is no file; text is written as it is.
 */
export async function startGateway(
  config: unknown,
  env: Record<string, string> = {},
  program: readonly string[] = FROM_SOURCE,
): Promise<GatewayProcess> {
  const started = spawnGateway(config, ['-port', '0', '-host', '127.0.0.1'], env, program);
  const url = await listeningAt(started.child, started.output);
  return { ...started, url, pid: started.child.pid ?? 0 };
}

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** A gateway that is to end by itself: because it cannot start, or because it was only asked something. */
export async function runGateway(config: unknown, args: readonly string[], env = {}): Promise<Ended> {
  const started = spawnGateway(config, args, env);
  const code = await started.exited;
  rmSync(started.appDir, { recursive: true });
  return { code, output: started.output() };
}

function spawnGateway(config: unknown, args: readonly string[], env: Record<string, string>, program = FROM_SOURCE) {
  const appDir = mkdtempSync(join(tmpdir(), 'bifrost-app-'));
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  if (config !== undefined) writeFileSync(join(appDir, 'config.json'), text);
  const child = spawn(process.execPath, [...program, '-app-dir', appDir, ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: appDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const exited = new Promise<number | null>((done) => child.on('close', (code) => done(code)));
  return {
    appDir,
    child,
    exited,
    output: () => output,
    stop: (signal: NodeJS.Signals = 'SIGTERM') => {
      child.kill(signal);
      return exited;
    },
  };
}

/** For programs that cannot choose one by themselves: somebody else may have it by the time they listen. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  // a listening TCP server has an address
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** The address that it says: a port chosen before it starts may be somebody else's by then. */
async function listeningAt(child: ChildProcess, output: () => string): Promise<string> {
  const deadline = Date.now() + 50_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}: ${output()}`);
    const url = /listening on (http:\/\/[\d.]+:\d+)/.exec(output())?.[1];
    if (url) return url;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error(`the gateway did not listen within 50 s: ${output()}`);
}
