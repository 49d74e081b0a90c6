import { lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { buildConnector, RequestInit as UndiciRequestInit } from 'undici';
import { GatewayError } from '../model/errors.ts';
import { undici } from '../model/undici.ts';
import { bounded } from './bounded-answer.ts';
import type { ClosableFetch } from './light-fetch.ts';
import type { Trust } from './trust.ts';

/** Addresses of this machine and its networks, and those that lead there (IANA special-purpose registries). */
const INSIDE: readonly (readonly [network: string, bits: number, family: 'ipv4' | 'ipv6'])[] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['224.0.0.0', 4, 'ipv4'],
  ['240.0.0.0', 4, 'ipv4'],
  // IPv4 addresses in the forms of RFC 4291 (compatible), 8215 and 4380 (Teredo)
  ['::', 96, 'ipv6'],
  ['64:ff9b::', 96, 'ipv6'],
  ['64:ff9b:1::', 48, 'ipv6'],
  ['2001::', 32, 'ipv6'],
  ['2002::', 16, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['fec0::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
];

const inside = new BlockList();
for (const [network, bits, family] of INSIDE) inside.addSubnet(network, bits, family);

/** Whether an address leads to this machine or a network of its own. IPv6 forms of IPv4 addresses count as those. */
export const isInsideAddress = (address: string): boolean =>
  inside.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** Which hosts inside may be reached all the same. */
export interface AddressRules {
  readonly allowPrivate: boolean;
  /** `host` or `host:port`. */
  readonly allowedHosts: readonly string[];
  /** What is said of a host that may not be reached. */
  readonly refusal?: (host: string) => string;
}

const isAllowed = ({ allowPrivate, allowedHosts }: AddressRules, host: string, port: string): boolean =>
  allowPrivate || allowedHosts.includes(host) || allowedHosts.includes(`${host}:${port}`);

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '');

/** Throws GatewayError('permission') for a URL that leads inside, GatewayError('network') for a name nobody knows. */
export async function refuseInside(url: URL, rules: AddressRules): Promise<void> {
  const host = bare(url.hostname);
  if (isAllowed(rules, host, portOf(url))) return;
  const addresses = isIP(host) ? [host] : await addressesOf(host);
  if (addresses.some(isInsideAddress)) throw refusalOf(host, rules);
}

const portOf = ({ port, protocol }: URL): string => port || (protocol === 'https:' ? '443' : '80');

const addressesOf = (host: string): Promise<string[]> =>
  new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error, found) => {
      if (error) reject(new GatewayError('network', `the host ${host} is not known (${error.code})`, { cause: error }));
      else resolve(found.map(({ address }) => address));
    });
  });

const refusalOf = (host: string, { refusal = refusalToRequests }: AddressRules): GatewayError =>
  new GatewayError('permission', refusal(host));

const refusalToRequests = (host: string): string =>
  `the MCP server at ${host} is on a private or local network, where requests may not send the gateway; ` +
  'configure it as an MCP client, or allow it with mcp.request_servers.allowed_hosts or allow_private_addresses';

/**
 * A fetch that looks at each address before it connects, so that neither a redirect nor a name that is resolved anew
 * leads inside. As patient as the one for configured servers.
 */
export function guardedFetch(rules: AddressRules, trust?: Trust): ClosableFetch {
  const { Agent, fetch: undiciFetch } = undici();
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: guardedConnector(rules, trust) });
  const fetch: FetchLike = async (url, init) => {
    // undici is where Node's own fetch comes from: the same types under two names.
    const request = { ...init, dispatcher } as unknown as UndiciRequestInit;
    return bounded((await undiciFetch(url, request)) as unknown as Response);
  };
  return { fetch, close: () => dispatcher.destroy() };
}

function guardedConnector(rules: AddressRules, trust: Trust | undefined): buildConnector.connector {
  const { buildConnector } = undici();
  const free = buildConnector({ timeout: 10_000, ...trust });
  const guarded = buildConnector({ timeout: 10_000, ...trust, lookup: guardedLookup(rules) });
  return (options, callback) => {
    const host = bare(options.hostname);
    if (isAllowed(rules, host, options.port || (options.protocol === 'https:' ? '443' : '80'))) {
      free(options, callback);
    } else if (isIP(host) && isInsideAddress(host)) callback(refusalOf(host, rules), null);
    else guarded(options, callback);
  };
}

const guardedLookup =
  (rules: AddressRules): LookupFunction =>
  (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      const refused = found?.some(({ address }) => isInsideAddress(address)) ? refusalOf(host, rules) : undefined;
      const [first] = found ?? [];
      if (error || refused || !first) callback(error ?? refused ?? new Error(`the host ${host} has no address`), '', 0);
      else if (options.all) callback(null, found);
      else callback(null, first.address, first.family);
    });
  };
