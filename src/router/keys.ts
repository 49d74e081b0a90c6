import type { ProviderKey } from '../config/schema.ts';
import type { Caller } from '../model/call.ts';
import { asGatewayError, GatewayError } from '../model/errors.ts';
import { isScripted, type Provider } from '../providers/provider.ts';

const ALL = '*';

const isListed = (list: readonly string[], model: string): boolean =>
  list.some((entry) => entry.toLowerCase() === model.toLowerCase());

/** Whether a key may be used at all: switched on, and with a value where one is needed. */
const isUsable = (key: ProviderKey, { keyless }: Provider): boolean =>
  key.enabled && (keyless || key.value.value !== '');

/** Allow-list (absent or `*` = all), then block-list; a vLLM key with a model name serves that model only. */
export function servesModel(key: ProviderKey, model: string): boolean {
  // what asks for no model (stored responses, files) may go with any key
  if (model === '') return true;
  if (isListed(key.blacklisted_models, model)) return false;
  const only = key.vllm_key_config?.model_name;
  if (only) return only.toLowerCase() === model.toLowerCase();
  return !key.models || key.models.includes(ALL) || isListed(key.models, model);
}

/** Whether a key's lists or aliases name the model, so that no guess is needed. */
export const namesModel = (key: ProviderKey, model: string): boolean =>
  isListed(key.models ?? [], model) || isListed(Object.keys(key.aliases), model);

const usable = new WeakMap<Provider, readonly ProviderKey[]>();

/** A provider is as configured for as long as it lives, so its keys are looked through once. */
export function usableKeys(provider: Provider): readonly ProviderKey[] {
  const known = usable.get(provider);
  if (known) return known;
  const keys = provider.keys.filter((key) => isUsable(key, provider));
  usable.set(provider, keys);
  return keys;
}

/** The keys that may serve `model`, as configured and as the caller pinned. Throws GatewayError that says why there is none. */
export function eligibleKeys(provider: Provider, model: string, pin?: Caller['keyPin']): readonly ProviderKey[] {
  const keys = usableKeys(provider).filter((key) => servesModel(key, model));
  const pinned = pin ? keys.filter((key) => key[pin.by] === pin.value) : keys;
  if (pinned.length > 0) return pinned;
  const why = pin && keys.length > 0 ? whyNotPinned(provider, model, pin) : whyNoKey(provider, model);
  throw new GatewayError('invalid-request', why, { provider: provider.name });
}

/** Files and batches, which only the account of the key that made them knows. */
const KEPT_AT_PROVIDER = /^(?:batch|file)_/;

/** Of keys that may serve, those that are meant for `operation` (`use_for_batch_api`); all where none is. */
export function keysMeantFor(operation: string, keys: readonly ProviderKey[]): readonly ProviderKey[] {
  if (!KEPT_AT_PROVIDER.test(operation)) return keys;
  const meant = keys.filter((key) => key.use_for_batch_api);
  return meant.length > 0 ? meant : keys;
}

const whyNotPinned = ({ name }: Provider, model: string, { by, value }: NonNullable<Caller['keyPin']>): string =>
  `no supported key found with ${by} "${value}" at provider "${name}" for model "${model}"; correct or leave out the header ${by === 'id' ? 'x-bf-api-key-id' : 'x-bf-api-key'}`;

function whyNoKey(provider: Provider, model: string): string {
  const { name, keys } = provider;
  if (keys.length === 0) return `provider "${name}" has no keys: add one under providers.${name}.keys`;
  if (usableKeys(provider).length > 0) {
    return `no key of provider "${name}" may serve model "${model}": add it to the "models" of a key, or write ["*"]`;
  }
  const unset = keys.flatMap(({ value }) => (value.unset && value.ref ? [value.ref.replace(/^env\./, '')] : []));
  if (unset.length > 0) return `provider "${name}" has no key: set ${unset.join(' or ')} and restart`;
  return `every key of provider "${name}" is switched off or empty`;
}

/** Why a provider can serve no model at all: no key, or nothing that says where it is; undefined when it can. */
export function whyUnusable(provider: Provider): string | undefined {
  const keys = usableKeys(provider);
  if (keys.length === 0) return whyNoKey(provider, '');
  if (isScripted(provider.deployment)) return undefined;
  const faults = keys.map((key) => whyNowhere(provider, key));
  return faults.includes(undefined) ? undefined : faults[0];
}

function whyNowhere(provider: Provider, key: ProviderKey): string | undefined {
  try {
    provider.upstreamOf(key);
    return undefined;
  } catch (thrown) {
    return asGatewayError(thrown).message;
  }
}

/** Whether the only fault is a variable that is not set, of which the configuration warns by itself. */
export const lacksVariable = ({ keys }: Provider): boolean => keys.some(({ value }) => value.unset === true);

/** One of `keys`, by weight; all weights zero = by chance alone. `random` gives [0, 1). */
export function pickKey(keys: readonly [ProviderKey, ...ProviderKey[]], random: () => number): ProviderKey {
  const [first] = keys;
  if (keys.length === 1) return first;
  const total = keys.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return keys[Math.floor(random() * keys.length)] ?? first;
  let left = random() * total;
  for (const key of keys) {
    left -= key.weight;
    if (left < 0) return key;
  }
  return first;
}

/** The model's name upstream: a key may call it otherwise. */
export const upstreamModel = (key: ProviderKey, model: string): string => aliasOf(key, model)?.model_id ?? model;

/** What a key's alias for a model says of it; undefined when it has none. */
export function aliasOf(key: ProviderKey, model: string): Alias | undefined {
  const wanted = model.toLowerCase();
  for (const name in key.aliases) {
    const alias = name.toLowerCase() === wanted ? key.aliases[name] : undefined;
    if (alias !== undefined) return typeof alias === 'string' ? { model_id: alias } : toldOf(alias);
  }
  return undefined;
}

type Alias = Readonly<Record<string, string>> & { readonly model_id: string };

function toldOf({ model_id, model_name, model_family }: Exclude<ProviderKey['aliases'][string], string>): Alias {
  return { model_id, ...(model_name && { model_name }), ...(model_family && { model_family }) };
}
