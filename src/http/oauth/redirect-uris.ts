const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Schemes that a browser acts on by itself: a code sent there would be read or run by a page. */
const NEVER =
  /^(?:javascript|vbscript|data|file|blob|filesystem|about|view-source|chrome|intent|mailto|tel|ftp|wss?):$/;

/**
 * Why a client may not be sent to this address; undefined when it may. Programs on a person's own machine wait on
 * loopback or behind a scheme of their own (RFC 8252, section 7); everybody else has https.
 */
export function redirectFault(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is no absolute URI';
  const { protocol, hostname, hash, username, password } = new URL(text);
  if (hash !== '' || text.includes('#')) return 'must not hold a fragment';
  if (username !== '' || password !== '') return 'must not hold a user name';
  if (text.includes('*')) return 'must not hold a wildcard';
  if (protocol === 'https:') return undefined;
  if (protocol === 'http:') return LOOPBACK.has(hostname) ? undefined : 'must use https, or http on loopback';
  return NEVER.test(protocol) ? `must not use the scheme ${protocol}` : undefined;
}

/** Compared as text, but for the port of a program on loopback, which takes the one that is free (RFC 8252, 7.3). */
export const isRegistered = (asked: string, registered: readonly string[]): boolean =>
  registered.some((known) => known === asked || isSameLoopback(asked, known));

function isSameLoopback(asked: string, known: string): boolean {
  if (!URL.canParse(asked) || redirectFault(asked) !== undefined) return false;
  const [a, b] = [new URL(asked), new URL(known)];
  if (a.protocol !== 'http:' || !LOOPBACK.has(a.hostname)) return false;
  return a.protocol === b.protocol && a.hostname === b.hostname && a.pathname === b.pathname && a.search === b.search;
}

/** The address with these parameters beside its own. */
export function withParameters(uri: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const url = new URL(uri);
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}
