import type { ProviderKey } from '../config/schema.ts';
import type { DirectKey } from '../model/call.ts';
import type { Provider } from '../providers/provider.ts';

/** How the original names such a key in logs and headers. */
const SHOWN_AS = 'header-provided';

/** A key's client is kept while its caller comes back; of all others none may fill the memory. */
const KEPT_FOR_EACH_PROVIDER = 100;

const known = new WeakMap<Provider, Map<string, ProviderKey>>();

/** The caller's own key as one of the provider's: it leads where the configured ones do, and serves every model. */
export function keyOfCaller(provider: Provider, direct: DirectKey): ProviderKey {
  const kept = known.get(provider) ?? new Map<string, ProviderKey>();
  known.set(provider, kept);
  const id = `${direct.azureEndpoint ?? ''} ${direct.value}`;
  const key = kept.get(id) ?? keyLike(provider.keys[0], direct);
  // the last used stands last, so the first is the one that was not used for the longest time
  kept.delete(id);
  kept.set(id, key);
  const [oldest] = kept.keys();
  if (kept.size > KEPT_FOR_EACH_PROVIDER && oldest !== undefined) kept.delete(oldest);
  return key;
}

/** Only where to go is taken from a configured key: who it says we are stays ours. */
function keyLike(like: ProviderKey | undefined, { value, azureEndpoint }: DirectKey): ProviderKey {
  // on Vertex, Claude and others ask for a login and not for a key
  const { vertex_key_config: _login, azure_key_config: azure, ...addresses } = like ?? {};
  const endpoint = azureEndpoint === undefined ? azure?.endpoint : { value: azureEndpoint };
  return {
    ...addresses,
    ...(endpoint && { azure_key_config: { ...azure, scopes: azure?.scopes ?? [], endpoint } }),
    id: SHOWN_AS,
    name: SHOWN_AS,
    value: { value },
    models: ['*'],
    blacklisted_models: [],
    weight: 1,
    enabled: true,
    aliases: {},
  };
}
