import { setImmediate } from 'node:timers/promises';
import { isScripted, type Provider } from './provider.ts';
import type { Sdk, UpstreamTarget } from './upstream.ts';
import type { Upstreams } from './upstreams.ts';

/** Those of clouds look for credentials too, which is left to the first request. */
const NEED_ONLY_READING: ReadonlySet<Sdk> = new Set<Sdk>(['openai', 'anthropic', 'google']);

/**
 * Reads the vendors' SDKs that the configured providers need, one after the other, so that nobody's first request waits
 * for it (a fifth of a second each). What fails is told to whoever asks that provider.
 */
export async function readSdks(providers: Iterable<Provider>, upstreams: Upstreams): Promise<void> {
  const read = new Set<Sdk>();
  for (const provider of providers) {
    const target = targetOf(provider);
    if (!target || !NEED_ONLY_READING.has(target.sdk) || read.has(target.sdk)) continue;
    read.add(target.sdk);
    await upstreams(target).catch(() => undefined);
    await setImmediate();
  }
}

/** Undefined for scripts, and where nothing says where the provider is. */
function targetOf({ deployment, keys, upstreamOf }: Provider): UpstreamTarget | undefined {
  const [key] = keys;
  if (!key || isScripted(deployment)) return undefined;
  try {
    return upstreamOf(key);
  } catch {
    return undefined;
  }
}
