import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const platform = process.platform === 'win32' ? 'win' : process.platform;
const nodePackage = `node-${platform}-${process.arch}`;

/** For what does not run on the oldest Node that the gateway runs on: a package that is a Node. */
export const NODE_22 = `${nodePackage}@22`;

/** The Node that was installed into this folder. */
export const nodeOf = (folder: string): string => join(folder, 'node_modules', nodePackage, 'bin/node');

/** Where real clients are kept between runs; outside the repository, because they are not ours. */
const cache = process.env.BIFROST_E2E_CACHE ?? join(homedir(), '.cache', 'bifrost-e2e');

/**
 * A folder in which `packages` (npm specifiers) are installed, made on first use. Install scripts stay off: the
 * clients ship their binaries as packages.
 */
export async function installed(name: string, ...packages: string[]): Promise<string> {
  const folder = join(cache, name);
  const done = join(folder, 'installed.json');
  const wanted = JSON.stringify(packages);
  if (existsSync(done)) return folder;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  const args = ['install', '--ignore-scripts', '--force', '--no-audit', '--no-fund', ...packages];
  await run('npm', args, { cwd: folder }).catch((cause: unknown) => {
    const what = `npm could not install ${packages.join(', ')} into ${folder}`;
    const way = 'this needs npm and its registry once; afterwards, or with a filled BIFROST_E2E_CACHE, no network';
    throw new Error(`${what}: ${way}`, { cause });
  });
  writeFileSync(done, wanted);
  return folder;
}
