import type { PricingOverrideConfig } from '../config/pricing-section.ts';
import type { CallContext } from '../model/call.ts';
import type { PricedCall, PriceOverride, PricePatch } from './pricing.ts';

/** What a key's id or name stands for; undefined when no provider has such a key. */
type KeyNames = (provider: string | undefined, idOrName: string) => string | undefined;

/** The configured prices as they are looked up. */
export const priceOverridesOf = (
  entries: readonly PricingOverrideConfig[],
  keyNameOf: KeyNames,
): readonly PriceOverride[] => entries.map((entry) => overrideOf(entry, keyNameOf));

/** Only what its scope says is looked at. */
function overrideOf(entry: PricingOverrideConfig, keyNameOf: KeyNames): PriceOverride {
  const { scope_kind: scope, provider_id, provider_key_id, virtual_key_id, request_types, match_type, pattern } = entry;
  const provider = scope.includes('provider') && provider_id ? provider_id.toLowerCase() : undefined;
  const key = scope.endsWith('provider_key') && provider_key_id ? provider_key_id : undefined;
  const virtualKeyId = scope.startsWith('virtual_key') && virtual_key_id ? virtual_key_id : undefined;
  return {
    pattern,
    isExact: match_type === 'exact',
    patch: patchOf(entry.patch),
    ...(provider && { provider }),
    ...(key && { keyName: keyNameOf(provider, key) ?? key }),
    ...(virtualKeyId && { virtualKeyId }),
    ...(request_types.length > 0 && { operations: request_types.map(operationFamily) }),
  };
}

const patchOf = (given: PricingOverrideConfig['patch']): PricePatch =>
  Object.fromEntries(Object.entries(given).filter(([, price]) => typeof price === 'number'));

/** A stream costs what the whole answer costs, and a response is a conversation like a chat (the original's lookup). */
const operationFamily = (name: string): string =>
  name.replace(/_stream$/, '').replace(/^responses$/, 'chat_completion');

/** What the price of a call may depend on beside its model. */
export const pricedCall = ({ operation, trace, caller }: CallContext): PricedCall => ({
  operation: operationFamily(operation),
  keyName: trace.attempts.at(-1)?.keyName,
  virtualKeyId: caller.keyOwner?.id,
});
