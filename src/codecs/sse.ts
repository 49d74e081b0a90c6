import { StringDecoder } from 'node:string_decoder';
import { GatewayError } from '../model/errors.ts';
import type { WireEvent } from './codec.ts';
import { immenseAnswer } from './measure.ts';

/** Whole pictures come in one event, but none of this size. */
const MOST_CHARACTERS = 64 * 1024 * 1024;

/** Reads server-sent events from bytes that come in any pieces. One reader a stream. */
export interface SseReader {
  /** The events that this piece completes. Throws GatewayError('bad-response') when one does not end. */
  push(chunk: Uint8Array): WireEvent[];
  /** Called once at the end: the last event, if only the blank line behind it is missing. */
  end(): WireEvent[];
}

/**
 * Made for the hot path: about a microsecond for a usual event. Text is searched only once a line has ended, so a
 * long event in many small pieces stays linear. Lines may end in LF, CRLF or CR, also mixed (WHATWG HTML, 9.2.6).
 */
export function createSseReader(): SseReader {
  const decoder = new StringDecoder('utf8');
  const lines = createLineEndings();
  let held: string[] = [];
  let heldCharacters = 0;

  const hold = (text: string): WireEvent[] => {
    if (text === '') return [];
    heldCharacters += text.length;
    if (heldCharacters > MOST_CHARACTERS) throw endless();
    held.push(text);
    return [];
  };

  return {
    push(chunk) {
      const text = lines.normalised(decoder.write(chunk));
      if (!text.includes('\n')) return hold(text);
      if (held.length > 0 && !endsEvent(held, text)) return hold(text);
      const whole = held.length === 0 ? text : held.join('') + text;
      const events: WireEvent[] = [];
      const read = takeEvents(whole, events);
      held = read === whole.length ? [] : [whole.slice(read)];
      heldCharacters = whole.length - read;
      return events;
    },
    end() {
      const rest = held.join('') + lines.normalised(decoder.end());
      held = [];
      const event = looksWhole(rest) ? eventOf(rest, 0, rest.length) : undefined;
      return event ? [event] : [];
    },
  };
}

/** The bytes with LF behind every line that CR alone ends; the same bytes where there is none, which a search finds out. */
export function withLineFeeds(bytes: Buffer): Buffer {
  let bare = bytes.indexOf(CR);
  while (bare !== -1 && bytes[bare + 1] === LF) bare = bytes.indexOf(CR, bare + 1);
  if (bare === -1) return bytes;
  const mended = Buffer.from(bytes);
  for (let at = bare; at !== -1; at = mended.indexOf(CR, at + 1)) if (mended[at + 1] !== LF) mended[at] = LF;
  return mended;
}

const CR = 0x0d;
const LF = 0x0a;

/** Every line ending as LF, and no byte order mark in front. A CR at the end of a piece may be half of a CRLF. */
function createLineEndings(): { normalised(text: string): string } {
  let atStart = true;
  let afterCarriageReturn = false;
  return {
    normalised(text) {
      if (text === '') return text;
      let clean = text;
      if (atStart && clean.charCodeAt(0) === 0xfeff) clean = clean.slice(1);
      atStart = false;
      if (afterCarriageReturn && clean.charCodeAt(0) === 10) clean = clean.slice(1);
      afterCarriageReturn = text.charCodeAt(text.length - 1) === 13;
      return clean.includes('\r') ? clean.replaceAll('\r\n', '\n').replaceAll('\r', '\n') : clean;
    },
  };
}

/** Whether a blank line stands in what came now, or where it meets what came before. */
const endsEvent = (held: readonly string[], text: string): boolean =>
  text.includes('\n\n') || (text.startsWith('\n') && held.at(-1)?.endsWith('\n') === true);

const endless = (): GatewayError =>
  new GatewayError(
    'bad-response',
    `an event of the stream has more than ${MOST_CHARACTERS / 1024 / 1024} million characters and no end`,
  );

/** A shorter event cannot nest deep enough to be felt. */
const LONGEST_SURE = 1_048_576;

function refuseImmenseEvent(event: WireEvent | undefined): void {
  const immense = immenseAnswer(Buffer.from(event?.data ?? ''));
  if (immense) throw new GatewayError('bad-response', `an event of the stream ${immense} and is not read`);
}

/** Reads every event that a blank line ends; gives the place behind the last of them. */
function takeEvents(text: string, events: WireEvent[]): number {
  let start = 0;
  for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n', start)) {
    const event = eventOf(text, start, end);
    if (end - start > LONGEST_SURE) refuseImmenseEvent(event);
    if (event) events.push(event);
    start = end + 2;
  }
  return start;
}

/** The event between two places; undefined when it has no data (comments, retry, blank lines). */
function eventOf(text: string, start: number, end: number): WireEvent | undefined {
  // what providers write, nearly always: an event line or none, then one data line
  if (text.startsWith('data: ', start) && isLastLine(text, start, end)) return { data: text.slice(start + 6, end) };
  if (text.startsWith('event: ', start)) {
    const lineEnd = text.indexOf('\n', start);
    if (lineEnd < end && text.startsWith('data: ', lineEnd + 1) && isLastLine(text, lineEnd + 1, end)) {
      return { event: text.slice(start + 7, lineEnd), data: text.slice(lineEnd + 7, end) };
    }
  }
  return eventOfLines(text.slice(start, end).split('\n'));
}

function isLastLine(text: string, start: number, end: number): boolean {
  const lineEnd = text.indexOf('\n', start);
  return lineEnd === -1 || lineEnd >= end;
}

function eventOfLines(lines: readonly string[]): WireEvent | undefined {
  let name = '';
  let data: string | undefined;
  for (const line of lines) {
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    if (field !== 'event' && field !== 'data') continue;
    const value = colon === -1 ? '' : line.slice(line.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1);
    if (field === 'event') name = value;
    else data = data === undefined ? value : `${data}\n${value}`;
  }
  if (data === undefined) return undefined;
  return name === '' ? { data } : { event: name, data };
}

/** Half an event is no event: without the blank line, its last line must at least have ended or close a JSON value. */
const looksWhole = (text: string): boolean => /[\n}\]]$/.test(text);
