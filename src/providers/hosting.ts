import type { ProviderKey } from '../config/schema.ts';
import type { Deployment, Place, Provider } from './provider.ts';

type Alias = Exclude<ProviderKey['aliases'][string], string>;

/**
 * Who serves a model where one name hosts several families. `providerOf` gives the provider for a deployment; each is
 * made once, as is each key that an alias changes, so that their clients are kept.
 */
export function placing(
  hosts: NonNullable<Deployment['hosts']>,
  providerOf: (deployment: Deployment) => Provider,
): NonNullable<Provider['placeOf']> {
  const providers = new Map<Deployment, Provider>();
  const keys = new WeakMap<Alias, ProviderKey>();
  return (given, model): Place => {
    const alias = aliasBehind(given, model);
    const key = alias ? kept(keys, alias, () => keyOf(given, alias)) : given;
    const deployment = hosts(alias?.model_family || alias?.model_name || model, key);
    return { provider: kept(providers, deployment, () => providerOf(deployment)), key };
  };
}

/** The alias that led to this id, where it says more than the id. */
const aliasBehind = ({ aliases }: ProviderKey, model: string): Alias | undefined =>
  Object.values(aliases).find((alias): alias is Alias => typeof alias !== 'string' && alias.model_id === model);

/** A model may live elsewhere than its key says: what its alias names wins. */
function keyOf(key: ProviderKey, { endpoint, api_version, region, project_id }: Alias): ProviderKey {
  if (!endpoint && !api_version && !region && !project_id) return key;
  const { azure_key_config: azure, vertex_key_config: vertex, bedrock_key_config: bedrock } = key;
  return {
    ...key,
    ...(azure && {
      azure_key_config: { ...azure, ...(endpoint && { endpoint }), ...(api_version && { api_version }) },
    }),
    ...(bedrock && region && { bedrock_key_config: { ...bedrock, region } }),
    ...(vertex && { vertex_key_config: { ...vertex, ...(region && { region }), ...(project_id && { project_id }) } }),
  };
}

function kept<Key, Value>(
  known: { get(key: Key): Value | undefined; set(key: Key, value: Value): unknown },
  key: Key,
  make: () => Value,
): Value {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  known.set(key, made);
  return made;
}
