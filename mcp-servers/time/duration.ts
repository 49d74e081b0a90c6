import { instantOf, utcMs, type WallClock, wallClockIn } from './zones.ts';

export interface Duration {
  readonly years?: number | undefined;
  readonly months?: number | undefined;
  readonly weeks?: number | undefined;
  readonly days?: number | undefined;
  readonly hours?: number | undefined;
  readonly minutes?: number | undefined;
  readonly seconds?: number | undefined;
}

/**
 * Years to days move the calendar and keep the clock ("the same time tomorrow", also when that day has 23 hours); hours to
 * seconds are exact. A day that the month does not have becomes its last one.
 */
export function addDuration(zone: string, epochMs: number, duration: Duration): number {
  const { years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0 } = duration;
  const exactMs = ((hours * 60 + minutes) * 60 + seconds) * 1000;
  // A calendar step of nothing must not touch the instant: it could be the later of two equal wall clocks.
  if (!years && !months && !weeks && !days) return epochMs + exactMs;
  const clock = wallClockIn(zone, epochMs);
  const moved = addMonths(clock, years * 12 + months);
  return instantOf(zone, normal({ ...moved, day: moved.day + weeks * 7 + days })).epochMs + exactMs;
}

function addMonths(clock: WallClock, months: number): WallClock {
  const count = clock.year * 12 + (clock.month - 1) + months;
  const year = Math.floor(count / 12);
  const month = count - year * 12 + 1;
  return { ...clock, year, month, day: Math.min(clock.day, daysIn(year, month)) };
}

const daysIn = (year: number, month: number): number =>
  new Date(utcMs({ year, month: month + 1, day: 0, hour: 0, minute: 0, second: 0 })).getUTCDate();

/** The same wall clock with every field inside its range. */
const normal = (clock: WallClock): WallClock => wallClockIn('UTC', utcMs(clock));

/** `1 day 2 hours 3 seconds`, with days of 24 hours. */
export function describeSeconds(total: number): string {
  const seconds = Math.abs(total);
  const parts = [
    [Math.floor(seconds / 86_400), 'day'],
    [Math.floor(seconds / 3600) % 24, 'hour'],
    [Math.floor(seconds / 60) % 60, 'minute'],
    [seconds % 60, 'second'],
  ] as const;
  const named = parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}${count === 1 ? '' : 's'}`);
  return `${total < 0 ? 'minus ' : ''}${named.join(' ') || '0 seconds'}`;
}
