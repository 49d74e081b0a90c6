import { GatewayError } from '../model/errors.ts';
import { CLOSE_BRACE, CLOSE_BRACKET, COMMA, closingQuote, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './json-bytes.ts';

// Reading JSON, and walking it afterwards, is paid for by the value and not by the byte: 20 MB of one text take some
// milliseconds, 20 MB of empty lists take seconds, in which nobody else is served. So very large bodies are measured
// before they are read; a look at the bytes costs a fraction of a parse.

/** Below it no body can hold enough to be felt. */
const MEASURED_FROM = 1_048_576;

/** Every value is a token at least, usually three, and no model reads as many. */
export const MOST_VALUES = 1_000_000;

/** Deeper than any tool's arguments, by far. */
export const MOST_LEVELS = 512;

/** An object with more names than this is a hash table to V8, where each costs as much as many values elsewhere. */
const MANY_NAMES = 1_000;
const WEIGHT_OF_NAMES = 16;

type Excess = 'levels' | 'values';

/** Which limit JSON text exceeds; undefined where it may be read. It is not judged otherwise. */
export function excessOf(bytes: Buffer, mostValues = MOST_VALUES): Excess | undefined {
  if (bytes.length < MEASURED_FROM) return undefined;
  // names so far of each object that is open, and below zero for lists
  const names = new Int32Array(MOST_LEVELS + 1);
  let level = 0;
  let values = 1;
  for (let at = 0; at < bytes.length && values <= mostValues; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      const end = closingQuote(bytes, at);
      at = end < 0 ? bytes.length : end;
    } else if (byte === COMMA) {
      const known = names[level] ?? -1;
      if (known >= 0) names[level] = known + 1;
      values += known >= MANY_NAMES ? WEIGHT_OF_NAMES : 1;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (++level > MOST_LEVELS) return 'levels';
      names[level] = byte === OPEN_BRACE ? 0 : -1;
      values++;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) level--;
  }
  return values > mostValues ? 'values' : undefined;
}

const EXCESSES = {
  levels: `nests deeper than ${MOST_LEVELS} levels, which no model reads; send it flatter, or as text`,
  values: `holds about a million values, which no model reads; leave out what is not needed, or send data as text`,
} as const;

/** An answer may hold the likelihoods of all its tokens. */
const MOST_VALUES_OF_ANSWERS = 8_000_000;

/** Why an answer, or what stands in one, is not read; undefined where it may be. */
export function immenseAnswer(bytes: Buffer): string | undefined {
  const excess = excessOf(bytes, MOST_VALUES_OF_ANSWERS);
  return excess && { levels: `nests deeper than ${MOST_LEVELS} levels`, values: 'holds millions of values' }[excess];
}

/** Throws GatewayError('invalid-request') where reading a client's body would keep everybody else waiting. */
export function refuseImmense(bytes: Buffer): void {
  const excess = excessOf(bytes);
  if (excess) throw new GatewayError('invalid-request', `the request body ${EXCESSES[excess]}`);
}
