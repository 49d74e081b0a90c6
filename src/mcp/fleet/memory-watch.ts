import type { GroupKeeper } from '../stdio.ts';
import { processTable } from './process-table.ts';

interface Watched {
  readonly limitBytes: number;
  readonly exceeded: (usedBytes: number) => void;
}

/** Looks at the memory of process groups, all in one reading; nothing runs while nobody is watched. */
export class MemoryWatch {
  readonly #everyMs: number;
  readonly #groups = new Map<number, Watched>();
  #timer: NodeJS.Timeout | undefined;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** Calls `exceeded` once when the group uses more; gives the function that ends the watch. */
  watch(group: number, limitBytes: number, exceeded: (usedBytes: number) => void): () => void {
    this.#groups.set(group, { limitBytes, exceeded });
    this.#timer ??= setInterval(() => this.#look(), this.#everyMs).unref();
    return () => this.#forget(group);
  }

  #forget(group: number): void {
    this.#groups.delete(group);
    if (this.#groups.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const used = new Map<number, number>();
    for (const { group, residentBytes } of processTable()) {
      if (this.#groups.has(group)) used.set(group, (used.get(group) ?? 0) + residentBytes);
    }
    for (const [group, usedBytes] of used) {
      const watched = this.#groups.get(group);
      if (!watched || usedBytes <= watched.limitBytes) continue;
      this.#forget(group);
      watched.exceeded(usedBytes);
    }
  }
}

const MEGABYTE = 1024 * 1024;

/** Ends a group that uses more than so many megabytes. */
export function memoryLimit(watch: MemoryWatch, limitMb: number): GroupKeeper {
  let forget = () => {};
  return {
    started: (group, end) => {
      forget = watch.watch(group, limitMb * MEGABYTE, (usedBytes) => {
        const usedMb = Math.round(usedBytes / MEGABYTE);
        end(`the server used ${usedMb} MB, more than the ${limitMb} MB of process_config.memory_limit_mb`);
      });
    },
    ended: () => forget(),
  };
}
