/** What JSON is made of, as bytes. */
export const QUOTE = 0x22;
const BACKSLASH = 0x5c;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;

/** Text that ends before a long one does is walked by hand: a call for each of many short ones costs more. */
const SHORT = 32;

/** The place of the quote that ends the string beginning at `from`, or -1 where none does. */
export function closingQuote(bytes: Buffer, from: number): number {
  const near = Math.min(from + SHORT, bytes.length);
  for (let at = from + 1; at < near; at++) {
    const byte = bytes[at];
    if (byte === BACKSLASH) at++;
    else if (byte === QUOTE) return at;
  }
  return farQuote(bytes, from);
}

function farQuote(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(QUOTE, from + 1); at >= 0; at = bytes.indexOf(QUOTE, at + 1)) {
    let before = at - 1;
    while (bytes[before] === BACKSLASH) before--;
    if ((at - before) % 2 === 1) return at;
  }
  return -1;
}
