import { describe, expect, test } from 'vitest';
import type { EncodeTarget } from '../../../src/codecs/codec.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import type { Settings } from '../../../src/model/request.ts';
import { ask, sent } from './support.ts';

const CLOSED: JsonObject = { type: 'object', properties: {}, additionalProperties: false };

describe('the settings of a request of another format', () => {
  type Row = readonly [string, Settings, Partial<EncodeTarget>, JsonObject, readonly string[]];
  const thinks = { reasoning: true };
  const PARAMETERS: readonly Row[] = [
    ['no limit: 4096', {}, {}, { max_tokens: 4_096 }, ['invented max_tokens']],
    ['no limit: the model’s', {}, { maxOutputTokens: 64_000 }, { max_tokens: 64_000 }, ['invented max_tokens']],
    [
      'too high a limit',
      { maxOutputTokens: 9_000 },
      { maxOutputTokens: 8_000 },
      { max_tokens: 8_000 },
      ['rewritten max_tokens'],
    ],
    [
      'temperature above 1',
      { maxOutputTokens: 9, temperature: 1.5 },
      {},
      { max_tokens: 9, temperature: 1 },
      ['rewritten temperature'],
    ],
    [
      'temperature beside top_p',
      { maxOutputTokens: 9, temperature: 1, topP: 0.5 },
      {},
      { max_tokens: 9, temperature: 1 },
      ['dropped top_p'],
    ],
    [
      'stop sequences',
      { maxOutputTokens: 9, stopSequences: ['END', '\n'] },
      {},
      { max_tokens: 9, stop_sequences: ['END'] },
      ['dropped stop_sequences'],
    ],
    ['a user', { maxOutputTokens: 9, user: 'u' }, {}, { max_tokens: 9, metadata: { user_id: 'u' } }, []],
    [
      'what does not exist here',
      { maxOutputTokens: 9, seed: 1, presencePenalty: 1, frequencyPenalty: 1 },
      {},
      { max_tokens: 9 },
      ['dropped seed', 'dropped presence_penalty', 'dropped frequency_penalty'],
    ],
    [
      'a schema',
      { maxOutputTokens: 9, responseFormat: { type: 'json-schema', name: 'n', schema: CLOSED } },
      {},
      { max_tokens: 9, output_config: { format: { type: 'json_schema', schema: CLOSED } } },
      [],
    ],
    [
      'JSON without a schema',
      { maxOutputTokens: 9, responseFormat: { type: 'json-object' } },
      {},
      { max_tokens: 9 },
      ['dropped response_format'],
    ],
    [
      'D15 effort, for a model not known to think',
      { maxOutputTokens: 9_000, reasoning: { effort: 'high' } },
      {},
      { max_tokens: 9_000 },
      ['dropped thinking'],
    ],
    ['effort none', { maxOutputTokens: 9, reasoning: { effort: 'none' } }, thinks, { max_tokens: 9 }, []],
    [
      'effort as a budget',
      { maxOutputTokens: 11_024, reasoning: { effort: 'high' } },
      thinks,
      { max_tokens: 11_024, thinking: { type: 'enabled', budget_tokens: 9_024 } },
      ['rewritten thinking'],
    ],
    [
      'a budget without a limit',
      { reasoning: { budgetTokens: 10_000 } },
      thinks,
      { max_tokens: 14_096, thinking: { type: 'enabled', budget_tokens: 10_000 } },
      ['invented max_tokens'],
    ],
    [
      'adaptive with effort',
      { maxOutputTokens: 9, reasoning: { adaptive: true, effort: 'max' } },
      thinks,
      { max_tokens: 9, thinking: { type: 'adaptive' }, output_config: { effort: 'max' } },
      ['rewritten thinking'],
    ],
    [
      'D14 an effort below the least',
      { maxOutputTokens: 9, reasoning: { adaptive: true, effort: 'minimal' } },
      thinks,
      { max_tokens: 9, thinking: { type: 'adaptive' }, output_config: { effort: 'low' } },
      ['rewritten thinking', 'rewritten output_config.effort'],
    ],
    [
      'D12 a budget above the limit',
      { maxOutputTokens: 2_000, reasoning: { budgetTokens: 5_000 } },
      thinks,
      { max_tokens: 2_000, thinking: { type: 'enabled', budget_tokens: 1_999 } },
      ['rewritten thinking.budget_tokens'],
    ],
    [
      'D12 a budget below the least',
      { maxOutputTokens: 2_000, reasoning: { budgetTokens: 10 } },
      thinks,
      { max_tokens: 2_000, thinking: { type: 'enabled', budget_tokens: 1_024 } },
      ['rewritten thinking.budget_tokens'],
    ],
    [
      'D12 no room to think',
      { maxOutputTokens: 512, reasoning: { budgetTokens: 1_024 } },
      thinks,
      { max_tokens: 512 },
      ['dropped thinking'],
    ],
    [
      'temperature beside thinking',
      { maxOutputTokens: 2_000, temperature: 0, topK: 3, reasoning: { budgetTokens: 1_024 } },
      thinks,
      { max_tokens: 2_000, thinking: { type: 'enabled', budget_tokens: 1_024 } },
      ['dropped temperature', 'dropped top_k'],
    ],
  ];

  test.each(PARAMETERS)('%s', (_what, settings, target, fields, entries) => {
    const { body, losses } = sent(ask(settings), target);
    const { model: _model, messages: _messages, ...rest } = body;
    expect(rest).toEqual(fields);
    expect(losses).toEqual(entries);
  });

  test('D16 a forced tool choice gives way to thinking', () => {
    const { body, losses } = sent(
      ask(
        { maxOutputTokens: 4_000, reasoning: { budgetTokens: 2_000 } },
        {
          tools: [{ type: 'function', name: 'a', inputSchema: { type: 'object' }, owner: 'client' }],
          toolChoice: { type: 'tool', name: 'a' },
        },
      ),
      thinks,
    );
    expect(body).toMatchObject({ tool_choice: { type: 'auto' }, thinking: { type: 'enabled' } });
    expect(losses).toEqual(['rewritten tool_choice']);
  });
});
