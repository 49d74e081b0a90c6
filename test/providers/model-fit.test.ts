import { describe, expect, test } from 'vitest';
import { codecs } from '../../src/codecs/index.ts';
import type { CodecId } from '../../src/model/content.ts';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { createModelKnowledge } from '../../src/providers/models/traits.ts';
import { outgoing } from '../../src/providers/outgoing.ts';
import { isScripted } from '../../src/providers/provider.ts';
import { ReasoningVault } from '../../src/vault/vault.ts';
import { contextOf, providerAt, requestOf } from './scene.ts';

const writing = { codecs, vault: new ReasoningVault(), models: createModelKnowledge() };

/** The body that leaves for a provider, and what the ledger says of it. */
function sent(provider: string, dialect: CodecId, given: JsonObject) {
  const { deployment } = providerAt(provider, 'http://127.0.0.1:1');
  if (isScripted(deployment)) throw new Error(`${provider} is a script`);
  const context = contextOf(dialect);
  const { body } = outgoing(writing, deployment, requestOf(dialect, given), String(given.model), context);
  const fields = context.trace.losses.map(({ action, field }) => `${action} ${field}`);
  return { body: JSON.parse(body.toString()) as JsonObject, text: body.toString(), fields };
}

const messages = [{ role: 'user', content: 'Hi' }];

type Case = readonly [what: string, given: JsonObject, expected: JsonObject, losses: readonly string[]];

const inFormat = (provider: string, dialect: CodecId, rest: JsonObject) => (cases: readonly Case[]) =>
  test.each(cases)('%s', (_what, given, expected, losses) => {
    const { body, fields } = sent(provider, dialect, { ...rest, ...given });
    expect(body).toEqual({ ...rest, model: given.model, ...expected });
    expect(fields).toEqual(losses);
  });

describe('Chat Completions as they came, to a model that refuses some of it', () => {
  inFormat('groq', 'openai-chat', { messages })([
    [
      'D15 a Llama takes no effort',
      { model: 'llama-3.3-70b-versatile', reasoning_effort: 'low', seed: 1 },
      { seed: 1 },
      ['dropped reasoning_effort'],
    ],
  ]);

  inFormat('openai', 'openai-chat', { messages })([
    ['E3 reasoning models refuse words to stop at', { model: 'gpt-5-mini', stop: ['END'] }, {}, ['dropped stop']],
    ['E3 others stop at words', { model: 'gpt-4.1', stop: ['END'] }, { stop: ['END'] }, []],
    [
      'E3 reasoning models refuse what steers sampling',
      { model: 'o4-mini', temperature: 0, top_p: 0.5, logprobs: true, seed: 1 },
      { seed: 1 },
      ['dropped temperature', 'dropped top_p', 'dropped logprobs'],
    ],
    [
      'E3 gpt-5.4 refuses it while it reasons',
      { model: 'gpt-5.4', temperature: 0, reasoning_effort: 'high' },
      { reasoning_effort: 'high' },
      ['dropped temperature'],
    ],
    ['E3 gpt-5.4 takes it while it does not', { model: 'gpt-5.4', temperature: 0 }, { temperature: 0 }, []],
    ['E3 gpt-5.5 reasons unless told not to', { model: 'gpt-5.5', temperature: 0 }, {}, ['dropped temperature']],
    [
      'E3 gpt-5.5 told not to reason',
      { model: 'gpt-5.5', temperature: 0, reasoning_effort: 'none' },
      { temperature: 0, reasoning_effort: 'none' },
      [],
    ],
    ['E3 values that change nothing stay', { model: 'o3', temperature: 1, top_p: 1 }, { temperature: 1, top_p: 1 }, []],
    ['D15 gpt-4o takes no effort', { model: 'gpt-4o', reasoning_effort: 'low' }, {}, ['dropped reasoning_effort']],
    [
      'D14 the nearest effort that it takes',
      { model: 'gpt-5-mini', reasoning_effort: 'xhigh' },
      { reasoning_effort: 'high' },
      ['rewritten reasoning_effort'],
    ],
    [
      'D14 one that cannot stop reasoning reasons least',
      { model: 'o3', reasoning_effort: 'none' },
      { reasoning_effort: 'low' },
      ['rewritten reasoning_effort'],
    ],
    [
      'a limit above the model’s is lowered',
      { model: 'gpt-4o', max_completion_tokens: 32_000 },
      { max_completion_tokens: 16_384 },
      ['rewritten max_completion_tokens'],
    ],
  ]);

  test.each([
    { model: 'gpt-4o', max_tokens: 16_384, temperature: 0.2 },
    { model: 'gpt-5.1', temperature: 0.2, max_completion_tokens: 128_000, reasoning_effort: 'none' },
    { model: 'a-model-nobody-knows', max_tokens: 9_999_999, temperature: 2, reasoning_effort: 'max' },
  ])('what the model takes travels byte for byte: %j', (given) => {
    const { text, fields } = sent('openai', 'openai-chat', { ...given, messages });
    expect(text).toBe(JSON.stringify({ ...given, messages }));
    expect(fields).toEqual([]);
  });
});

