import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { installed, NODE_22, nodeOf } from '../e2e/installed.ts';

/** The released line, for revisions up to 2025-11-25; and the one that knows 2026-07-28. */
const RELEASES = { released: '0.1.16', next: '0.2.0-alpha.12' } as const;

export type Release = keyof typeof RELEASES;

const REPOSITORY = resolve(import.meta.dirname, '../..');

interface Suite {
  readonly node: string;
  readonly folder: string;
}

/** The suite as its authors publish it, with a Node beside it that it runs on (`fs.globSync`). */
async function suiteOf(release: Release): Promise<Suite> {
  const suite = `@modelcontextprotocol/conformance@${RELEASES[release]}`;
  const folder = await installed(`mcp-conformance-${RELEASES[release]}`, suite, NODE_22);
  return { folder, node: nodeOf(folder) };
}

/** A Node that everything of the suite runs on. */
export const suiteNode = async (): Promise<string> => (await suiteOf('next')).node;

/** What a revision requires of servers and of clients, as the suite lists it. */
export async function requiredScenarios(revision: string): Promise<{ server: string[]; client: string[] }> {
  const { folder } = await suiteOf('next');
  const file = join(folder, 'node_modules/@modelcontextprotocol/conformance/requirements', `${revision}.yaml`);
  const lists = readFileSync(file, 'utf8').split(/^(?=\w+:$)/m);
  const listOf = (name: string) =>
    [...(lists.find((list) => list.startsWith(`${name}:`)) ?? '').matchAll(/^ {2}- (\S+)$/gm)].map(
      ([, item]) => item ?? '',
    );
  return { server: listOf('server'), client: listOf('client') };
}

/** By scenario: what failed in it. A scenario that did not run is not there. */
export type Failures = ReadonlyMap<string, readonly string[]>;

/** Runs scenarios and reads what the suite left of each. */
export async function run(release: Release, args: readonly string[], timeoutMs = 240_000): Promise<Failures> {
  const { node, folder } = await suiteOf(release);
  const main = join(folder, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');
  const out = mkdtempSync(join(tmpdir(), 'conformance-'));
  try {
    // from the repository, so that commands find what they import
    const options = { cwd: REPOSITORY, timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 };
    await new Promise<void>((ended) => execFile(node, [main, ...args, '-o', out], options, () => ended()));
    return new Map(readdirSync(out, { recursive: true, encoding: 'utf8' }).flatMap((file) => scenarioIn(out, file)));
  } finally {
    rmSync(out, { recursive: true });
  }
}

interface Check {
  readonly status: string;
  readonly id: string;
  readonly errorMessage?: string;
}

function scenarioIn(out: string, file: string): [string, string[]][] {
  const [, scenario] = /^(?:server-)?(.+)-\d{4}-\d{2}-\d{2}T[^/]*[/\\]checks\.json$/.exec(file) ?? [];
  if (scenario === undefined) return [];
  const checks = JSON.parse(readFileSync(join(out, file), 'utf8')) as Check[];
  const unmet = checks.filter(({ status }) => status === 'FAILURE');
  return [[scenario, unmet.map(({ id, errorMessage }) => `${id}: ${errorMessage}`)]];
}
