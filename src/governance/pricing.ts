import { createRequire } from 'node:module';
import type { ModelPrice } from '@pydantic/genai-prices';
import { ownValue } from '../model/json.ts';
import type { Usage } from '../model/usage.ts';

/** A price of one's own, in US dollars a token, under the names of the original's price sheet. 0 counts as set. */
export interface PricePatch {
  readonly input_cost_per_token?: number | undefined;
  readonly output_cost_per_token?: number | undefined;
  readonly cache_read_input_token_cost?: number | undefined;
  readonly cache_creation_input_token_cost?: number | undefined;
  readonly cost_per_request?: number | undefined;
}

export interface PriceOverride {
  /** Absent = every provider. */
  readonly provider?: string | undefined;
  /** Absent = every key. */
  readonly keyName?: string;
  /** Absent = every caller. */
  readonly virtualKeyId?: string;
  /** Absent = whatever is asked for. */
  readonly operations?: readonly string[];
  /** A model's upstream name, or the beginning of it and `*`. */
  readonly pattern: string;
  /** True where a `*` at the end is part of the name. */
  readonly isExact?: boolean;
  readonly patch: PricePatch;
}

/** What a price may depend on beside the model. */
export interface PricedCall {
  /** Without regard to whether it was streamed. */
  readonly operation: string;
  readonly keyName: string | undefined;
  readonly virtualKeyId: string | undefined;
}

export interface Pricing {
  /** US dollars for a call, or undefined when the price is unknown, which is not the same as free. */
  costOf(provider: string, model: string, usage: Usage, call?: PricedCall): number | undefined;
}

/** Dollars a token; a tier applies to the whole call once its input is larger than `above`. */
interface Rate {
  readonly base: number;
  readonly tiers: readonly { readonly above: number; readonly price: number }[];
}

interface Prices {
  readonly input: Rate;
  /** Absent where nothing is priced by it (embeddings). */
  readonly output?: Rate | undefined;
  readonly cacheRead: Rate;
  readonly cacheWrite: Rate;
  readonly request: number;
}

/** Where the table has its own word for a provider that the gateway calls otherwise. */
const TABLE_NAMES: Readonly<Record<string, string>> = {
  gemini: 'google',
  vertex: 'google',
  bedrock: 'aws',
  xai: 'x-ai',
};

/** Some prices depend on the time of day, so what is remembered of the table is asked again every so often. */
const REMEMBERED_FOR_MS = 10 * 60_000;
const REMEMBERED_MODELS = 1_000;

/** What a sheet and the configuration say of models' prices. */
interface PriceRows {
  /** The most telling last. */
  rowsOf(provider: string, model: string): readonly PricePatch[];
  /** Another number once they say something else. */
  readonly revision: number;
}

const NO_ROWS: PriceRows = { rowsOf: () => [], revision: 0 };

/** Prices of the table; `rows` win over it, and overrides over both. */
export function createPricing(
  overrides: readonly PriceOverride[] = [],
  now: () => number = Date.now,
  rows: PriceRows = NO_ROWS,
): Pricing {
  const remembered = new Map<string, Prices | undefined>();
  let forgetAtMs = 0;
  let revision = rows.revision;
  return {
    costOf(provider, model, usage, call) {
      if (now() >= forgetAtMs || remembered.size > REMEMBERED_MODELS || revision !== rows.revision) {
        remembered.clear();
        forgetAtMs = now() + REMEMBERED_FOR_MS;
        revision = rows.revision;
      }
      const own = overrides.length > 0 ? overrideFor(overrides, provider, model, call) : undefined;
      const key = own ? `${provider}/${model} ${overrides.indexOf(own)}` : `${provider}/${model}`;
      let prices = remembered.get(key);
      if (!prices && !remembered.has(key)) {
        prices = pricesOf(provider, model, [...rows.rowsOf(provider, model), own?.patch], new Date(now()));
        remembered.set(key, prices);
      }
      return prices && costAt(prices, usage);
    },
  };
}

/** Canonical input contains what came from and went to the cache: each token is paid for once. */
function costAt(prices: Prices, usage: Usage): number | undefined {
  const { input, output, cacheRead, cacheWrite } = usage;
  const fresh = Math.max(0, input - cacheRead - cacheWrite);
  if (output > 0 && !prices.output) return undefined;
  const at = (rate: Rate): number => priceAt(rate, input);
  return (
    fresh * at(prices.input) +
    cacheRead * at(prices.cacheRead) +
    cacheWrite * at(prices.cacheWrite) +
    (prices.output ? output * at(prices.output) : 0) +
    prices.request
  );
}

