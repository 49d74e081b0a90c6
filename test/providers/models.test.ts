import { expect, test } from 'vitest';
import { modelTraits } from '../../src/providers/models.ts';

test.each([
  ['gpt-4o', { maxOutputTokens: 16_384, reasoning: false }],
  ['gpt-4o-mini-2024-07-18', { maxOutputTokens: 16_384, reasoning: false }],
  ['gpt-4o-2024-05-13', { maxOutputTokens: 4_096, reasoning: false }],
  ['gpt-4.1-nano', { maxOutputTokens: 32_768, reasoning: false }],
  ['gpt-4-turbo', { maxOutputTokens: 4_096, reasoning: false }],
  ['o3-mini', { maxOutputTokens: 100_000, reasoning: true }],
  ['o1', { maxOutputTokens: 100_000, reasoning: true }],
  ['gpt-5-mini', { maxOutputTokens: 128_000, reasoning: true }],
  ['gpt-5.1', { maxOutputTokens: 128_000, reasoning: true }],
  ['gpt-5-chat-latest', { maxOutputTokens: 16_384, reasoning: false }],
  ['claude-3-5-haiku-20241022', { maxOutputTokens: 8_192, reasoning: false }],
  ['claude-sonnet-4-20250514', { maxOutputTokens: 64_000, reasoning: true }],
  ['claude-opus-4-1-20250805', { maxOutputTokens: 32_000, reasoning: true }],
  ['claude-opus-4-9', { reasoning: true }],
  ['anthropic/claude-sonnet-4-5', { maxOutputTokens: 64_000, reasoning: true }],
  ['gemini-2.5-pro', { maxOutputTokens: 65_536, reasoning: true }],
  ['llama-3.3-70b-versatile', {}],
  ['o4x', {}],
])('%s', (model, traits) => {
  expect(modelTraits(model)).toEqual(traits);
});