describe('Responses as they came', () => {
  inFormat('openai', 'openai-responses', { input: 'Hi' })([
    [
      'E3 no sampling with a model that reasons',
      { model: 'gpt-5', temperature: 0.1, top_p: 0.9 },
      {},
      ['dropped temperature', 'dropped top_p'],
    ],
    [
      'D14 the nearest effort',
      { model: 'gpt-5-pro', reasoning: { effort: 'low', summary: 'auto' } },
      { reasoning: { effort: 'high', summary: 'auto' } },
      ['rewritten reasoning.effort'],
    ],
    ['D15 none for gpt-4o', { model: 'gpt-4o', reasoning: { effort: 'low' } }, {}, ['dropped reasoning.effort']],
    [
      'the limit is lowered',
      { model: 'gpt-4o', max_output_tokens: 99_999 },
      { max_output_tokens: 16_384 },
      ['rewritten max_output_tokens'],
    ],
  ]);
});

describe('Messages as they came', () => {
  const most = { messages, max_tokens: 8_000 };
  inFormat(
    'anthropic',
    'anthropic-messages',
    most,
  )([
    [
      'D13 an adaptive-only model gets no budget',
      { model: 'claude-opus-5', thinking: { type: 'enabled', budget_tokens: 4_000, display: 'omitted' } },
      { thinking: { type: 'adaptive', display: 'omitted' } },
      ['rewritten thinking'],
    ],
    [
      'D13 an older model gets a budget, and no effort',
      { model: 'claude-sonnet-4-5', thinking: { type: 'adaptive' }, output_config: { effort: 'low' } },
      { thinking: { type: 'enabled', budget_tokens: 2_070 } },
      ['rewritten thinking', 'dropped output_config.effort'],
    ],
    [
      'D15 one that does not think gets neither',
      { model: 'claude-3-5-haiku-20241022', thinking: { type: 'adaptive' }, output_config: { effort: 'low' } },
      {},
      ['dropped thinking', 'dropped output_config.effort'],
    ],
    [
      'D13 one that always thinks is not told to stop',
      { model: 'claude-fable-5', thinking: { type: 'disabled' } },
      {},
      ['dropped thinking'],
    ],
    [
      'D14 the nearest effort',
      { model: 'claude-opus-4-6', thinking: { type: 'adaptive' }, output_config: { effort: 'xhigh' } },
      { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } },
      ['rewritten output_config.effort'],
    ],
    [
      'D14 without thinking no effort above high',
      { model: 'claude-opus-5', thinking: { type: 'disabled' }, output_config: { effort: 'max' } },
      { thinking: { type: 'disabled' }, output_config: { effort: 'high' } },
      ['rewritten output_config.effort'],
    ],
    [
      'E3 adaptive-only models refuse sampling',
      { model: 'claude-opus-4-7', temperature: 0.3, top_p: 0.9, top_k: 5 },
      {},
      ['dropped temperature', 'dropped top_p', 'dropped top_k'],
    ],
    [
      'E3 newer models take one of temperature and top_p',
      { model: 'claude-sonnet-4-5', temperature: 0.3, top_p: 0.9 },
      { temperature: 0.3 },
      ['dropped top_p'],
    ],
    [
      'the limit is lowered',
      { model: 'claude-sonnet-4-20250514', max_tokens: 128_000 },
      { max_tokens: 64_000 },
      ['rewritten max_tokens'],
    ],
  ]);

  test.each([
    { model: 'claude-opus-5', thinking: { type: 'adaptive' }, output_config: { effort: 'max' }, temperature: 1 },
    { model: 'claude-opus-4-6', thinking: { type: 'enabled', budget_tokens: 2_000 } },
    { model: 'claude-sonnet-4-5', thinking: { type: 'enabled', budget_tokens: 2_000 } },
    { model: 'claude-of-tomorrow', thinking: { type: 'enabled', budget_tokens: 2_000 }, top_p: 0.1, temperature: 0 },
  ])('what the model takes travels byte for byte: %j', (given) => {
    const body = { ...given, ...most };
    expect(sent('anthropic', 'anthropic-messages', body)).toMatchObject({ text: JSON.stringify(body), fields: [] });
  });
});

