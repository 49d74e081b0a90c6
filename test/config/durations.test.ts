import { expect, test } from 'vitest';
import { durationMs, milliseconds, nanoseconds, secondsOrNanoseconds } from '../../src/config/durations.ts';

test.each([
  ['300s', 300_000],
  ['1h30m', 5_400_000],
  ['1.5h', 5_400_000],
  ['250ms', 250],
  ['5000000000ns', 5_000],
  ['1d', 86_400_000],
  ['', undefined],
  ['5', undefined],
  ['5 minutes', undefined],
  ['1h soon', undefined],
])('%j is %s ms', (text, expected) => {
  expect(durationMs(text)).toBe(expected);
});

test.each([
  ['seconds below a million', secondsOrNanoseconds(30), 30_000],
  ['nanoseconds from a million on', secondsOrNanoseconds(300_000_000_000), 300_000],
  ['nanoseconds', nanoseconds(600_000_000_000), 600_000],
  ['milliseconds', milliseconds(500), 500],
])('a bare integer in %s', (_unit, given, expected) => {
  expect(given).toBe(expected);
});
