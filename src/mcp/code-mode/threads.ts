import type { Worker } from 'node:worker_threads';
import { ownThread } from '../../model/own-thread.ts';

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
const newThread = (): Worker =>
  ownThread('sandbox-worker', import.meta.url, {
    env: {},
    argv: [],
    resourceLimits: { stackSizeMb: STACK_MB, maxOldGenerationSizeMb: HEAP_MB },
  });