function priceAt(rate: Rate, inputTokens: number): number {
  let price = rate.base;
  for (const tier of rate.tiers) if (inputTokens > tier.above) price = tier.price;
  return price;
}

function pricesOf(
  provider: string,
  model: string,
  patches: readonly (PricePatch | undefined)[],
  at: Date,
): Prices | undefined {
  const patch: PricePatch = Object.assign({}, ...patches);
  const listed = listedPrices(provider, model, at);
  const input = flat(patch.input_cost_per_token) ?? listed?.input;
  const output = flat(patch.output_cost_per_token) ?? listed?.output;
  if (!input) return undefined;
  return {
    input,
    output,
    cacheRead: flat(patch.cache_read_input_token_cost) ?? listed?.cacheRead ?? input,
    cacheWrite: flat(patch.cache_creation_input_token_cost) ?? listed?.cacheWrite ?? input,
    request: patch.cost_per_request ?? listed?.request ?? 0,
  };
}

const flat = (price: number | undefined): Rate | undefined =>
  price === undefined ? undefined : { base: price, tiers: [] };

/**
 * The most specific override: a caller's before a key's, a key's before a provider's, that before everybody's; then an
 * exact name, then the longest beginning.
 */
function overrideFor(
  overrides: readonly PriceOverride[],
  provider: string,
  model: string,
  call: PricedCall | undefined,
): PriceOverride | undefined {
  let best: PriceOverride | undefined;
  for (const override of overrides) {
    if (!concerns(override, provider, model, call)) continue;
    if (!best || weightOf(override) > weightOf(best)) best = override;
  }
  return best;
}

const weightOf = (override: PriceOverride): number =>
  (override.virtualKeyId ? 4e6 : 0) +
  (override.keyName ? 2e6 : 0) +
  (override.provider ? 1e6 : 0) +
  (isBeginning(override) ? override.pattern.length : 1e5);

const isBeginning = ({ pattern, isExact }: PriceOverride): boolean => !isExact && pattern.endsWith('*');

function concerns(override: PriceOverride, provider: string, model: string, call: PricedCall | undefined): boolean {
  const { pattern, keyName, virtualKeyId, operations } = override;
  if (override.provider !== undefined && override.provider !== provider) return false;
  if (keyName !== undefined && keyName !== call?.keyName) return false;
  if (virtualKeyId !== undefined && virtualKeyId !== call?.virtualKeyId) return false;
  if (operations && !(call && operations.includes(call.operation))) return false;
  return isBeginning(override) ? model.startsWith(pattern.slice(0, -1)) : model === pattern;
}

type ListedPrices = Partial<Omit<Prices, 'request'>> & Pick<Prices, 'request'>;

function listedPrices(provider: string, model: string, at: Date): ListedPrices | undefined {
  const found = priceTable().calcPrice({}, model, {
    providerId: ownValue(TABLE_NAMES, provider) ?? provider,
    timestamp: at,
  });
  if (!found) return undefined;
  const prices = found.model_price;
  const requestsPrice = prices.requests_kcount;
  return {
    ...rateMember('input', prices.input_mtok),
    ...rateMember('output', prices.output_mtok),
    ...rateMember('cacheRead', prices.cache_read_mtok),
    ...rateMember('cacheWrite', prices.cache_write_mtok),
    request: typeof requestsPrice === 'number' ? requestsPrice / 1e3 : 0,
  };
}

/** The table's prices are for a million tokens. */
function rateMember(
  name: keyof Omit<Prices, 'request'>,
  price: ModelPrice[string],
): Partial<Record<typeof name, Rate>> {
  if (price === undefined) return {};
  if (typeof price === 'number') return { [name]: { base: price / 1e6, tiers: [] } };
  const tiers = price.tiers.map(({ start, price: perMillion }) => ({ above: start, price: perMillion / 1e6 }));
  return { [name]: { base: price.base / 1e6, tiers } };
}

const load = createRequire(import.meta.url);

/** The table takes 40 ms and some megabytes to load: only once a price is asked for. Required, as costOf cannot wait. */
const priceTable = (): typeof import('@pydantic/genai-prices') => load('@pydantic/genai-prices');
