import type { ProviderKey } from '../config/schema.ts';
import type { Provider } from './provider.ts';

/** One provider with one of its keys. */
export interface CallTarget {
  readonly provider: Provider;
  readonly key: ProviderKey;
  /** The model's name upstream. */
  readonly model: string;
}

/** Clouds host models of several families: the target as the one that serves this model sees it. */
export function placed(target: CallTarget): CallTarget {
  const { provider, key, model } = target;
  return provider.placeOf ? { ...target, ...provider.placeOf(key, model) } : target;
}
