import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

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
  await run('npm', ['install', '--ignore-scripts', '--force', '--no-audit', '--no-fund', ...packages], { cwd: folder });
  writeFileSync(done, wanted);
  return folder;
}
