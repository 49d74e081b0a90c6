import { GatewayError } from '../model/errors.ts';
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  closingQuote,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from './json-bytes.ts';

/** One top-level member of a JSON object, as byte positions: the key with its quotes and colon, then the value. */
export interface Member {
  readonly key: string;
  readonly keyStart: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/**
 * The top-level members of a JSON object, found in its bytes without parsing what is inside them (44 us for 100 KB
 * where a parse takes 600). Exact about nesting and strings; it does not judge the inside of nested values.
 * Throws GatewayError('invalid-request') when the bytes are not an object or do not balance.
 */
export function topLevelMembers(bytes: Buffer): Member[] {
  return collected(bytes, []);
}

/** The members of an object that is still coming, as far as they have come whole. */
export function membersSoFar(bytes: Buffer): readonly Member[] {
  const members: Member[] = [];
  try {
    return collected(bytes, members);
  } catch {
    // what follows is still on its way, or is for others to judge
    return members;
  }
}

function collected(bytes: Buffer, members: Member[]): Member[] {
  let at = skipSpace(bytes, 0);
  if (bytes[at] !== OPEN_BRACE) throw broken('must be a JSON object', at);
  at = skipSpace(bytes, at + 1);
  if (bytes[at] === CLOSE_BRACE) return endOfObject(bytes, at, members);
  for (;;) {
    if (bytes[at] !== QUOTE) throw broken('is not valid JSON: a key was expected', at);
    const keyStart = at;
    const keyEnd = endOfString(bytes, at);
    at = skipSpace(bytes, keyEnd);
    if (bytes[at] !== COLON) throw broken('is not valid JSON: a colon was expected', at);
    const valueStart = skipSpace(bytes, at + 1);
    const valueEnd = endOfValue(bytes, valueStart);
    members.push({ key: keyOf(bytes, keyStart, keyEnd), keyStart, valueStart, valueEnd });
    at = skipSpace(bytes, valueEnd);
    if (bytes[at] === CLOSE_BRACE) return endOfObject(bytes, at, members);
    if (bytes[at] !== COMMA) throw broken('is not valid JSON: a comma or } was expected', at);
    at = skipSpace(bytes, at + 1);
  }
}

const broken = (what: string, at: number): GatewayError =>
  new GatewayError('invalid-request', `the request body ${what} (byte ${at})`);

function endOfObject(bytes: Buffer, at: number, members: Member[]): Member[] {
  const end = skipSpace(bytes, at + 1);
  if (end < bytes.length) throw broken('is not valid JSON: something follows its end', end);
  return members;
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  for (; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
  }
  return at;
}

/** Where the string that starts at `from` ends (behind its closing quote). */
function endOfString(bytes: Buffer, from: number): number {
  const end = closingQuote(bytes, from);
  if (end < 0) throw broken('is not valid JSON: a string is never closed', from);
  return end + 1;
}

function endOfValue(bytes: Buffer, from: number): number {
  const first = bytes[from];
  if (first === QUOTE) return endOfString(bytes, from);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return endOfNested(bytes, from);
  let at = from;
  for (; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === COMMA || byte === CLOSE_BRACE || byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09)
      break;
  }
  if (!/^(?:true|false|null|-?\d[\d.eE+-]*)$/.test(bytes.toString('latin1', from, at))) {
    throw broken('is not valid JSON: a value was expected', from);
  }
  return at;
}

function endOfNested(bytes: Buffer, from: number): number {
  const open: number[] = [];
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) at = endOfString(bytes, at) - 1;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) open.push(byte + 2);
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (open.pop() !== byte) throw broken('is not valid JSON: brackets do not match', at);
      if (open.length === 0) return at + 1;
    }
  }
  throw broken('is not valid JSON: it ends too early', bytes.length);
}

function keyOf(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start + 1, end - 1);
  // a JSON string parses to a string
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
}
