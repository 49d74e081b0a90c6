const secondMs = 1000;
const dayMs = 86_400_000;

/** A wall clock without a zone. `month` and `day` count from 1. */
export interface WallClock {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** What a wall clock means in a zone: `gap` clocks never showed that time, `overlap` clocks showed it twice. */
export interface Resolution {
  readonly epochMs: number;
  readonly kind: 'exact' | 'gap' | 'overlap';
  /** The other reading: of an overlap the later one. */
  readonly otherEpochMs?: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

export const systemZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The zone by its IANA name in the usual spelling; throws with the nearest names when there is none. */
export function zoneOf(name: string): string {
  try {
    const { timeZone } = new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions();
    // V8 answers a newer name with the old one that CLDR keeps (Asia/Kathmandu: Asia/Katmandu): then the caller's stays.
    return timeZone.toLowerCase() === name.toLowerCase() ? timeZone : name;
  } catch {
    const near = zonesLike(name);
    const hint =
      near.length > 0 ? `Did you mean ${near.join(', ')}?` : "For a fixed offset of +2 hours use 'Etc/GMT-2'.";
    throw new Error(`'${name}' is not an IANA time zone. ${hint} Names look like 'Europe/Berlin' or 'UTC'.`);
  }
}

/** Up to five IANA names that share a word with the given text: `Berlin`, `new york`, `Europe/Berlim`. */
function zonesLike(text: string): string[] {
  const words = text
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word.length > 2);
  const scored = Intl.supportedValuesOf('timeZone').map((zone) => {
    const parts = zone.toLowerCase().split(/[/_-]/);
    return { zone, score: words.reduce((sum, word) => sum + likeness(word, parts), 0) };
  });
  const best = scored.reduce((top, { score }) => Math.max(top, score), 0);
  return best === 0
    ? []
    : scored
        .filter(({ score }) => score === best)
        .map(({ zone }) => zone)
        .slice(0, 5);
}

function likeness(word: string, parts: readonly string[]): number {
  if (parts.includes(word)) return 3;
  return parts.some((part) => part.startsWith(word.slice(0, 4))) ? 1 : 0;
}

export function wallClockIn(zone: string, epochMs: number): WallClock {
  const parts = Object.fromEntries(
    formatOf(zone)
      .formatToParts(epochMs)
      .map((part) => [part.type, part.value]),
  );
  return {
    // Years before 1 come as "2 BC"; the year 1 BC is the ISO year 0.
    year: parts.era === 'BC' ? 1 - Number(parts.year) : Number(parts.year),
    month: Number(parts.month),
    day: Number(parts.day),
    hour: Number(parts.hour),
    minute: Number(parts.minute),
    second: Number(parts.second),
  };
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(zone, format);
  return format;
}

/** Milliseconds since the epoch if the wall clock were UTC's; fields may overflow (day 32 is the next month's first). */
export function utcMs(clock: WallClock): number {
  const date = new Date(0);
  // Not Date.UTC: it takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(clock.year, clock.month - 1, clock.day);
  date.setUTCHours(clock.hour, clock.minute, clock.second, 0);
  return date.getTime();
}

/** The zone's offset from UTC at an instant, in milliseconds; east is positive. */
export function offsetMs(zone: string, epochMs: number): number {
  return utcMs(wallClockIn(zone, epochMs)) - Math.floor(epochMs / secondMs) * secondMs;
}

/** Clocks run ahead of the year's least offset, which is the standard time on both hemispheres. */
export function isDaylightSaving(zone: string, epochMs: number): boolean {
  const { year } = wallClockIn(zone, epochMs);
  const offsets = [1, 7].map((month) => offsetMs(zone, utcMs({ ...midnight, year, month })));
  return offsetMs(zone, epochMs) > Math.min(...offsets);
}

const midnight = { month: 1, day: 1, hour: 0, minute: 0, second: 0 } as const;

/**
 * The instant at which clocks in the zone show this time. Like Temporal's `compatible`: a time inside a gap moves on by the
 * gap's length, and of a time that comes twice the earlier one counts.
 */
export function instantOf(zone: string, clock: WallClock): Resolution {
  const asUtc = utcMs(clock);
  const before = offsetMs(zone, asUtc - dayMs);
  const after = offsetMs(zone, asUtc + dayMs);
  const readings = [...new Set([asUtc - before, asUtc - after])]
    .filter((epochMs) => offsetMs(zone, epochMs) === asUtc - epochMs)
    .sort((one, other) => one - other);
  const [first, second] = readings;
  if (first === undefined) return { epochMs: asUtc - before, kind: 'gap' };
  return second === undefined
    ? { epochMs: first, kind: 'exact' }
    : { epochMs: first, kind: 'overlap', otherEpochMs: second };
}
