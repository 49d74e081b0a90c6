import { Worker } from 'node:worker_threads';

/** Host stack, so that the engine's own limit is met first: beyond it WebAssembly cannot recover. */
const STACK_MB = 16;
const HEAP_MB = 128;

/** Threads for scripts, each for one script only. One that waits is ready when the next script comes. */
export class SandboxThreads {
  #spare: Worker | undefined;
  #isClosed = false;

  /** Whoever takes a thread ends it. */
  take(): Worker {
    const worker = this.#spare ?? newThread();
    worker.removeAllListeners();
    worker.ref();
    this.#spare = undefined;
    return worker;
  }

  /** Makes the next script start at once; to be called when a script has come, as more will. */
  prepare(): void {
    if (this.#isClosed || this.#spare) return;
    const spare = newThread();
    spare.unref();
    const forget = (): void => {
      if (this.#spare === spare) this.#spare = undefined;
    };
    spare.once('error', forget).once('exit', forget);
    this.#spare = spare;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#spare?.terminate();
  }
}

/** Nothing of this process is given to it: no environment, no arguments, no standard input. */
function newThread(): Worker {
  const options = {
    env: {},
    argv: [],
    resourceLimits: { stackSizeMb: STACK_MB, maxOldGenerationSizeMb: HEAP_MB },
  };
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./sandbox-worker.js', import.meta.url), options);
  // from sources (tests, development); a worker of Node 20 does not take its loader from `--import`
  const loader = import.meta.resolve('tsx/esm/api');
  const entry = new URL('./sandbox-worker.ts', import.meta.url).href;
  const start = `import('${loader}').then(({ register }) => { register(); return import('${entry}'); })`;
  return new Worker(start, { ...options, eval: true });
}
