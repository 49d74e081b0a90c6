import { describe, expect, test } from 'vitest';
import { readBody } from '../../src/codecs/body.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { openAiCompatible } from '../../src/providers/openai-compatible.ts';

const deploymentOf = (name: string) => {
  const deployment = openAiCompatible.find((entry) => entry.name === name);
  if (!deployment) throw new Error(`no deployment ${name}`);
  return deployment;
};

interface Adjusted {
  readonly body: JsonObject;
  readonly fields: readonly string[];
  /** Whether the client's bytes were seen to need a change. */
  readonly noticed: boolean;
}

function adjusted(provider: string, given: JsonObject, model = 'some-model'): Adjusted {
  const deployment = deploymentOf(provider);
  const { source } = readBody('openai-chat', Buffer.from(JSON.stringify({ model, ...given })));
  const { body, losses } = deployment.adjust?.(given, model) ?? { body: given, losses: [] };
  const noticed = deployment.mayAdjust?.(source, model) ?? false;
  return { body, fields: losses.map(({ field, action }) => `${action} ${field}`), noticed };
}

const cases: readonly (readonly [string, string, string, JsonObject, JsonObject, readonly string[]])[] = [
  [
    'E1 gpt-5 takes the new limit name',
    'openai',
    'gpt-5',
    { max_tokens: 9 },
    { max_completion_tokens: 9 },
    ['rewritten max_tokens'],
  ],
  [
    'E1 o3 takes the new limit name',
    'openai',
    'o3',
    { max_tokens: 9 },
    { max_completion_tokens: 9 },
    ['rewritten max_tokens'],
  ],
  [
    'E2 ollama knows only the old limit name',
    'ollama',
    'llama3',
    { max_completion_tokens: 9 },
    { max_tokens: 9 },
    ['rewritten max_completion_tokens'],
  ],
  [
    'Groq refuses log probabilities',
    'groq',
    'llama-3.3-70b-versatile',
    { logprobs: true, top_logprobs: 2, logit_bias: {}, temperature: 1 },
    { temperature: 1 },
    ['dropped logprobs', 'dropped top_logprobs', 'dropped logit_bias'],
  ],
  [
    'Groq refuses OpenAI’s fields of caching and moderation',
    'groq',
    'llama-3.3-70b-versatile',
    { prompt_cache_key: 'k', prompt_cache_options: { mode: 'explicit' }, moderation: {}, temperature: 1 },
    { temperature: 1 },
    ['dropped prompt_cache_options', 'dropped moderation', 'dropped prompt_cache_key'],
  ],
  [
    'DeepSeek binds no answer to a schema, so that it is told in words',
    'deepseek',
    'deepseek-chat',
    {
      messages: [{ role: 'system', content: 'Be kind.' }],
      response_format: { type: 'json_schema', json_schema: { name: 'r', schema: { type: 'object' } } },
    },
    {
      messages: [
        {
          role: 'system',
          content: 'Be kind.\n\nAnswer with a JSON object that fits this JSON Schema:\n{"type":"object"}',
        },
      ],
      response_format: { type: 'json_object' },
    },
    ['rewritten response_format.json_schema', 'invented messages[0].content'],
  ],
  ['Mistral calls the seed otherwise', 'mistral', 'mistral-large', { seed: 3 }, { random_seed: 3 }, ['rewritten seed']],
  [
    'Mistral refuses stream_options',
    'mistral',
    'mistral-large',
    { stream_options: { include_usage: true } },
    {},
    ['dropped stream_options'],
  ],
  [
    'the role developer becomes system',
    'groq',
    'm',
    { messages: [{ role: 'developer', content: 'Be kind.' }] },
    { messages: [{ role: 'system', content: 'Be kind.' }] },
    ['rewritten messages[0].role'],
  ],
  [
    'B13 strict servers get tool results as text',
    'cerebras',
    'm',
    {
      messages: [
        {
          role: 'tool',
          tool_call_id: 'a',
          content: [
            { type: 'text', text: 'one' },
            { type: 'text', text: 'two' },
          ],
        },
      ],
    },
    { messages: [{ role: 'tool', tool_call_id: 'a', content: 'one\ntwo' }] },
    ['rewritten messages[0].content'],
  ],
  [
    'Groq takes answers of OpenAI’s back only without what it does not write itself',
    'groq',
    'm',
    {
      messages: [
        { role: 'assistant', content: 'yes', refusal: null, annotations: [] },
        { role: 'assistant', content: null, refusal: 'I will not' },
        { role: 'assistant', content: 'Well. ', refusal: 'No.' },
        { role: 'assistant', content: [{ type: 'text', text: 'Well.' }], refusal: 'No.' },
        { role: 'assistant', content: null, audio: { id: 'audio_1', transcript: 'Hello' } },
        { role: 'assistant', content: 'so', audio: { id: 'audio_1', transcript: 'so' } },
      ],
    },
    {
      messages: [
        { role: 'assistant', content: 'yes' },
        { role: 'assistant', content: 'I will not' },
        { role: 'assistant', content: 'Well. No.' },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'Well.' },
            { type: 'text', text: 'No.' },
          ],
        },
        { role: 'assistant', content: 'Hello' },
        { role: 'assistant', content: 'so' },
      ],
    },
    [
      'dropped messages[0].refusal',
      'dropped messages[0].annotations',
      'rewritten messages[1].refusal',
      'rewritten messages[2].refusal',
      'rewritten messages[3].refusal',
      'rewritten messages[4].audio',
      'dropped messages[5].audio',
    ],
  ],
  [
    'B4 Mistral gets ids of nine letters and digits, the same in call and result',
    'mistral',
    'm',
    {
      messages: [
        {
          role: 'assistant',
          tool_calls: [
            { id: 'call_abc-1', type: 'function' },
            { id: 'tXj57CGus', type: 'function' },
          ],
        },
        { role: 'tool', tool_call_id: 'call_abc-1', content: 'x' },
      ],
    },
    {
      messages: [
        {
          role: 'assistant',
          tool_calls: [
            { id: 'n7ztc2avm', type: 'function' },
            { id: 'tXj57CGus', type: 'function' },
          ],
        },
        { role: 'tool', tool_call_id: 'n7ztc2avm', content: 'x' },
      ],
    },
    ['rewritten messages[0].tool_call_id', 'rewritten messages[1].tool_call_id'],
  ],
  [
    'A8 a tool without arguments names its properties',
    'openai',
    'gpt-4o',
    { tools: [{ type: 'function', function: { name: 'now', parameters: {} } }] },
    { tools: [{ type: 'function', function: { name: 'now', parameters: { type: 'object', properties: {} } } }] },
    ['rewritten tools[0].function.parameters'],
  ],
  [
    'A12 DeepSeek gets no pattern that its engine refuses, and keeps a property called pattern',
    'deepseek',
    'deepseek-chat',
    {
      tools: [
        {
          type: 'function',
          function: {
            name: 'grep',
            parameters: {
              type: 'object',
              properties: { pattern: { type: 'string', pattern: '^(?!x)' }, path: { type: 'string', pattern: '^/' } },
            },
          },
        },
      ],
    },
    {
      tools: [
        {
          type: 'function',
          function: {
            name: 'grep',
            parameters: {
              type: 'object',
              properties: { pattern: { type: 'string' }, path: { type: 'string', pattern: '^/' } },
            },
          },
        },
      ],
    },
    ['dropped tools[0].function.parameters.properties.pattern.pattern'],
  ],
];

test.each(cases)('%s', (_name, provider, model, given, expected, fields) => {
  const result = adjusted(provider, given, model);
  expect(result.body).toEqual(expected);
  expect(result.fields).toEqual(fields);
  expect(result.noticed).toBe(true);
});

test('an adjusted body needs no second adjustment', () => {
  for (const [, provider, model, given] of cases) {
    const once = adjusted(provider, given, model).body;
    expect(adjusted(provider, once, model)).toMatchObject({ body: once, fields: [] });
  }
});

describe('an ordinary request is left as it is, and its bytes show it', () => {
  const ordinary: JsonObject = {
    messages: [{ role: 'user', content: 'hello' }],
    temperature: 0.5,
    tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: { a: {} } } } }],
  };
  test.each(openAiCompatible.map(({ name }) => name))('%s', (name) => {
    const result = adjusted(name, ordinary, 'gpt-4o');
    expect(result.body).toBe(ordinary);
    expect(result).toMatchObject({ fields: [], noticed: false });
  });
});

test('E1 gpt-4o keeps what reasoning models refuse', () => {
  const given = { max_tokens: 9, temperature: 0 };
  expect(adjusted('openai', given, 'gpt-4o')).toEqual({ body: given, fields: [], noticed: false });
});
