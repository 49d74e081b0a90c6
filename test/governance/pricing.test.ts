import { calcPrice } from '@pydantic/genai-prices';
import { describe, expect, test } from 'vitest';
import { createPricing } from '../../src/governance/pricing.ts';
import { NO_USAGE, type Usage } from '../../src/model/usage.ts';

const usage = (partial: Partial<Usage>): Usage => ({ ...NO_USAGE, ...partial });
const MILLION = 1_000_000;

describe('the cost of a call', () => {
  const models: readonly (readonly [provider: string, model: string, table: string])[] = [
    ['openai', 'gpt-4o', 'openai'],
    ['openai', 'gpt-4o-mini', 'openai'],
    ['anthropic', 'claude-sonnet-4-5', 'anthropic'],
    ['anthropic', 'claude-opus-4-1-20250805', 'anthropic'],
    ['gemini', 'gemini-2.5-pro', 'google'],
    ['vertex', 'gemini-2.5-flash', 'google'],
    ['groq', 'llama-3.3-70b-versatile', 'groq'],
    ['xai', 'grok-4', 'x-ai'],
    ['mistral', 'mistral-large-latest', 'mistral'],
    ['bedrock', 'anthropic.claude-3-5-sonnet-20241022-v2:0', 'aws'],
    ['cerebras', 'gpt-oss-120b', 'cerebras'],
  ];
  for (const [provider, model, table] of models) {
    test(`of ${provider}/${model} is the price table's, in every tier`, () => {
      const pricing = createPricing();
      for (const input of [0, 1_000, 200_000, 200_001, 900_000]) {
        const cacheRead = Math.floor(input / 4);
        const listed = calcPrice({ input_tokens: input, cache_read_tokens: cacheRead, output_tokens: 500 }, model, {
          providerId: table,
        });
        expect(pricing.costOf(provider, model, usage({ input, cacheRead, output: 500 }))).toBeCloseTo(
          listed?.total_price ?? Number.NaN,
          10,
        );
      }
    });
  }

  test('is unknown for a model that nobody listed, which is not free', () => {
    const pricing = createPricing();
    expect(pricing.costOf('ollama', 'llama3', usage({ input: 10 }))).toBeUndefined();
    expect(pricing.costOf('openai', 'a-model-of-next-year', usage({ input: 10 }))).toBeUndefined();
    expect(pricing.costOf('my-proxy', 'gpt-4o', usage({ input: 10 }))).toBeUndefined();
  });

  const own = createPricing([
    {
      pattern: 'm',
      patch: {
        input_cost_per_token: 10,
        output_cost_per_token: 100,
        cache_read_input_token_cost: 1,
        cache_creation_input_token_cost: 12,
      },
    },
  ]);

  test('E7 counts cached tokens once: they are part of the input', () => {
    expect(own.costOf('p', 'm', usage({ input: 10 }))).toBe(100);
    expect(own.costOf('p', 'm', usage({ input: 10, cacheRead: 4, cacheWrite: 3 }))).toBe(3 * 10 + 4 * 1 + 3 * 12);
  });

  test('counts reasoning once: it is part of the output', () => {
    expect(own.costOf('p', 'm', usage({ output: 5, reasoning: 4 }))).toBe(500);
  });

  test('is never negative, however odd the counts', () => {
    expect(own.costOf('p', 'm', usage({ input: 1, cacheRead: 4 }))).toBe(4);
  });

  test('takes the input price for cached tokens when the cache has no price', () => {
    const pricing = createPricing([{ pattern: 'm', patch: { input_cost_per_token: 2, output_cost_per_token: 3 } }]);
    expect(pricing.costOf('p', 'm', usage({ input: 10, cacheRead: 5, cacheWrite: 5, output: 1 }))).toBe(23);
  });
});

describe('a price of one’s own', () => {
  const priced = (price: number) => ({ input_cost_per_token: price, output_cost_per_token: price });

  test('wins over the table, and where it is silent the table speaks', () => {
    const pricing = createPricing([{ provider: 'openai', pattern: 'gpt-4o', patch: { output_cost_per_token: 0 } }]);
    expect(pricing.costOf('openai', 'gpt-4o', usage({ input: MILLION, output: MILLION }))).toBeCloseTo(2.5);
  });

  test('of zero means free', () => {
    const pricing = createPricing([{ provider: 'ollama', pattern: '*', patch: priced(0) }]);
    expect(pricing.costOf('ollama', 'llama3', usage({ input: 10, output: 10 }))).toBe(0);
  });

  test('is the most specific one: provider, then exact name, then longest beginning', () => {
    const pricing = createPricing([
      { pattern: '*', patch: priced(1) },
      { pattern: 'a*', patch: priced(2) },
      { pattern: 'ab', patch: priced(3) },
      { provider: 'p', pattern: '*', patch: priced(4) },
    ]);
    const priceOf = (provider: string, model: string) => pricing.costOf(provider, model, usage({ input: 1 }));
    expect(priceOf('q', 'z')).toBe(1);
    expect(priceOf('q', 'abc')).toBe(2);
    expect(priceOf('q', 'ab')).toBe(3);
    expect(priceOf('p', 'ab')).toBe(4);
  });

  test('may be for each request', () => {
    const pricing = createPricing([{ pattern: 'm', patch: { ...priced(0), cost_per_request: 0.01 } }]);
    expect(pricing.costOf('p', 'm', NO_USAGE)).toBe(0.01);
  });
});

test('prices that depend on the time of day are asked for again', () => {
  let now = Date.UTC(2025, 0, 10, 12);
  const pricing = createPricing([], () => now);
  const at = (): number | undefined => pricing.costOf('deepseek', 'deepseek-chat', usage({ input: MILLION }));
  const listed = (): number | undefined =>
    calcPrice({ input_tokens: MILLION }, 'deepseek-chat', { providerId: 'deepseek', timestamp: new Date(now) })
      ?.total_price;
  const day = at();
  expect(day).toBeCloseTo(listed() ?? Number.NaN, 10);
  for (let hour = 1; hour <= 24; hour++) {
    now += 3_600_000;
    expect(at()).toBeCloseTo(listed() ?? Number.NaN, 10);
  }
});
