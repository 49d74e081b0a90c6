import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installed } from '../e2e/installed.ts';
import { freePort } from '../support/gateway-process.ts';
import { startEverythingLike as startStandIn } from '../support/mcp-servers/everything-like.mjs';
import { suiteNode } from './suite.ts';

/** The suite's own server is not in its package. */
const SOURCE =
  'https://raw.githubusercontent.com/modelcontextprotocol/conformance/c321dd32035556e6769d3724a8ee97d87c3faaac/examples/servers/typescript/everything-server.ts';

export interface ReferenceServer {
  readonly url: string;
  close(): Promise<void>;
}

/** What the reference server imports; packages are found from where its file lies. */
const PACKAGES = ['@modelcontextprotocol/sdk@^1.29.0', 'express@^5', 'cors@^2', 'zod@^4', 'tsx@^4'];

const folder = () => installed('mcp-reference-server', ...PACKAGES);

/** The suite's reference server, fetched once; undefined where neither GitHub nor a copy of it is within reach. */
export async function referenceFile(): Promise<string | undefined> {
  const { BIFROST_E2E_REFERENCE_SERVER: given } = process.env;
  const file = join(await folder(), 'everything-server.ts');
  if (given) copyFileSync(given, file);
  if (existsSync(file)) return file;
  const response = await fetch(SOURCE, { signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
  if (response?.ok) writeFileSync(file, await response.text());
  else process.stdout.write(`${SOURCE} is out of reach: a server of our own stands in for it\n`);
  return response?.ok ? file : undefined;
}

/** The server of this file; without one, a server of our own with the tools of 2025-11-25. */
export async function startReferenceServer(file: string | undefined): Promise<ReferenceServer> {
  if (file) return started(await folder(), file);
  const { url, close } = await startStandIn();
  return { url, close };
}

async function started(cwd: string, file: string): Promise<ReferenceServer> {
  const port = await freePort();
  const server = spawn(await suiteNode(), ['--import', LOOPBACK, '--import', 'tsx', file], {
    cwd,
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((done) => server.once('exit', () => done()));
  // it says so once it listens
  await Promise.race([new Promise((listening) => server.stdout.once('data', listening)), ended]);
  if (server.exitCode !== null) throw new Error(`the reference server ended with ${server.exitCode}`);
  server.stdout.resume();
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    close: () => {
      server.kill();
      return ended;
    },
  };
}

/** The suite's servers listen on every interface unless told otherwise. */
const LOOPBACK = `data:text/javascript,${encodeURIComponent(`
  import net from 'node:net';
  const listen = net.Server.prototype._listen2;
  net.Server.prototype._listen2 = function (address, ...rest) {
    return listen.call(this, address ?? '127.0.0.1', ...rest);
  };
`)}`;
