import type { WireHead } from './wire-head.ts';

type HeadersGiven = RequestInit['headers'] | WireHead;

/**
 * Any form of request headers as the plain record that goes on the wire. Does not name the class of those that are so
 * already: Node reads a whole HTTP client of its own for the first `Headers` that is named.
 */
export function wireOf(headers: HeadersGiven): Readonly<Record<string, string>> {
  if (isOnWire(headers)) return headers.wire;
  const record: Record<string, string> = {};
  for (const [name, value] of new Headers(headers)) record[name] = value;
  return record;
}

const isOnWire = (headers: HeadersGiven): headers is WireHead =>
  typeof headers === 'object' && 'wire' in headers && typeof headers.wire === 'object';
