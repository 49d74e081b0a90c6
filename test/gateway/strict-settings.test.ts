import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { post } from '../support/gateway.ts';
import { type StrictGateway, type StrictName, startStrictGateway } from '../support/strict-gateway.ts';

// Settings that one API has and another refuses: each strict server takes every one of these requests, translated.

const TARGETS: readonly (readonly [StrictName, string])[] = [
  ['anthropic', 'anthropic/claude-opus-4-6'],
  ['anthropic', 'anthropic/claude-sonnet-4-5'],
  ['openai', 'openai/gpt-4o'],
  ['openai', 'openai/gpt-5'],
  ['openai', 'responder/gpt-4.1'],
  ['gemini', 'gemini/gemini-2.5-pro'],
  ['gemini', 'gemini/gemini-3-pro-preview'],
  ['groq', 'groq/openai/gpt-oss-120b'],
  ['deepseek', 'deepseek/deepseek-reasoner'],
];

const SCHEMA: JsonObject = {
  type: 'object',
  properties: { place: { type: 'string' } },
  required: ['place'],
  additionalProperties: false,
};
const WORDS = ['one', 'two', 'three', 'four', 'five', 'six'];
const HEIC = 'AAAAGGZ0eXBoZWlj';

type Ask = (url: string, model: string) => Promise<Response>;

const messages =
  (more: JsonObject): Ask =>
  (url, model) =>
    post(`${url}/anthropic/v1/messages`, {
      model,
      max_tokens: 900,
      messages: [{ role: 'user', content: 'Hi' }],
      ...more,
    });
const gemini =
  (generationConfig: JsonObject, more: JsonObject = {}): Ask =>
  (url, model) =>
    post(`${url}/genai/v1beta/models/${model}:generateContent`, {
      contents: [{ role: 'user', parts: [{ text: 'Hi' }] }],
      generationConfig,
      ...more,
    });
const chat =
  (more: JsonObject): Ask =>
  (url, model) =>
    post(`${url}/v1/chat/completions`, { model, messages: [{ role: 'user', content: 'Hi' }], ...more });
const responses =
  (more: JsonObject): Ask =>
  (url, model) =>
    post(`${url}/v1/responses`, { model, input: 'Hi', ...more });
const converse =
  (more: JsonObject): Ask =>
  (url, model) =>
    post(`${url}/bedrock/model/${encodeURIComponent(model)}/converse`, {
      messages: [{ role: 'user', content: [{ text: 'Hi' }] }],
      ...more,
    });

const declared = { functionDeclarations: [{ name: 'look', parameters: SCHEMA }] };

/** Each with formats whose own servers may refuse it, as the client's own words travel as they are. */
const REQUESTS: readonly (readonly [what: string, own: RegExp, ask: Ask])[] = [
  ['many words to stop at, of Messages', /^anthropic/, messages({ stop_sequences: WORDS })],
  ['many words to stop at, of Gemini', /^gemini/, gemini({ stopSequences: WORDS })],
  ['many words to stop at, of Converse', /^$/, converse({ inferenceConfig: { stopSequences: WORDS } })],
  ['a line end to stop at', /^(openai|groq|deepseek)/, chat({ stop: '\n' })],
  ['JSON without a schema, of Gemini', /^gemini/, gemini({ responseMimeType: 'application/json' })],
  ['JSON of a schema', /^gemini/, gemini({ responseMimeType: 'application/json', responseJsonSchema: SCHEMA })],
  [
    'JSON of a schema beside functions',
    /^gemini/,
    gemini({ responseMimeType: 'application/json', responseJsonSchema: SCHEMA }, { tools: [declared] }),
  ],
  [
    'JSON of a schema, of Responses',
    /^(openai|responder)/,
    responses({ text: { format: { type: 'json_schema', name: 'place', schema: SCHEMA } } }),
  ],
  ['two ways to steer sampling', /^anthropic/, messages({ temperature: 0.5, top_p: 0.9, top_k: 5 })],
  [
    'all of sampling, of Chat Completions',
    /^(groq|deepseek)/,
    chat({ temperature: 1.5, top_p: 0.4, presence_penalty: 1, frequency_penalty: 1, seed: 7, n: 1 }),
  ],
  [
    'a picture that few read',
    /^gemini/,
    gemini(
      {},
      { contents: [{ role: 'user', parts: [{ text: 'Hi' }, { inlineData: { mimeType: 'image/heic', data: HEIC } }] }] },
    ),
  ],
  ['a long name of a person', /^anthropic/, messages({ metadata: { user_id: 'p'.repeat(200) } })],
];

describe('strict servers take the settings of every format', () => {
  let strict: StrictGateway;
  beforeAll(async () => {
    strict = await startStrictGateway(() => ({ thinking: 'I look.', text: 'Here it is.' }));
  });
  afterAll(() => strict.close());

  for (const [name, model] of TARGETS) {
    test.each(REQUESTS.filter(([, own]) => !own.test(model)))(`${model} takes %s`, async (_what, _own, ask) => {
      const answer = await ask(strict.gateway.url, model);
      const text = await answer.text();
      expect([answer.status, strict.upstreams[name].refused.splice(0)]).toEqual([200, []]);
      expect(text).toContain('Here it is.');
    });
  }
});
