import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from '../model/call.ts';

const VIRTUAL_KEY_PREFIX = 'sk-bf-';
const EXTRA_HEADER_PREFIX = 'x-bf-eh-';

/** Never forwarded, whatever the caller asks: they speak of this hop or hold the gateway's own keys (Bifrost). */
const NEVER_FORWARDED: ReadonlySet<string> = new Set([
  'proxy-authorization',
  'cookie',
  'host',
  'content-length',
  'connection',
  'transfer-encoding',
  'x-api-key',
  'x-goog-api-key',
  'x-bf-api-key',
  'x-bf-api-key-id',
  'x-bf-vk',
]);

const NONE: Readonly<Record<string, string>> = Object.freeze({});

/** Who asks and what they narrowed the request to, from the request's headers (names in lower case). */
export function callerOf(headers: IncomingHttpHeaders): Caller {
  const virtualKey = virtualKeyOf(headers);
  const keyPin = keyPinOf(headers);
  const userAgent = headers['user-agent'];
  const includeClients = includedClients(headers['x-bf-mcp-include-clients']);
  const includeTools = entriesOf(headers['x-bf-mcp-include-tools']);
  const visibility = headers['x-bf-mcp-tool-visibility'];
  const mcpSessionId = textOf(headers['x-bf-mcp-session-id']);
  return {
    forwardHeaders: forwardedHeaders(headers),
    ...(virtualKey !== undefined && { virtualKey }),
    ...(keyPin && { keyPin }),
    ...(userAgent !== undefined && { userAgent }),
    ...(includeClients && { includeClients }),
    ...(includeTools && { includeTools }),
    ...(mcpSessionId && { mcpSessionId }),
    ...((visibility === 'native' || visibility === 'hidden') && { toolVisibility: visibility }),
  };
}

/** The caller, with those of its headers that some MCP client wants to see. `wanted` is in lower case; `*` = all. */
export function callerFor(headers: IncomingHttpHeaders, wanted: ReadonlySet<string>, wantsAddress = false): Caller {
  const plain = callerOf(headers);
  const gatewayUrl = wantsAddress ? addressOf(headers) : undefined;
  const caller = gatewayUrl ? { ...plain, gatewayUrl } : plain;
  if (wanted.size === 0) return caller;
  const names = wanted.has('*') ? Object.keys(headers) : [...wanted];
  const mcpHeaders = Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as const];
    }),
  );
  return { ...caller, mcpHeaders };
}

/** Where a browser reaches what answered this request, as far as the request tells. */
export function addressOf(headers: IncomingHttpHeaders): string | undefined {
  const { host, 'x-forwarded-proto': forwarded } = headers;
  if (host === undefined) return undefined;
  const scheme = textOf(forwarded)?.split(',')[0]?.trim() === 'https' ? 'https' : 'http';
  const url = `${scheme}://${host}`;
  return URL.canParse(url) ? new URL(url).origin : undefined;
}

/** `x-bf-vk` is taken as it is; the headers of other APIs only where the value is a virtual key by its prefix. */
function virtualKeyOf(headers: IncomingHttpHeaders): string | undefined {
  const own = textOf(headers['x-bf-vk']);
  if (own) return own;
  const { authorization } = headers;
  const bearer = authorization && /^bearer /i.test(authorization) ? authorization.slice(7).trim() : undefined;
  return [bearer, headers['x-api-key'], headers['x-goog-api-key'], headers['api-key']].map(textOf).find(isVirtualKey);
}

function keyPinOf(headers: IncomingHttpHeaders): Caller['keyPin'] {
  const id = textOf(headers['x-bf-api-key-id']);
  if (id) return { by: 'id', value: id };
  const name = textOf(headers['x-bf-api-key']);
  return name ? { by: 'name', value: name } : undefined;
}

const isVirtualKey = (value: string | undefined): boolean =>
  value?.slice(0, VIRTUAL_KEY_PREFIX.length).toLowerCase() === VIRTUAL_KEY_PREFIX;

const textOf = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.[0];

/** The entries of a comma list. Empty when the header is there and names nothing. */
function entriesOf(header: string | string[] | undefined): string[] | undefined {
  const text = Array.isArray(header) ? header.join(',') : header;
  return text
    ?.split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

/** `*` names every client. A header of commas only filters nothing, while an empty one allows none (Bifrost). */
function includedClients(header: string | string[] | undefined): string[] | undefined {
  const entries = entriesOf(header);
  if (entries?.includes('*')) return undefined;
  return entries?.length === 0 && textOf(header)?.trim() !== '' ? undefined : entries;
}

function forwardedHeaders(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  let forwarded: Record<string, string> | undefined;
  for (const name in headers) {
    // One character decides for almost every header: this runs once for each request.
    const first = name.charCodeAt(0);
    if (first !== 120 /* x */ && first !== 97 /* a */) continue;
    const target = forwardedName(name);
    const value = headers[name];
    if (target === undefined || value === undefined) continue;
    forwarded ??= {};
    forwarded[target] = Array.isArray(value) ? value.join(', ') : value;
  }
  return forwarded ?? NONE;
}

function forwardedName(name: string): string | undefined {
  if (name === 'anthropic-beta' || name === 'anthropic-version') return name;
  if (!name.startsWith(EXTRA_HEADER_PREFIX)) return undefined;
  const target = name.slice(EXTRA_HEADER_PREFIX.length);
  return target === '' || NEVER_FORWARDED.has(target) ? undefined : target;
}
