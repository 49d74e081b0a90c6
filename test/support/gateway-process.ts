import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const MAIN = resolve(import.meta.dirname, '../../src/main.ts');

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

/** The gateway as users run it: a process of its own with an app-dir of its own. Resolves once it answers. */
export async function startGateway(config: unknown, env: Record<string, string> = {}): Promise<GatewayProcess> {
  const appDir = mkdtempSync(join(tmpdir(), 'bifrost-app-'));
  writeFileSync(join(appDir, 'config.json'), JSON.stringify(config));
  const port = await freePort();
  const args = ['--import', 'tsx', MAIN, '-app-dir', appDir, '-port', String(port), '-host', '127.0.0.1'];
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH ?? '', HOME: appDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const exited = new Promise<number | null>((done) => child.on('exit', (code) => done(code)));
  const url = `http://127.0.0.1:${port}`;
  await answering(url, child, () => output);
  return {
    url,
    appDir,
    child,
    pid: child.pid ?? 0,
    output: () => output,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal);
      return exited;
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  // a listening TCP server has an address
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

async function answering(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}: ${output()}`);
    const answer = await fetch(`${url}/health`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error(`the gateway did not answer within 20 s: ${output()}`);
}
