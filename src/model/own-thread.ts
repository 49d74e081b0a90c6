import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * A thread that runs a file of ours: `name` stands beside the module whose `import.meta.url` is given, as `.ts` in the
 * sources (tests, development) and as `.js` in a build. A worker of Node 20 does not take its loader from `--import`.
 */
export function ownThread(name: string, besideUrl: string, options: WorkerOptions): Worker {
  if (!besideUrl.endsWith('.ts')) return new Worker(new URL(`./${name}.js`, besideUrl), options);
  const loader = import.meta.resolve('tsx/esm/api');
  const entry = new URL(`./${name}.ts`, besideUrl).href;
  const start = `import('${loader}').then(({ register }) => { register(); return import('${entry}'); })`;
  return new Worker(start, { ...options, eval: true });
}
