import { describe, expect, test } from 'vitest';
import { Ledger } from '../../../src/codecs/ledger.ts';
import { chatBody, TextChoices, textAsked, textCompletion } from '../../../src/codecs/operations/text-as-chat.ts';
import type { JsonObject } from '../../../src/model/json.ts';

function asked(fields: JsonObject) {
  const ledger = new Ledger();
  const text = textAsked({ model: 'x', prompt: 'Once', ...fields }, 'max_completion_tokens', ledger);
  return { text, ledger, settings: text.settings, dropped: ledger.losses.map(({ field }) => field) };
}

describe('what a legacy completion asks, in the words of a chat', () => {
  test.each<[what: string, fields: JsonObject, settings: JsonObject]>([
    ['the most tokens under the target’s name', { max_tokens: 5 }, { max_completion_tokens: 5 }],
    ['its newer name too', { max_completion_tokens: 5 }, { max_completion_tokens: 5 }],
    [
      'what steers sampling',
      { temperature: 0.5, top_p: 0.9, presence_penalty: 1, frequency_penalty: 2, seed: 3, logit_bias: { 5: -1 } },
      { temperature: 0.5, top_p: 0.9, presence_penalty: 1, frequency_penalty: 2, seed: 3, logit_bias: { 5: -1 } },
    ],
    [
      'stops, user and stream options',
      { stop: ['\n'], user: 'u', stream_options: { include_usage: true } },
      {
        stop: ['\n'],
        user: 'u',
        stream_options: { include_usage: true },
      },
    ],
    ['fields that nobody knows', { top_k: 4, guided_regex: '.' }, { top_k: 4, guided_regex: '.' }],
    ['several choices', { n: 2 }, { n: 2 }],
    ['one choice is what chats give', { n: 1 }, {}],
    ['probabilities', { logprobs: 3 }, { logprobs: true, top_logprobs: 3 }],
    ['probabilities without alternatives', { logprobs: 0 }, { logprobs: true, top_logprobs: 0 }],
    ['null is nothing', { max_tokens: null, n: null, logprobs: null, stop: null, suffix: null }, {}],
    ['what is for the gateway stays here', { fallbacks: ['a/b'], stream: true, echo: true }, {}],
  ])('%s', (_what, fields, settings) => {
    expect(asked(fields).settings).toEqual(settings);
    expect(asked(fields).dropped).toEqual([]);
  });

  test.each<[fields: JsonObject, dropped: string[]]>([
    [{ suffix: ' the end' }, ['suffix']],
    [{ suffix: '' }, []],
    [{ best_of: 3 }, ['best_of']],
    [{ best_of: 2, n: 2 }, []],
    [{ echo: true, logprobs: 1 }, ['echo.logprobs']],
  ])('what no chat can do is told: %j', (fields, dropped) => {
    expect(asked(fields).dropped).toEqual(dropped);
  });

  test('each of several prompts is a chat of its own', () => {
    const { text } = asked({ prompt: ['a', 'b'], temperature: 0 });
    expect(text.prompts.map((prompt) => chatBody(text, prompt, 'm', true))).toEqual([
      { model: 'm', messages: [{ role: 'user', content: 'a' }], temperature: 0, stream: true },
      { model: 'm', messages: [{ role: 'user', content: 'b' }], temperature: 0, stream: true },
    ]);
  });

  test.each([[undefined], [null], [[]], [[1, 2, 3]], [[[1, 2]]], [{ text: 'x' }]])('%j is no prompt', (prompt) => {
    // tokens ids are among what the legacy API takes
    const given = prompt as JsonObject['prompt'];
    expect(() => textAsked({ model: 'x', prompt: given }, 'max_tokens', new Ledger())).toThrow(/^prompt /);
  });
});

