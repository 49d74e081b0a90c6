import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { Dispatcher } from 'undici';
import type { TlsConfig } from '../config/tls-section.ts';
import { undici } from '../model/undici.ts';
import { type AddressRules, guardedFetch } from './address-guard.ts';
import { type ClosableFetch, fetchThrough } from './light-fetch.ts';
import { type Trust, trustKey, trustOf } from './trust.ts';

export interface TrustingFetch extends ClosableFetch {
  /**
   * A fetch for a server with certificates of its own, or one that must not be inside. Throws GatewayError where the
   * certificates cannot be read.
   */
  fetchOf(tls: TlsConfig | undefined, rules?: AddressRules): FetchLike;
}

const CONNECT = { timeout: 10_000 };
const PATIENT = { headersTimeout: 0, bodyTimeout: 0 };
/** Servers on this machine are never behind its way out. */
const NEAR = ['localhost', '127.0.0.1', '::1'];

/**
 * A fetch for MCP servers. Node's own gives up on any answer that is silent for five minutes, and tools may be; how long
 * a call may take is the tool timeout's to say. Goes out through the proxies that the environment names.
 */
export function patientFetch(environment: NodeJS.ProcessEnv = process.env): TrustingFetch {
  let usual: ClosableFetch | undefined;
  const fetch: FetchLike = (url, init) => {
    usual ??= through(dispatcherFor(environment));
    return usual.fetch(url, init);
  };
  const own = new Map<string, ClosableFetch>();
  return {
    fetch,
    fetchOf(tls, rules) {
      if (!tls && !rules) return fetch;
      const key = JSON.stringify([tls && trustKey(tls), rules]);
      const known = own.get(key);
      if (known) return known.fetch;
      const trust = tls && trustOf(tls);
      const made = rules ? guardedFetch(rules, trust) : through(dispatcherFor(environment, trust));
      own.set(key, made);
      return made.fetch;
    },
    close: async () => {
      await Promise.all([usual, ...own.values()].map((each) => each?.close()));
    },
  };
}

const through = (dispatcher: Dispatcher): ClosableFetch => ({
  fetch: fetchThrough(dispatcher),
  close: () => dispatcher.destroy(),
});

function dispatcherFor(environment: NodeJS.ProcessEnv, trust?: Trust): Dispatcher {
  const named = (name: string) => environment[name.toLowerCase()] || environment[name];
  const httpProxy = named('HTTP_PROXY');
  const httpsProxy = named('HTTPS_PROXY');
  const options = { ...PATIENT, connect: { ...CONNECT, ...trust } };
  const { Agent, EnvHttpProxyAgent } = undici();
  if (!httpProxy && !httpsProxy) return new Agent(options);
  const noProxy = [...(named('NO_PROXY')?.split(',') ?? []), ...NEAR].join(',');
  return new EnvHttpProxyAgent({
    ...options,
    // of the server behind the proxy
    ...(trust && { requestTls: { ...trust } }),
    ...(httpProxy && { httpProxy }),
    ...(httpsProxy && { httpsProxy }),
    noProxy,
  });
}
