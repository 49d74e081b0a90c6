import { createHash } from 'node:crypto';
import { renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * A thread that runs a file of ours: `name` stands beside the module whose `import.meta.url` is given, as `.ts` in the
 * sources (tests, development) and as `.js` in a build.
 */
export function ownThread(name: string, besideUrl: string, options: WorkerOptions): Worker {
  if (!besideUrl.endsWith('.ts')) return new Worker(new URL(`./${name}.js`, besideUrl), options);
  return new Worker(builtFrom(fileURLToPath(new URL(`./${name}.ts`, besideUrl))), options);
}

const built = new Map<string, string>();

/**
 * The JavaScript of a source, made once for each process: a thread of Node 20 does not take its loader from
 * `--import`, and a loader of its own would cost each thread most of a second.
 */
function builtFrom(source: string): string {
  const known = built.get(source);
  if (known !== undefined) return known;
  const require = createRequire(import.meta.url);
  // needed with sources only; users do not install it
  const { buildSync } = require('esbuild') as typeof import('esbuild');
  // among the packages, so that imports of them are found
  const folder = join(dirname(require.resolve('esbuild/package.json')), '../.cache/own-threads');
  const place = createHash('sha256').update(source).digest('hex').slice(0, 12);
  const file = join(folder, `${basename(source, '.ts')}-${place}.mjs`);
  const unfinished = join(folder, `${process.pid}.mjs`);
  const options = { bundle: true, format: 'esm', platform: 'node', target: 'node20.19', packages: 'external' } as const;
  buildSync({ ...options, entryPoints: [source], outfile: unfinished, logLevel: 'warning' });
  renameSync(unfinished, file);
  built.set(source, file);
  return file;
}
