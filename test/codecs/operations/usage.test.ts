import { expect, test } from 'vitest';
import { measuredFrom, usageFrom } from '../../../src/codecs/operations/usage.ts';
import { NO_USAGE } from '../../../src/model/usage.ts';

test.each([
  ['embeddings', { prompt_tokens: 5, total_tokens: 5 }, { input: 5 }],
  [
    'completions',
    {
      prompt_tokens: 9,
      completion_tokens: 4,
      prompt_tokens_details: { cached_tokens: 3 },
      completion_tokens_details: { reasoning_tokens: 2 },
    },
    { input: 9, output: 4, cacheRead: 3, reasoning: 2 },
  ],
  [
    'pictures',
    {
      input_tokens: 50,
      output_tokens: 100,
      input_tokens_details: { text_tokens: 10, image_tokens: 40, cached_tokens: 8 },
    },
    { input: 50, output: 100, cacheRead: 8 },
  ],
  [
    'transcripts',
    { type: 'tokens', input_tokens: 14, output_tokens: 3, input_token_details: { audio_tokens: 14 } },
    { input: 14, output: 3 },
  ],
  [
    'Google’s answers, whose thoughts are counted beside the rest',
    {
      promptTokenCount: 7,
      candidatesTokenCount: 5,
      thoughtsTokenCount: 6,
      cachedContentTokenCount: 2,
      totalTokenCount: 18,
    },
    { input: 7, output: 11, cacheRead: 2, reasoning: 6 },
  ],
  ['Cohere’s', { billed_units: { input_tokens: 4 } }, { input: 4 }],
])('tokens of %s', (_what, wire, expected) => {
  expect(usageFrom(wire)).toEqual({ ...NO_USAGE, ...expected });
});

test.each([
  ['seconds', { type: 'duration', seconds: 9.5 }, { seconds: 9.5 }],
  [
    'tokens and seconds',
    { prompt_tokens: 1, prompt_audio_seconds: 3 },
    { usage: { ...NO_USAGE, input: 1 }, seconds: 3 },
  ],
  ['search units', { billed_units: { search_units: 1 } }, {}],
  ['nothing', {}, {}],
  ['no object', 'many', {}],
  ['counts that are none', { prompt_tokens: -1, seconds: 'x' }, {}],
])('%s are what was measured', (_what, wire, expected) => {
  expect(measuredFrom(wire)).toEqual(expected);
});
