import { z } from 'zod';

const price = z.number().min(0).nullish();

const patch = z.looseObject({
  input_cost_per_token: price.describe('US dollars.'),
  output_cost_per_token: price.describe('US dollars.'),
  cache_read_input_token_cost: price.describe('US dollars for one token read from a cache.'),
  cache_creation_input_token_cost: price.describe('US dollars for one token written to a cache.'),
  cost_per_request: price.describe('US dollars, beside the tokens.'),
});

const SCOPES = [
  'global',
  'provider',
  'provider_key',
  'virtual_key',
  'virtual_key_provider',
  'virtual_key_provider_key',
] as const;

type Scope = (typeof SCOPES)[number];

/** What each scope has to name, whatever else is named. */
const NAMED: Readonly<Record<Scope, readonly ('virtual_key_id' | 'provider_id' | 'provider_key_id')[]>> = {
  global: [],
  provider: ['provider_id'],
  provider_key: ['provider_key_id'],
  virtual_key: ['virtual_key_id'],
  virtual_key_provider: ['virtual_key_id', 'provider_id'],
  virtual_key_provider_key: ['virtual_key_id', 'provider_key_id'],
};

/** A price of one's own for some calls; the most specific one counts, and a 0 is a price. */
export const pricingOverride = z
  .looseObject({
    id: z.string().optional().describe('For people.'),
    name: z.string().optional().describe('For people.'),
    scope_kind: z.enum(SCOPES).default('global').describe('Whose calls: what it names is given by the ids below.'),
    virtual_key_id: z.string().nullish().describe('The id of a virtual key.'),
    provider_id: z.string().nullish().describe('The name of a provider.'),
    provider_key_id: z.string().nullish().describe('The id or the name of a key of a provider.'),
    match_type: z.enum(['exact', 'wildcard']).default('exact').describe('How pattern is read.'),
    pattern: z.string().min(1).describe('A model; with match_type "wildcard" the beginning of its name and *.'),
    request_types: z.array(z.string()).default([]).describe('chat_completion, embedding, ...; empty = all.'),
    patch: patch.describe('Prices in US dollars. What is not said stays as it is known.'),
  })
  .superRefine((override, context) => {
    const missing = NAMED[override.scope_kind].find((name) => !override[name]);
    if (missing) {
      const message = `is missing: scope_kind "${override.scope_kind}" needs it`;
      context.addIssue({ code: 'custom', path: [missing], message });
    }
    if (override.match_type === 'wildcard' && !override.pattern.endsWith('*')) {
      const message = 'must end in * with match_type "wildcard"';
      context.addIssue({ code: 'custom', path: ['pattern'], message });
    }
  });

export type PricingOverrideConfig = z.output<typeof pricingOverride>;
