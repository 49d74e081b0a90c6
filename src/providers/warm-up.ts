import { isScripted, type Provider } from './provider.ts';
import type { Sdk, UpstreamTarget } from './upstream.ts';
import type { Upstreams } from './upstreams.ts';

/** Those of clouds look for credentials too, which is left to the first request. */
const NEED_ONLY_READING: ReadonlySet<Sdk> = new Set<Sdk>(['openai', 'anthropic', 'google']);

/**
 * Reads the vendor's SDK of the first provider that has one, so that the first request need not wait for it: a fifth of
 * a second, and 15 to 25 MB, which is why the others' wait until they are asked. What fails is told to whoever asks.
 */
export async function readFirstSdk(providers: Iterable<Provider>, upstreams: Upstreams): Promise<void> {
  for (const provider of providers) {
    const target = targetOf(provider);
    if (!target || !NEED_ONLY_READING.has(target.sdk)) continue;
    await upstreams(target).catch(() => undefined);
    return;
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