const answer = (message: JsonObject, more: JsonObject = {}): JsonObject => ({
  id: 'chatcmpl-7',
  object: 'chat.completion',
  created: 9,
  model: 'm',
  system_fingerprint: 'fp',
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop', ...more }],
  usage: { prompt_tokens: 1 },
});

function choicesOf(fields: JsonObject, place: number, ...chats: readonly JsonObject[]) {
  const { text, ledger } = asked(fields);
  const choices = new TextChoices(text, place, ledger);
  return { all: chats.map((chat) => choices.of(chat)), ledger };
}

describe('a chat’s answer as a legacy completion', () => {
  test.each<[what: string, message: JsonObject, more: JsonObject, expected: JsonObject]>([
    ['text', { content: ' upon' }, {}, { text: ' upon', finish_reason: 'stop' }],
    ['cut at the limit', { content: ' u' }, { finish_reason: 'length' }, { text: ' u', finish_reason: 'length' }],
    ['filtered', { content: '' }, { finish_reason: 'content_filter' }, { text: '', finish_reason: 'content_filter' }],
    ['a refusal', { content: null, refusal: 'No.' }, {}, { text: 'No.', finish_reason: 'stop' }],
    ['another end', { content: 'x' }, { finish_reason: 'tool_calls' }, { text: 'x', finish_reason: 'stop' }],
  ])('%s', (_what, message, more, expected) => {
    expect(choicesOf({}, 0, answer(message, more)).all[0]).toEqual([{ index: 0, logprobs: null, ...expected }]);
  });

  test('its head stays, its id and object are those of a completion, its counts are told apart', () => {
    expect(textCompletion(answer({ content: 'x' }), [{ text: 'x' }])).toEqual({
      id: 'cmpl-7',
      object: 'text_completion',
      created: 9,
      model: 'm',
      system_fingerprint: 'fp',
      choices: [{ text: 'x' }],
    });
  });

  test('choices of a later prompt come behind those of the ones before', () => {
    const two = {
      choices: [0, 1].map((index) => ({ index, message: { content: `${index}` }, finish_reason: 'stop' })),
    };
    const [choices] = choicesOf({ prompt: ['a', 'b'], n: 2 }, 1, two).all;
    expect(choices?.map(({ index, text }) => [index, text])).toEqual([
      [2, '0'],
      [3, '1'],
    ]);
  });

  test('an echo stands in front of the first text only', () => {
    const chunk = (content: string, finish: string | null = null): JsonObject => ({
      choices: [{ index: 0, delta: { content }, finish_reason: finish }],
    });
    const { all } = choicesOf({ echo: true }, 0, chunk(''), chunk(' upon'), chunk(' a'), chunk('', 'stop'));
    expect(all.flat().map(({ text }) => text)).toEqual(['Once upon', ' a', '']);
  });

  test('probabilities become lists, their offsets go on from chunk to chunk and count the echo', () => {
    const token = (text: string) => ({ token: text, logprob: -1, top_logprobs: [{ token: text, logprob: -1 }] });
    const chunk = (text: string): JsonObject => ({
      choices: [{ index: 0, delta: { content: text }, logprobs: { content: [token(text)] }, finish_reason: null }],
    });
    const { all } = choicesOf({ echo: true, logprobs: 1 }, 0, chunk(' upon'), chunk(' a'));
    expect(all.flat().map(({ logprobs }) => logprobs)).toEqual([
      { tokens: [' upon'], token_logprobs: [-1], top_logprobs: [{ ' upon': -1 }], text_offset: [4] },
      { tokens: [' a'], token_logprobs: [-1], top_logprobs: [{ ' a': -1 }], text_offset: [9] },
    ]);
  });

  test('thinking has no place, which is told once', () => {
    const thought = answer({ content: 'x', reasoning_content: 'hm' });
    const { ledger } = choicesOf({}, 0, thought, thought);
    expect(ledger.losses.map(({ field, action }) => [field, action])).toEqual([
      ['choices.message.reasoning', 'dropped'],
    ]);
  });
});
