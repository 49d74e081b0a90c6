import { instantOf, isDaylightSaving, offsetMs, utcMs, type WallClock, wallClockIn } from './zones.ts';

/** An instant as a zone's clocks show it. */
export interface Moment {
  readonly timezone: string;
  /** ISO 8601 with the offset. */
  readonly datetime: string;
  readonly day_of_week: string;
  readonly is_dst: boolean;
}

const pad = (value: number, digits = 2): string => String(value).padStart(digits, '0');

export function momentIn(zone: string, epochMs: number): Moment {
  return {
    timezone: zone,
    datetime: isoIn(zone, epochMs),
    day_of_week: new Intl.DateTimeFormat('en-US', { timeZone: zone, weekday: 'long' }).format(epochMs),
    is_dst: isDaylightSaving(zone, epochMs),
  };
}

export const describeMoment = (moment: Moment): string =>
  `${moment.datetime} (${moment.day_of_week}, ${moment.timezone}${moment.is_dst ? ', daylight saving time' : ''})`;

function isoIn(zone: string, epochMs: number): string {
  return isoOfClock(wallClockIn(zone, epochMs)) + offsetText(offsetMs(zone, epochMs));
}

function isoOfClock(clock: WallClock): string {
  const year = clock.year < 0 || clock.year > 9999 ? signedYear(clock.year) : pad(clock.year, 4);
  const date = `${year}-${pad(clock.month)}-${pad(clock.day)}`;
  return `${date}T${pad(clock.hour)}:${pad(clock.minute)}:${pad(clock.second)}`;
}

const signedYear = (year: number): string => `${year < 0 ? '-' : '+'}${pad(Math.abs(year), 6)}`;

function offsetText(offset: number): string {
  const seconds = Math.abs(offset) / 1000;
  const rest = seconds % 60;
  const hoursAndMinutes = `${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}`;
  // Local mean times before about 1900 have seconds.
  return `${offset < 0 ? '-' : '+'}${hoursAndMinutes}${rest ? `:${pad(rest)}` : ''}`;
}

/** `offset`: hours and minutes of a time that names its own offset. */
interface ParsedTime {
  readonly date?: { readonly year: number; readonly month: number; readonly day: number };
  readonly clock: { readonly hour: number; readonly minute: number; readonly second: number };
  readonly offset?: string;
}

/** An instant, and what a reader should know about how it was found. */
export interface Reading {
  readonly epochMs: number;
  readonly note?: string;
}

const dateAndTime =
  /^(?:(\d{4})-(\d{2})-(\d{2}))?(?:(?:^|[T ])(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?)?\s?(Z|[+-](?:0\d|1[0-4]):?[0-5]\d)?$/i;

/** Reads `now`, `14:30` (today in the zone), `2026-03-29`, `2026-03-29T14:30`, or a time with its own offset. */
export function readTime(text: string, zone: string, nowMs: number): Reading {
  if (text.trim().toLowerCase() === 'now') return { epochMs: nowMs };
  const parsed = parseTime(text);
  const clock = { ...(parsed.date ?? wallClockIn(zone, nowMs)), ...parsed.clock };
  if (parsed.offset) return { epochMs: utcMs(clock) - offsetOf(parsed.offset) };
  const found = instantOf(zone, clock);
  const wanted = isoOfClock(clock);
  if (found.kind === 'gap') {
    return {
      epochMs: found.epochMs,
      note: `${wanted} does not exist in ${zone}: clocks skip it. It was moved on to ${isoIn(zone, found.epochMs)}.`,
    };
  }
  if (found.otherEpochMs === undefined) return { epochMs: found.epochMs };
  return {
    epochMs: found.epochMs,
    note:
      `${wanted} comes twice in ${zone}, because clocks are set back. The earlier one was taken; ` +
      `for the later one give the time as ${isoIn(zone, found.otherEpochMs)}.`,
  };
}

function parseTime(text: string): ParsedTime {
  const match = dateAndTime.exec(text.trim());
  const [, year, month, day, hour, minute, second, offset] = match ?? [];
  const clock = { hour: Number(hour ?? 0), minute: Number(minute ?? 0), second: Number(second ?? 0) };
  const date = year === undefined ? undefined : { year: Number(year), month: Number(month), day: Number(day) };
  const isWhole = match !== null && (date !== undefined || hour !== undefined);
  if (!isWhole || clock.hour > 23 || clock.minute > 59 || clock.second > 59 || (date && !isRealDate(date))) {
    throw new Error(
      `'${text}' is not a time. Give 'now', a time of today such as '14:30', a date and time such as ` +
        `'2026-03-29T14:30', or one with its own offset such as '2026-03-29T14:30:00+02:00'.`,
    );
  }
  return { clock, ...(date && { date }), ...(offset && { offset: offset.toUpperCase() }) };
}

function isRealDate({ year, month, day }: { year: number; month: number; day: number }): boolean {
  const date = new Date(utcMs({ year, month, day, hour: 0, minute: 0, second: 0 }));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function offsetOf(text: string): number {
  if (text === 'Z') return 0;
  const digits = text.replace(':', '');
  const minutes = Number(digits.slice(1, 3)) * 60 + Number(digits.slice(3, 5));
  return (digits.startsWith('-') ? -minutes : minutes) * 60_000;
}
