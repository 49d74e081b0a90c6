import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { builtInDeployments } from '../../src/providers/registry.ts';
import { unaccounted } from '../support/ledger-walk.ts';
import { cases } from '../support/recordings.ts';
import { shared } from '../support/shared.ts';

const adjusting = builtInDeployments.flatMap(({ name, adjust }) => (adjust ? [{ name, adjust }] : []));

/** A request with something of everything that some deployment changes. */
const FULL: JsonObject = {
  model: 'any',
  messages: [
    { role: 'developer', content: [{ type: 'text', text: 'be brief' }] },
    { role: 'user', name: 'ada', content: 'look it up' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        { id: 'call_of_another_provider', type: 'function', function: { name: 'look', arguments: '{"at":"it"}' } },
      ],
    },
    { role: 'tool', tool_call_id: 'call_of_another_provider', content: [{ type: 'text', text: 'found' }] },
  ],
  tools: [
    { type: 'function', function: { name: 'look', description: 'looks', strict: true, parameters: {} } },
    {
      type: 'function',
      function: {
        name: 'find',
        parameters: { type: 'object', properties: { at: { type: 'string', pattern: '^(?!x).*$' } } },
      },
    },
  ],
  tool_choice: 'required',
  parallel_tool_calls: false,
  max_completion_tokens: 700,
  temperature: 0.3,
  top_p: 0.9,
  presence_penalty: 0.2,
  frequency_penalty: 0.1,
  seed: 11,
  stop: ['END'],
  n: 3,
  user: 'someone',
  store: true,
  metadata: { trace: 'abc' },
  logprobs: true,
  top_logprobs: 4,
  logit_bias: { 50256: -100 },
  service_tier: 'flex',
  reasoning_effort: 'minimal',
  verbosity: 'low',
  prompt_cache_key: 'session',
  response_format: {
    type: 'json_schema',
    json_schema: { name: 'form', strict: true, schema: { type: 'object', properties: {} } },
  },
  stream: true,
  stream_options: { include_usage: true },
};

const MODELS = ['llama-3.3-70b', 'mistral-large-latest', 'deepseek-reasoner', 'grok-4', 'gpt-4o', 'gpt-5', 'o3'];

const bodies = (): [string, JsonObject][] => [
  ['a request with everything', FULL],
  ...cases({ endpoint: 'openai.chat' }).flatMap(({ id, request }): [string, JsonObject][] =>
    request.body ? [[id, request.body]] : [],
  ),
];

describe.each(adjusting)('what $name changes in a body', ({ adjust }) => {
  const found = (given: readonly [string, JsonObject][], models: readonly string[]): string[] =>
    given.flatMap(([id, body]) =>
      models.flatMap((model) => {
        const { body: after, losses } = adjust(body, model);
        if (after === body) return [];
        const silent = unaccounted(body, JSON.parse(JSON.stringify(after)), losses);
        return silent.map(({ kind, field }) => `${id} as ${model}: ${kind} ${field}`);
      }),
    );

  test('stands in the ledger, field by field', () => {
    expect(found([['a request with everything', FULL]], MODELS)).toEqual([]);
  });

  test.runIf(shared)('stands in the ledger for every recorded request', () => {
    expect(found(bodies(), MODELS.slice(0, 1))).toEqual([]);
  });
});
