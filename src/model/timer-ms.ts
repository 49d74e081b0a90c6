/** What a timer can wait at most, about 25 days: Node takes anything longer for 1 ms (Node documentation, setTimeout). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** How long a timer is to wait for a limit that people set: as long as it says, or as a timer can. */
export const timerMs = (ms: number): number => Math.min(ms, LONGEST_TIMER_MS);
