import { describe, expect, test } from 'vitest';
import type { ModelTraits } from '../../../src/model/traits.ts';
import { familyTraits } from '../../../src/providers/models/families.ts';

test.each<[string, ModelTraits]>([
  ['gpt-4o', { maxOutputTokens: 16_384, reasoning: false, contextWindow: 128_000 }],
  ['gpt-4o-mini-2024-07-18', { maxOutputTokens: 16_384, reasoning: false }],
  ['gpt-4o-2024-05-13', { maxOutputTokens: 4_096, structuredOutput: false }],
  ['gpt-4.1-nano', { maxOutputTokens: 32_768, reasoning: false }],
  ['gpt-4-turbo', { maxOutputTokens: 4_096, reasoning: false }],
  ['o3-mini', { maxOutputTokens: 100_000, efforts: ['low', 'medium', 'high'], sampling: 'never', vision: false }],
  ['o1', { maxOutputTokens: 100_000, reasoning: true }],
  ['o1-mini', { reasoning: true, efforts: [], tools: false }],
  ['gpt-5-mini', { maxOutputTokens: 128_000, efforts: ['minimal', 'low', 'medium', 'high'], sampling: 'never' }],
  ['gpt-5-pro', { efforts: ['high'] }],
  ['gpt-5.1', { efforts: ['none', 'low', 'medium', 'high'], defaultEffort: 'none', sampling: 'unless-reasoning' }],
  ['gpt-5.2', { efforts: ['none', 'low', 'medium', 'high', 'xhigh'], defaultEffort: 'none' }],
  ['gpt-5.2-codex', { efforts: ['low', 'medium', 'high', 'xhigh'], sampling: 'never' }],
  ['gpt-5.5', { defaultEffort: 'medium', sampling: 'unless-reasoning' }],
  ['gpt-5-chat-latest', { maxOutputTokens: 16_384, reasoning: false }],
  ['gpt-6-astra', { efforts: ['low', 'medium', 'high', 'xhigh'], sampling: 'never', maxOutputTokens: 128_000 }],
  ['openai/gpt-oss-120b', { efforts: ['low', 'medium', 'high'] }],
  ['openai.gpt-oss-120b-1:0', { efforts: ['low', 'medium', 'high'], vision: false }],
  ['us.amazon.nova-pro-v1:0', { maxOutputTokens: 10_000, contextWindow: 300_000, vision: true }],
  ['amazon.nova-micro-v1:0', { maxOutputTokens: 10_000, vision: false }],
  ['eu.amazon.nova-premier-v1:0', { maxOutputTokens: 10_000, contextWindow: 1_000_000 }],
  ['gemini-2.5-pro', { maxOutputTokens: 65_536, reasoning: true, contextWindow: 1_048_576 }],
  ['gemini-2.5-flash-image', { maxOutputTokens: 32_768, reasoning: false }],
])('%s', (model, traits) => {
  expect(familyTraits(model)).toMatchObject(traits);
});

describe('D13 the forms in which a Claude model thinks', () => {
  const none = { reasoning: false };
  const budget = { thinking: { budget: true, adaptive: false, canStop: true }, efforts: [] };
  const both = { thinking: { budget: true, adaptive: true, canStop: true }, efforts: ['low', 'medium', 'high', 'max'] };
  const adaptive = { thinking: { budget: false, adaptive: true, canStop: true }, sampling: 'never' };

  test.each([
    ['claude-3-5-haiku-20241022', 8_192, none],
    ['claude-3-7-sonnet-latest', 64_000, budget],
    ['claude-sonnet-4-20250514', 64_000, budget],
    ['claude-sonnet-4@20250514', 64_000, budget],
    ['claude-opus-4-1-20250805', 32_000, budget],
    ['anthropic/claude-sonnet-4.5', 64_000, budget],
    ['us.anthropic.claude-haiku-4-5-20251001-v1:0', 64_000, budget],
    ['claude-opus-4-5', 64_000, { ...budget, efforts: ['low', 'medium', 'high'] }],
    ['claude-opus-4-6', 128_000, both],
    ['global.anthropic.claude-sonnet-4-6-v1:0', 64_000, both],
    ['claude-opus-4-7', 128_000, adaptive],
    ['claude-opus-4-8[1m]', 128_000, adaptive],
    ['claude-sonnet-5', 128_000, adaptive],
    ['claude-opus-5-5', 128_000, adaptive],
    ['claude-fable-5-1', 128_000, { ...adaptive, thinking: { budget: false, adaptive: true, canStop: false } }],
    ['claude-opus-4-9', undefined, adaptive],
    ['claude-haiku-5-5', undefined, adaptive],
  ])('%s', (model, maxOutputTokens, traits) => {
    const known = familyTraits(model);
    expect(known.maxOutputTokens).toBe(maxOutputTokens);
    expect(known).toMatchObject(traits);
  });
});

test.each<[ModelTraits['responsesApi'], readonly string[]]>([
  [
    'only',
    [
      ...['gpt-5-pro', 'gpt-5-codex', 'gpt-5.1-codex-mini', 'gpt-5.2-pro-2025-12-11', 'gpt-5.3-codex', 'o1-pro'],
      ...['o3-pro-2025-06-10', 'o3-deep-research', 'o4-mini-deep-research-2025-06-26', 'computer-use-preview'],
      ...['codex-mini-latest', 'openai/gpt-5-pro'],
    ],
  ],
  ['for-tools', ['gpt-5.4', 'gpt-5.4-mini', 'gpt-5.5', 'gpt-5.6-terra', 'gpt-6']],
  ['better', ['gpt-5', 'gpt-5-mini-2025-08-07', 'gpt-5.1', 'gpt-5.2', 'o1', 'o3', 'o3-mini', 'o4-mini']],
  [undefined, ['gpt-4o', 'gpt-4.1', 'gpt-5-chat-latest', 'o1-mini', 'openai/gpt-oss-120b', 'claude-sonnet-4-5']],
])('the Responses API, %s: %s', (need, models) => {
  expect(models.map((model) => [model, familyTraits(model).responsesApi])).toEqual(
    models.map((model) => [model, need]),
  );
});

test.each(['llama-9-giant', 'o4x', 'my-deployment', ''])('nothing is said of %s', (model) => {
  expect(familyTraits(model)).toEqual({});
});
