import { join } from 'node:path';
import type { McpTiming } from '../timing.ts';
import { ProcessJournal } from './journal.ts';
import { Manifests } from './manifests.ts';
import { MemoryWatch } from './memory-watch.ts';

/** What all stdio servers of a gateway share; without a folder nothing is kept for its next start. */
export interface Fleet {
  readonly memory: MemoryWatch;
  readonly journal: ProcessJournal | undefined;
  readonly manifests: Manifests | undefined;
}

export function openFleet(folder: string | undefined, timing: McpTiming, warn: (message: string) => void): Fleet {
  const memory = new MemoryWatch(timing.memoryCheckMs);
  if (folder === undefined) return { memory, journal: undefined, manifests: undefined };
  return {
    memory,
    journal: new ProcessJournal({ folder: join(folder, 'processes'), graceMs: timing.graceMs, warn }),
    manifests: new Manifests(join(folder, 'manifests'), warn),
  };
}
