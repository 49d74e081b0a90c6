import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from '../model/call.ts';
import { GatewayError } from '../model/errors.ts';
import { askedCompat } from './asked-compat.ts';

const VIRTUAL_KEY_PREFIX = 'sk-bf-';
const EXTRA_HEADER_PREFIX = 'x-bf-eh-';

/** Never forwarded, whatever the caller asks: they speak of this hop or hold the gateway's own keys (Bifrost). */
export const NEVER_FORWARDED: ReadonlySet<string> = new Set([
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

/** Headers in which clients of the vendors' APIs show their keys. */
const KEY_HEADERS = ['authorization', 'x-api-key', 'x-goog-api-key', 'api-key'] as const;

/**
 * The caller with the key of a provider that it brought (`x-bf-direct-key: true`), for gateways that let callers bring
 * theirs. The key goes nowhere else: MCP servers that ask for such headers do not get them from this caller.
 * Throws GatewayError('authentication') where no header shows a key.
 */
export function bringingKey(caller: Caller, headers: IncomingHttpHeaders): Caller {
  if (textOf(headers['x-bf-direct-key'])?.trim().toLowerCase() !== 'true') return caller;
  const shown = [bearerIn(headers), ...KEY_HEADERS.slice(1).map((name) => textOf(headers[name])?.trim())];
  const value = shown.find((key) => key && !isVirtualKey(key));
  if (!value) {
    throw new GatewayError(
      'authentication',
      `x-bf-direct-key asks to use a provider key of your own, but none is shown: put it in ${KEY_HEADERS.join(', ')}, or leave the header out`,
    );
  }
  const azureEndpoint = textOf(headers['x-bf-azure-endpoint']);
  const { mcpHeaders, ...rest } = caller;
  return {
    ...rest,
    directKey: { value, ...(azureEndpoint && { azureEndpoint: azureAddress(azureEndpoint) }) },
    ...(mcpHeaders && { mcpHeaders: withoutKeys(mcpHeaders) }),
  };
}

const withoutKeys = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !(KEY_HEADERS as readonly string[]).includes(name)));

function azureAddress(given: string): string {
  if (/^https?:\/\//i.test(given) && URL.canParse(given)) return given;
  throw new GatewayError(
    'invalid-request',
    'x-bf-azure-endpoint is no address: write https://my-resource.openai.azure.com',
  );
}

/** The caller, who may ask to see what is said to providers and what they answer. */
export function wishingRaw(caller: Caller, headers: IncomingHttpHeaders): Caller {
  const request = wishOf(headers['x-bf-send-back-raw-request']);
  const response = wishOf(headers['x-bf-send-back-raw-response']);
  if (request === undefined && response === undefined) return caller;
  return {
    ...caller,
    sendsBackRaw: { ...(request !== undefined && { request }), ...(response !== undefined && { response }) },
  };
}

/** The caller, who may decide what the log keeps of what is said. */
export function decidingContents(caller: Caller, headers: IncomingHttpHeaders): Caller {
  const leavesOut = wishOf(headers['x-bf-disable-content-logging']);
  const storesRaw = wishOf(headers['x-bf-store-raw-request-response']);
  if (leavesOut === undefined && storesRaw === undefined) return caller;
  return {
    ...caller,
    ...(leavesOut !== undefined && { keepsContents: !leavesOut }),
    ...(storesRaw !== undefined && { storesRaw }),
  };
}

function wishOf(header: string | string[] | undefined): boolean | undefined {
  const word = textOf(header)?.trim().toLowerCase();
  return word === 'true' || word === 'false' ? word === 'true' : undefined;
}

/** The caller, with what it asks of the original's conversions. Throws GatewayError where a name is unknown. */
export function wishingCompat(caller: Caller, headers: IncomingHttpHeaders): Caller {
  const header = headers['x-bf-compat'];
  if (header === undefined) return caller;
  const compat = askedCompat(Array.isArray(header) ? header.join(',') : header);
  return compat.size === 0 ? caller : { ...caller, compat };
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
  return [bearerIn(headers), headers['x-api-key'], headers['x-goog-api-key'], headers['api-key']]
    .map(textOf)
    .find(isVirtualKey);
}

const bearerIn = ({ authorization }: IncomingHttpHeaders): string | undefined =>
  authorization && /^bearer /i.test(authorization) ? authorization.slice(7).trim() : undefined;

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
