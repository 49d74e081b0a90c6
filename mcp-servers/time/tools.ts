import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { looksOnly, structuredResult } from '../support.ts';
import { addDuration, describeSeconds } from './duration.ts';
import { describeMoment, momentIn, readTime } from './text.ts';
import { offsetMs, systemZone, zoneOf } from './zones.ts';

const zoneArgument = z.string().describe("IANA time zone, e.g. 'Europe/Berlin', 'America/New_York' or 'UTC'");
const timeForms =
  "'now', a time of today such as '14:30', a date and time such as '2026-03-29T14:30', " +
  "or one with its own offset such as '2026-03-29T12:30:00Z'";

const moment = {
  timezone: z.string(),
  datetime: z.string().describe('ISO 8601 with the UTC offset'),
  day_of_week: z.string(),
  is_dst: z.boolean().describe('Whether daylight saving time is in force'),
};
const note = z.string().optional().describe('What a reader should know about a skipped or repeated local time');

/** Ten thousand years of each unit: all of them together stay inside the 270 000 years that a JavaScript date can hold. */
const upTo = (count: number) => z.number().int().min(-count).max(count).optional();

const withNote = (text: string, ...notes: (string | undefined)[]): string =>
  [text, ...notes.filter((one) => one !== undefined).map((one) => `Note: ${one}`)].join('\n');

const joined = (...notes: (string | undefined)[]): { note?: string } => {
  const text = notes.filter((one) => one !== undefined).join(' ');
  return text === '' ? {} : { note: text };
};

export function registerTimeTools(server: McpServer): void {
  registerCurrentTime(server);
  registerConvertTime(server);
  registerTimeDifference(server);
  registerAddDuration(server);
}

function registerCurrentTime(server: McpServer): void {
  server.registerTool(
    'get_current_time',
    {
      title: 'Current time',
      description: `The current date, time, weekday and UTC offset in a time zone. Without a timezone: in the system's own (${systemZone()}).`,
      inputSchema: z.strictObject({ timezone: zoneArgument.optional() }),
      outputSchema: z.object(moment),
      // Not idempotent in what it says, but in what it does, which is what the hint means.
      annotations: looksOnly,
    },
    ({ timezone }) => {
      const now = momentIn(zoneOf(timezone ?? systemZone()), Date.now());
      return structuredResult(describeMoment(now), { ...now });
    },
  );
}

function registerConvertTime(server: McpServer): void {
  server.registerTool(
    'convert_time',
    {
      title: 'Convert time between zones',
      description:
        'What the clocks of one time zone show when those of another show a given time. Knows daylight saving time.',
      inputSchema: z.strictObject({
        time: z.string().describe(`The time to convert: ${timeForms}`),
        source_timezone: zoneArgument.optional().describe('Zone of `time`, IANA name; default: the system zone'),
        target_timezone: zoneArgument,
      }),
      outputSchema: z.object({
        source: z.object(moment),
        target: z.object(moment),
        time_difference: z.string().describe("Hours the target is ahead of the source, e.g. '+9.0h'"),
        note,
      }),
      annotations: looksOnly,
    },
    ({ time, source_timezone, target_timezone }) => {
      const sourceZone = zoneOf(source_timezone ?? systemZone());
      const targetZone = zoneOf(target_timezone);
      const reading = readTime(time, sourceZone, Date.now());
      const [source, target] = [momentIn(sourceZone, reading.epochMs), momentIn(targetZone, reading.epochMs)];
      const difference = hoursText(offsetMs(targetZone, reading.epochMs) - offsetMs(sourceZone, reading.epochMs));
      const text = `${describeMoment(source)} is ${describeMoment(target)}, time difference ${difference}`;
      return structuredResult(withNote(text, reading.note), {
        source,
        target,
        time_difference: difference,
        ...joined(reading.note),
      });
    },
  );
}

function hoursText(differenceMs: number): string {
  const hours = Math.round(differenceMs / 36_000) / 100;
  return `${hours < 0 ? '-' : '+'}${Number.isInteger(hours) ? Math.abs(hours).toFixed(1) : Math.abs(hours)}h`;
}

function registerTimeDifference(server: McpServer): void {
  server.registerTool(
    'time_difference',
    {
      title: 'Time between two moments',
      description:
        'The exact time that passes from start to end (negative when end comes first), daylight saving changes included.',
      inputSchema: z.strictObject({
        start: z.string().describe(`From when: ${timeForms}`),
        end: z.string().describe(`Until when: ${timeForms}`),
        timezone: zoneArgument.optional().describe('Zone of times that carry no offset; default: the system zone'),
      }),
      outputSchema: z.object({
        start: z.string(),
        end: z.string(),
        seconds: z.number(),
        description: z.string().describe('In words, with days of 24 hours'),
        note,
      }),
      annotations: looksOnly,
    },
    ({ start, end, timezone }) => {
      const zone = zoneOf(timezone ?? systemZone());
      const now = Date.now();
      const [from, until] = [readTime(start, zone, now), readTime(end, zone, now)];
      const seconds = Math.round((until.epochMs - from.epochMs) / 1000);
      const [first, last] = [momentIn(zone, from.epochMs).datetime, momentIn(zone, until.epochMs).datetime];
      const description = describeSeconds(seconds);
      return structuredResult(
        withNote(`From ${first} to ${last}: ${description} (${seconds} seconds)`, from.note, until.note),
        { start: first, end: last, seconds, description, ...joined(from.note, until.note) },
      );
    },
  );
}

function registerAddDuration(server: McpServer): void {
  server.registerTool(
    'add_duration',
    {
      title: 'Add a duration to a time',
      description:
        'The moment some years, months, weeks, days, hours, minutes or seconds after a time; negative amounts go back. ' +
        'Years to days keep the local clock time (31 January plus 1 month is the last of February); hours to seconds are exact.',
      inputSchema: z.strictObject({
        time: z.string().describe(`The time to start from: ${timeForms}`),
        timezone: zoneArgument.optional().describe('Zone to reckon in, IANA name; default: the system zone'),
        years: upTo(10_000),
        months: upTo(120_000),
        weeks: upTo(520_000),
        days: upTo(3_650_000),
        hours: upTo(87_600_000),
        minutes: upTo(5_256_000_000),
        seconds: upTo(315_360_000_000),
      }),
      outputSchema: z.object({ ...moment, note }),
      annotations: looksOnly,
    },
    ({ time, timezone, ...duration }) => {
      const zone = zoneOf(timezone ?? systemZone());
      const reading = readTime(time, zone, Date.now());
      const epochMs = addDuration(zone, reading.epochMs, duration);
      const result = momentIn(zone, epochMs);
      return structuredResult(withNote(describeMoment(result), reading.note), { ...result, ...joined(reading.note) });
    },
  );
}
