import type { GoogleAuth } from 'google-auth-library';
import type { Fetch, Network } from './fetch.ts';
import type { Token } from './identity.ts';
import type { Upstream, UpstreamTarget } from './upstream.ts';

/** The client for a target; made on first use, as is the import of its SDK. */
export type Upstreams = (target: UpstreamTarget) => Promise<Upstream>;

const OPEN: Readonly<Record<UpstreamTarget['sdk'], (target: UpstreamTarget, fetch: Fetch) => Promise<Upstream>>> = {
  openai: async (target, fetch) => (await import('./openai.ts')).openOpenAi(target, fetch),
  anthropic: async (target, fetch) => (await import('./anthropic.ts')).openAnthropic(target, fetch),
  google: async (target, fetch) => (await import('./google.ts')).openGoogle(target, fetch),
  'azure-openai': async (target, fetch) =>
    (await import('./azure/openai.ts')).openAzureOpenAi(target, fetch, await entraTokenFor(target, fetch)),
  'azure-anthropic': async (target, fetch) =>
    (await import('./azure/claude.ts')).openAzureAnthropic(target, fetch, await entraTokenFor(target, fetch)),
  'vertex-google': async (target, fetch) => {
    const { openGoogle } = await import('./google.ts');
    if (target.apiKey !== undefined) return openGoogle(target, fetch);
    const { googleToken } = await import('./vertex/google-token.ts');
    return openGoogle(target, fetch, googleToken(await googleAuthFor(target, fetch)));
  },
  'vertex-openai': async (target, fetch) => {
    const [{ openOpenAi }, { googleToken }] = await Promise.all([
      import('./openai.ts'),
      import('./vertex/google-token.ts'),
    ]);
    return openOpenAi(target, fetch, googleToken(await googleAuthFor(target, fetch)));
  },
  'vertex-anthropic': async (target, fetch) =>
    (await import('./vertex/claude.ts')).openVertexAnthropic(target, fetch, await googleAuthFor(target, fetch)),
  bedrock: async (target, fetch) => (await import('./bedrock/runtime.ts')).openBedrock(target, fetch),
  'bedrock-openai': async (target, fetch) => {
    const { openOpenAi } = await import('./openai.ts');
    if (target.apiKey !== undefined) return openOpenAi(target, fetch);
    const { signedFetch } = await import('./bedrock/signed-fetch.ts');
    return openOpenAi(target, signedFetch(fetch, target, 'bedrock-mantle'));
  },
  'bedrock-mantle': async (target, fetch) => (await import('./bedrock/mantle.ts')).openMantle(target, fetch),
};

async function entraTokenFor({ identity }: UpstreamTarget, fetch: Fetch): Promise<Token | undefined> {
  return identity?.type === 'entra' ? (await import('./azure/entra.ts')).entraToken(identity, fetch) : undefined;
}

async function googleAuthFor({ identity }: UpstreamTarget, fetch: Fetch): Promise<GoogleAuth> {
  const { googleAuth } = await import('./vertex/google-token.ts');
  return googleAuth(identity?.type === 'google' ? identity : { type: 'google' }, fetch);
}

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
