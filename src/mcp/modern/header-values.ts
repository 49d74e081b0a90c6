const PREFIX = '=?base64?';
const SUFFIX = '?=';

/** Visible ASCII with spaces and tabs inside only; everything else travels encoded (2026-07-28, "Value Encoding"). */
const PLAIN = /^[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?$/;

const isEncoded = (value: string): boolean => value.startsWith(PREFIX) && value.endsWith(SUFFIX);

/** A value as an HTTP header may carry it. */
export function encodedHeader(value: string): string {
  if (PLAIN.test(value) && !isEncoded(value)) return value;
  return `${PREFIX}${Buffer.from(value, 'utf8').toString('base64')}${SUFFIX}`;
}

/** The value behind a header; undefined when it holds what no header may. */
export function decodedHeader(header: string): string | undefined {
  const value = header.trim();
  if (!isEncoded(value)) return value === '' || PLAIN.test(value) ? value : undefined;
  const inner = value.slice(PREFIX.length, -SUFFIX.length);
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(inner) || inner.length % 4 !== 0) return undefined;
  return Buffer.from(inner, 'base64').toString('utf8');
}
