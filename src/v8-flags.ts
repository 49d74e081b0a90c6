import { setFlagsFromString } from 'node:v8';

// How V8 is set up for a process that answers small requests, with pauses in between. Measured one by one with the load
// harness (docs/performance.md). Each is known to Node 20 to 26: V8 complains on stderr about one that it does not know.

/** Before anything else. */
const AT_START = [
  // on small requests the helper threads of the young generation's collector cost more CPU than they save (a fifth of all)
  '--no-parallel-scavenge',
  // what V8 expects to live long it puts among the old at once, where it keeps all alive that its request holds
  '--no-allocation-site-pretenuring',
  // after eight quiet seconds V8 gives memory back, and drops machine code: the next first words come a third later
  '--gc-memory-reducer-start-delay-ms=600000',
  '--no-flush-bytecode',
];

/** Once the gateway listens: the start itself is run once and not worth optimizing. */
const ONCE_STARTED = hasInterruptBudget(process.versions.v8)
  ? // V8 waits long before it optimizes what runs; at its own 67584, first words come a fifth later for some thousand requests
    ['--interrupt-budget=8000']
  : [];

export const v8Flags: readonly string[] = [...AT_START, ...ONCE_STARTED];

export function setUpV8(): void {
  for (const flag of AT_START) setFlagsFromString(flag);
}

export function speedUpV8(): void {
  for (const flag of ONCE_STARTED) setFlagsFromString(flag);
}

/** V8 of Node 20; later ones have a compiler in between, and count otherwise. */
function hasInterruptBudget(version: string): boolean {
  return version.startsWith('11.');
}
