import type { Fetch, Network } from './fetch.ts';
import type { Upstream, UpstreamTarget } from './upstream.ts';

/** The client for a target; made on first use, as is the import of its SDK. */
export type Upstreams = (target: UpstreamTarget) => Promise<Upstream>;

const OPEN: Readonly<Record<UpstreamTarget['sdk'], (target: UpstreamTarget, fetch: Fetch) => Promise<Upstream>>> = {
  openai: async (target, fetch) => (await import('./openai.ts')).openOpenAi(target, fetch),
  anthropic: async (target, fetch) => (await import('./anthropic.ts')).openAnthropic(target, fetch),
  google: async (target, fetch) => (await import('./google.ts')).openGoogle(target, fetch),
};

/** Clients live as long as their target, that is as long as the configuration it was made from. */
export function createUpstreams(network: Network): Upstreams {
  const clients = new WeakMap<UpstreamTarget, Promise<Upstream>>();
  return (target) => {
    const known = clients.get(target);
    if (known) return known;
    const client = OPEN[target.sdk](target, network.fetchWith(target));
    clients.set(target, client);
    return client;
  };
}
