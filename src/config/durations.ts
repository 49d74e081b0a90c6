import { z } from 'zod';
import { ownValue } from '../model/json.ts';

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Milliseconds of a duration text: `300s`, `1h30m`, `1.5h`, `250ms`. Undefined when it is not one. */
export function durationMs(text: string): number | undefined {
  const pattern = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w)/gy;
  let total = 0;
  let end = 0;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    total += Number(match[1]) * (ownValue(UNITS, match[2] ?? '') ?? 0);
    end = pattern.lastIndex;
  }
  return end === text.length && end > 0 ? total : undefined;
}

/**
 * A duration field, parsed to milliseconds. Text is a duration everywhere; what a bare integer means differs by
 * field, so each field says so: `wholeNumber` gives milliseconds for it.
 */
export const duration = (wholeNumber: (value: number) => number) =>
  z
    .union([z.number(), z.string()], { error: 'expected a duration such as "30s", "5m" or "1h"' })
    .transform((value, context) => {
      const ms = typeof value === 'number' ? wholeNumber(value) : durationMs(value.trim());
      if (ms === undefined || !Number.isFinite(ms)) {
        context.addIssue({
          code: 'custom',
          message: `"${value}" is not a duration; write for example "30s", "5m" or "1h"`,
        });
        return z.NEVER;
      }
      return ms;
    });

/** A million and more is nanoseconds (Go's own unit), below that seconds: the guides use both. */
export const secondsOrNanoseconds = (value: number): number =>
  Math.abs(value) >= 1_000_000 ? value / 1e6 : value * 1_000;
export const nanoseconds = (value: number): number => value / 1e6;
export const milliseconds = (value: number): number => value;
