import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/** Why a request may not come in, or undefined when it may. */
export type RequestCheck = (headers: IncomingHttpHeaders) => string | undefined;

export interface OriginRules {
  /** The address the gateway listens on. */
  readonly host: string;
  readonly port: number;
  /** `client.allowed_origins`: `*`, exact origins, or one `*` inside for a label (`https://*.example.com`). */
  readonly allowedOrigins: readonly string[];
}

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

const isLoopback = (hostname: string): boolean => LOOPBACK_NAMES.has(hostname) || /^127(\.\d{1,3}){3}$/.test(hostname);

/**
 * Keeps web pages out: a page whose own name was made to point at this machine (DNS rebinding) shows in `Host`, any
 * other foreign page in `Origin`, or in `Sec-Fetch-Site` where it asks for a picture and the like, which needs no Origin.
 * A gateway bound to loopback answers to loopback names only; one bound to the network answers to any name, and its own
 * pages count as its own only when reached by address, as a name can be rebound.
 */
export function originCheck({ host, port, allowedOrigins }: OriginRules): RequestCheck {
  const bound = host.toLowerCase();
  const boundToLoopback = isLoopback(bound);
  const usualHosts: ReadonlySet<string | undefined> = new Set([...LOOPBACK_NAMES].map((name) => `${name}:${port}`));
  const isAllowedOrigin = allowedOriginTest(allowedOrigins);
  const isOwnOrigin = (origin: string, hostHeader: string | undefined): boolean => {
    const url = URL.canParse(origin) ? new URL(origin) : undefined;
    if (!url) return false;
    if (isLoopback(url.hostname)) return true;
    const isNamedByAddress = isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0 || url.hostname === bound;
    return isNamedByAddress && url.host === (hostHeader ?? `${bound}:${port}`);
  };
  return (headers) => {
    if (boundToLoopback && !usualHosts.has(headers.host) && !isLoopbackHost(headers.host, bound)) {
      return `Host '${shown(headers.host)}' is not this gateway: it listens on ${host} and answers to loopback names only`;
    }
    const { origin } = headers;
    if (origin === undefined) return isPartOfForeignPage(headers) && !isAllowedOrigin('') ? FOREIGN : undefined;
    if (isOwnOrigin(origin, headers.host) || isAllowedOrigin(origin)) return undefined;
    return `Origin '${shown(origin)}' is not allowed; add it to client.allowed_origins to let this web page in`;
  };
}

/**
 * What stands before the admin API besides: a browser that says the request comes from a foreign page is believed, and
 * a write must carry JSON, which no web form can send without asking first.
 */
export function adminCheck(rules: OriginRules): RequestCheck {
  const check = originCheck(rules);
  return (headers) => {
    const refusal = check(headers);
    if (refusal) return refusal;
    // With an Origin that passed, the page was allowed by name.
    const isForeignPage = headers['sec-fetch-site'] === 'cross-site' && headers.origin === undefined;
    return isForeignPage ? FOREIGN : undefined;
  };
}

const FOREIGN = 'requests from other web sites are not allowed here';

/** A person may follow a link, or come back from signing in somewhere else. */
const isPartOfForeignPage = (headers: IncomingHttpHeaders): boolean =>
  headers['sec-fetch-site'] === 'cross-site' && headers['sec-fetch-dest'] !== 'document';

function isLoopbackHost(header: string | undefined, bound: string): boolean {
  if (header === undefined) return false;
  const hostname = header.toLowerCase().replace(/:\d+$/, '');
  return LOOPBACK_NAMES.has(hostname) || hostname === bound;
}

function allowedOriginTest(allowedOrigins: readonly string[]): (origin: string) => boolean {
  const patterns = allowedOrigins.map((allowed) => {
    const [before = '', after] = allowed.toLowerCase().replace(/\/$/, '').split('*', 2);
    if (after === undefined) return (origin: string) => origin === before;
    if (before === '' && after === '') return () => true;
    // one label of a name, without dots (Bifrost, allowed_origins)
    return (origin: string) =>
      origin.startsWith(before) &&
      origin.endsWith(after) &&
      /^[^./]+$/.test(origin.slice(before.length, origin.length - after.length));
  });
  return (origin) => patterns.some((matches) => matches(origin.toLowerCase()));
}

const shown = (value: string | undefined): string => (value ?? '').slice(0, 200);