describe('an effort of another format, for Claude', () => {
  const ask = (model: string, effort: string) =>
    sent('anthropic', 'openai-chat', { model, messages, max_completion_tokens: 8_000, reasoning_effort: effort }).body;

  test.each([
    ['D13 claude-opus-5', 'high', { type: 'adaptive' }, { effort: 'high' }],
    ['D13 claude-sonnet-4-6', 'medium', { type: 'adaptive' }, { effort: 'medium' }],
    ['D14 claude-sonnet-4-6', 'minimal', { type: 'adaptive' }, { effort: 'low' }],
    ['D13 claude-opus-4-5', 'high', { type: 'enabled', budget_tokens: 6_604 }, { effort: 'high' }],
    ['D13 claude-sonnet-4-5', 'low', { type: 'enabled', budget_tokens: 2_070 }, undefined],
    ['D13 claude-sonnet-4-5', 'none', { type: 'disabled' }, undefined],
    ['D13 claude-fable-5', 'none', undefined, undefined],
    ['D15 claude-3-5-haiku-20241022', 'high', undefined, undefined],
  ])('%s, %s', (name, effort, thinking, config) => {
    const body = ask(name.slice(4), effort);
    expect(body.thinking).toEqual(thinking);
    expect(body.output_config).toEqual(config);
  });

  test('D12 a budget stays below max_tokens and at least the smallest, or there is none', () => {
    const asked = (limit: number) =>
      sent('anthropic', 'openai-chat', {
        model: 'claude-sonnet-4-5',
        messages,
        max_completion_tokens: limit,
        reasoning: { max_tokens: 50_000 },
      }).body.thinking;
    expect(asked(4_000)).toEqual({ type: 'enabled', budget_tokens: 3_999 });
    expect(asked(1_024)).toBeUndefined();
  });
});

describe('thinking of another format, for OpenAI', () => {
  const ask = (model: string, more: JsonObject) =>
    sent('openai', 'anthropic-messages', { model, messages, max_tokens: 32_000, ...more }).body;

  test.each<[string, string, JsonObject, unknown]>([
    ['D15 gpt-4o gets none', 'gpt-4o', { thinking: { type: 'adaptive' } }, undefined],
    ['D14 max on gpt-5', 'gpt-5', { output_config: { effort: 'max' } }, 'high'],
    ['D14 max on gpt-5.4', 'gpt-5.4', { output_config: { effort: 'max' } }, 'xhigh'],
    ['D14 low on gpt-5-pro', 'gpt-5-pro', { output_config: { effort: 'low' } }, 'high'],
    ['D13 a budget as an effort', 'gpt-5', { thinking: { type: 'enabled', budget_tokens: 30_000 } }, 'high'],
  ])('%s', (_what, model, more, effort) => {
    const { reasoning_effort: inChat, reasoning } = ask(model, more);
    expect(isObject(reasoning) ? reasoning.effort : inChat).toEqual(effort);
  });

  test('E1 the limit is called as the model wants it, and lowered to what it gives', () => {
    expect(ask('gpt-4o', {})).toMatchObject({ max_completion_tokens: 16_384 });
  });
});

describe('Gemini as it came', () => {
  const contents = [{ role: 'user', parts: [{ text: 'Hi' }] }];
  inFormat('gemini', 'gemini', { contents })([
    [
      'D15 a model that does not think is not told how to',
      { model: 'gemini-2.0-flash', generationConfig: { thinkingConfig: { thinkingBudget: 5 }, topK: 3 } },
      { generationConfig: { topK: 3 }, model: undefined },
      ['dropped generationConfig.thinkingConfig'],
    ],
    [
      'the limit is lowered',
      { model: 'gemini-2.5-pro', generationConfig: { maxOutputTokens: 100_000 } },
      { generationConfig: { maxOutputTokens: 65_536 }, model: undefined },
      ['rewritten generationConfig.maxOutputTokens'],
    ],
  ]);
});
