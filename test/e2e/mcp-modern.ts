import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startGatewayHere } from '../support/gateway.ts';
import { installed } from './installed.ts';

const SUITE = '@modelcontextprotocol/conformance@0.2.0-alpha.12';
const REVISION = '2026-07-28';
/** The suite's own server is not in its package. */
const REFERENCE =
  'https://raw.githubusercontent.com/modelcontextprotocol/conformance/c321dd32035556e6769d3724a8ee97d87c3faaac/examples/servers/typescript/everything-server.ts';
const DRIVER = resolve(import.meta.dirname, 'modern-client.ts');

const platform = process.platform === 'win32' ? 'win' : process.platform;

interface Suite {
  readonly node: string;
  readonly main: string;
  readonly folder: string;
}

async function modernSuite(): Promise<Suite> {
  const folder = await installed('mcp-conformance-2026', SUITE, `node-${platform}-${process.arch}@22`);
  return {
    folder,
    node: join(folder, 'node_modules', `node-${platform}-${process.arch}`, 'bin/node'),
    main: join(folder, 'node_modules/@modelcontextprotocol/conformance/dist/index.js'),
  };
}

/** What the revision requires of servers and of clients, as the suite's package lists it. */
export async function requiredScenarios(): Promise<{ server: string[]; client: string[] }> {
  const { folder } = await modernSuite();
  const file = join(folder, 'node_modules/@modelcontextprotocol/conformance/requirements', `${REVISION}.yaml`);
  const lists = readFileSync(file, 'utf8').split(/^(?=\w+:$)/m);
  const listOf = (name: string) =>
    [...(lists.find((list) => list.startsWith(`${name}:`)) ?? '').matchAll(/^ {2}- (\S+)$/gm)].map(
      ([, item]) => item ?? '',
    );
  return { server: listOf('server'), client: listOf('client') };
}

/** By scenario: what failed in it. A scenario that did not run is not there. */
export type Failures = ReadonlyMap<string, readonly string[]>;

/** Every required server scenario at the gateway's /mcp/<client>, with the suite's reference server as upstream. */
export async function serverFailures(): Promise<Failures> {
  const reference = await startReference();
  const gateway = await startGatewayHere({ mcp: { client_configs: [clientAt(reference.url)] } });
  try {
    return await reported(['server', '--url', `${gateway.url}/mcp/reference`, '--requirements', REVISION]);
  } finally {
    await gateway.stop();
    reference.stop();
  }
}

/** One client scenario, played by a client of the older era through the gateway. */
export async function clientFailures(scenario: string): Promise<readonly string[] | undefined> {
  const command = `${process.execPath} --import tsx ${DRIVER}`;
  const args = ['client', '--scenario', scenario, '--spec-version', REVISION, '--command', command];
  return (await reported(args)).get(scenario);
}

export const clientAt = (url: string) => ({
  name: 'reference',
  connection_type: 'http',
  connection_string: url,
  tools_to_execute: ['*'],
});

interface Check {
  readonly status: string;
  readonly id: string;
  readonly errorMessage?: string;
}

/** Runs the suite and reads what it left of each scenario. */
async function reported(args: readonly string[]): Promise<Failures> {
  const { node, main } = await modernSuite();
  const out = mkdtempSync(join(tmpdir(), 'conformance-'));
  try {
    // from this folder, so that commands find what they import
    const options = { cwd: resolve(import.meta.dirname, '../..'), timeout: 110_000 };
    await new Promise<void>((ended) => execFile(node, [main, ...args, '-o', out], options, () => ended()));
    return new Map(readdirSync(out, { recursive: true, encoding: 'utf8' }).flatMap((file) => scenarioIn(out, file)));
  } finally {
    rmSync(out, { recursive: true });
  }
}

function scenarioIn(out: string, file: string): [string, string[]][] {
  const [, scenario] = /^(?:server-)?(.+)-\d{4}-\d{2}-\d{2}T[^/]*[/\\]checks\.json$/.exec(file) ?? [];
  if (scenario === undefined) return [];
  const checks = JSON.parse(readFileSync(join(out, file), 'utf8')) as Check[];
  const failed = checks.filter(({ status }) => status === 'FAILURE');
  return [[scenario, failed.map(({ id, errorMessage }) => `${id}: ${errorMessage}`)]];
}

/** The suite's servers listen on every interface unless told otherwise. */
const LOOPBACK = `data:text/javascript,${encodeURIComponent(`
  import net from 'node:net';
  const listen = net.Server.prototype._listen2;
  net.Server.prototype._listen2 = function (address, ...rest) {
    return listen.call(this, address ?? '127.0.0.1', ...rest);
  };
`)}`;

async function startReference(): Promise<{ url: string; stop(): void }> {
  const folder = await installed(
    'mcp-reference-server',
    '@modelcontextprotocol/sdk@^1.29.0',
    'express@^5',
    'cors@^2',
    'zod@^4',
    'tsx@^4',
  );
  const file = join(folder, 'everything-server.ts');
  if (!existsSync(file)) {
    const response = await fetch(REFERENCE);
    if (!response.ok) throw new Error(`${REFERENCE} gave ${response.status}; put the file at ${file}`);
    writeFileSync(file, await response.text());
  }
  const port = await freePort();
  const { node } = await modernSuite();
  const server = spawn(node, ['--import', LOOPBACK, '--import', 'tsx', file], {
    cwd: folder,
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((started) => server.stdout.once('data', started));
  return { url: `http://127.0.0.1:${port}/mcp`, stop: () => server.kill() };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  return typeof address === 'object' && address ? address.port : 0;
}
