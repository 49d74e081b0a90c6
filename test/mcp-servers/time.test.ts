import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ServerProcess, startServer } from './server-process.ts';

let server: ServerProcess;
beforeAll(async () => {
  server = await startServer('time', [], { env: { TZ: 'Asia/Tokyo' } });
});
afterAll(() => server.close());

const convert = (source_timezone: string, time: string, target_timezone: string) =>
  server.dataOf('convert_time', { source_timezone, time, target_timezone });
const instant = (value: unknown) => Date.parse(String((value as { datetime: string }).datetime));

describe('get_current_time', () => {
  test('tells the time in the system zone when none is given', async () => {
    const now = await server.dataOf('get_current_time');
    expect(now).toMatchObject({ timezone: 'Asia/Tokyo', is_dst: false });
    expect(now.datetime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+09:00$/);
    expect(Math.abs(instant(now) - Date.now())).toBeLessThan(60_000);
  });

  test('tells the same instant in another zone', async () => {
    const now = await server.dataOf('get_current_time', { timezone: 'america/new_york' });
    expect(now.timezone).toBe('America/New_York');
    expect(Math.abs(instant(now) - Date.now())).toBeLessThan(60_000);
  });

  test.each([
    ['Europe/Berlim', 'Europe/Berlin'],
    ['new york', 'America/New_York'],
    ['UTC+2', 'Etc/GMT-2'],
  ])('answers the unknown zone %s with a suggestion', async (timezone, suggestion) => {
    const message = await server.errorOf('get_current_time', { timezone });
    expect(message).toContain(`'${timezone}' is not an IANA time zone`);
    expect(message).toContain(suggestion);
  });
});

describe('convert_time', () => {
  test.each([
    ['Europe/Berlin', '2026-01-15T12:00', 'America/New_York', '2026-01-15T06:00:00-05:00', '-6.0h'],
    ['Europe/Berlin', '2026-03-20T12:00', 'America/New_York', '2026-03-20T07:00:00-04:00', '-5.0h'],
    ['UTC', '2026-07-01 23:30', 'Asia/Kathmandu', '2026-07-02T05:15:00+05:45', '+5.75h'],
    ['UTC', '2026-07-01', 'Pacific/Kiritimati', '2026-07-01T14:00:00+14:00', '+14.0h'],
    ['UTC', '2026-07-01T12:00:00+02:00', 'Europe/London', '2026-07-01T11:00:00+01:00', '+1.0h'],
    ['Africa/Monrovia', '1900-01-01T00:00', 'UTC', '1900-01-01T00:43:08+00:00', '+0.72h'],
  ])('%s %s is in %s %s', async (source, time, target, expected, difference) => {
    const result = await convert(source, time, target);
    expect(result).toMatchObject({ target: { timezone: target, datetime: expected }, time_difference: difference });
    expect(result.note).toBeUndefined();
  });

  test('takes a time without a date for today', async () => {
    const result = await server.dataOf('convert_time', { time: '14:30', target_timezone: 'UTC' });
    const today = String((await server.dataOf('get_current_time')).datetime).slice(0, 10);
    expect(result.source).toMatchObject({ datetime: `${today}T14:30:00+09:00` });
  });

  test.each([
    ['Europe/Berlin', '2026-03-29T02:30', '2026-03-29T03:30:00+02:00'],
    ['America/New_York', '2026-03-08T02:00', '2026-03-08T03:00:00-04:00'],
    ['Australia/Lord_Howe', '2026-10-04T02:15', '2026-10-04T02:45:00+11:00'],
    ['Pacific/Apia', '2011-12-30T12:00', '2011-12-31T12:00:00+14:00'],
  ])('a time inside the gap of %s moves on and says so', async (zone, time, expected) => {
    const result = await convert(zone, time, zone);
    expect(result.source).toMatchObject({ datetime: expected });
    expect(result.note).toContain('does not exist');
  });

  test('of a time that comes twice it takes the earlier one and names the later', async () => {
    const result = await convert('Europe/Berlin', '2026-10-25T02:30', 'UTC');
    expect(result.target).toMatchObject({ datetime: '2026-10-25T00:30:00+00:00' });
    expect(result.note).toContain('2026-10-25T02:30:00+01:00');
    const later = await convert('Europe/Berlin', '2026-10-25T02:30:00+01:00', 'UTC');
    expect(later.target).toMatchObject({ datetime: '2026-10-25T01:30:00+00:00' });
  });

  test.each(['25:00', 'tomorrow', '2026-02-30T10:00', '2026-13-01', '', '+02:00'])(
    'refuses the time %j with examples',
    async (time) => {
      const message = await server.errorOf('convert_time', { time, target_timezone: 'UTC' });
      expect(message).toContain(`'${time}' is not a time`);
      expect(message).toContain("'2026-03-29T14:30'");
    },
  );
});

describe('time_difference', () => {
  test.each([
    ['2026-03-28T12:00', '2026-03-29T12:00', 82_800, '23 hours'],
    ['2026-10-24T12:00', '2026-10-25T12:00', 90_000, '1 day 1 hour'],
    ['2026-01-02', '2026-01-01T23:59:58', -2, 'minus 2 seconds'],
    ['now', 'now', 0, '0 seconds'],
  ])('from %s to %s', async (start, end, seconds, description) => {
    const result = await server.dataOf('time_difference', { start, end, timezone: 'Europe/Berlin' });
    expect(result).toMatchObject({ seconds, description });
  });
});

describe('add_duration', () => {
  test.each([
    ['2026-01-31T10:00', { months: 1 }, '2026-02-28T10:00:00+01:00'],
    ['2024-02-29T10:00', { years: 1 }, '2025-02-28T10:00:00+01:00'],
    ['2026-03-28T12:00', { days: 1 }, '2026-03-29T12:00:00+02:00'],
    ['2026-03-28T12:00', { hours: 24 }, '2026-03-29T13:00:00+02:00'],
    ['2026-03-28T02:30', { days: 1 }, '2026-03-29T03:30:00+02:00'],
    ['2026-10-25T02:30:00+01:00', { minutes: 10 }, '2026-10-25T02:40:00+01:00'],
    ['2026-01-01', { weeks: -1, seconds: -1 }, '2025-12-24T23:59:59+01:00'],
  ])('%s plus %o is %s', async (time, duration, expected) => {
    const result = await server.dataOf('add_duration', { time, timezone: 'Europe/Berlin', ...duration });
    expect(result.datetime).toBe(expected);
  });

  test('refuses an amount out of range and an argument it does not know', async () => {
    expect(await server.errorOf('add_duration', { time: 'now', years: 1e9 })).toContain('years');
    expect(await server.errorOf('add_duration', { time: 'now', fortnights: 1 })).toContain('fortnights');
  });
});
