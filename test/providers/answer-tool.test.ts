import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { json, sse, startUpstream, type Upstream } from '../support/upstream.ts';

// Models of old, and Claude on the clouds, give no structured output: what they call a tool with stands for it.

let upstream: Upstream;
let gateway: Gateway;
let client: OpenAI;

beforeAll(async () => {
  upstream = await startUpstream();
  gateway = await startGatewayHere({
    providers: {
      anthropic: keyed(upstream.url),
      azure: { keys: [{ name: 'a', value: 'key', azure_key_config: { endpoint: upstream.url } }] },
    },
  });
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'x', maxRetries: 0 });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const schema = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
const question = (model: string) => ({
  model,
  max_tokens: 4_000,
  messages: [{ role: 'user' as const, content: 'Where is the Louvre?' }],
  response_format: { type: 'json_schema' as const, json_schema: { name: 'place', schema, strict: true } },
});

const weather = {
  type: 'function' as const,
  function: { name: 'weather', parameters: { type: 'object', properties: {} } },
};

const message = (content: readonly object[]) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content,
  stop_reason: 'tool_use',
  stop_sequence: null,
  usage: { input_tokens: 10, output_tokens: 5 },
});

const ANSWER = { type: 'tool_use', id: 'toolu_1', name: 'bf_so_answer', input: { city: 'Paris' } };

const event = (data: { type: string; [field: string]: unknown }) =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;

const STREAM = [
  event({ type: 'message_start', message: { ...message([]), stop_reason: null } }),
  event({ type: 'content_block_start', index: 0, content_block: { ...ANSWER, input: {} } }),
  event({ type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{"city":' } }),
  event({ type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '"Paris"}' } }),
  event({ type: 'content_block_stop', index: 0 }),
  event({
    type: 'message_delta',
    delta: { stop_reason: 'tool_use', stop_sequence: null },
    usage: { output_tokens: 5 },
  }),
  event({ type: 'message_stop' }),
];

/** What the gateway says that it changed; the SDK knows of no such field. */
const lossesOf = (completion: object): unknown =>
  'extra_fields' in completion && completion.extra_fields instanceof Object && 'losses' in completion.extra_fields
    ? completion.extra_fields.losses
    : undefined;

const sent = () => JSON.parse(upstream.requests.at(-1)?.body.toString() ?? '{}');

describe.each(['anthropic/claude-3-5-haiku-20241022', 'azure/claude-sonnet-4-5'])(
  'structured output of %s',
  (model) => {
    test('is asked for as a tool that must be called, and comes back as text', async () => {
      upstream.answers(json(message([ANSWER])));
      const completion = await client.chat.completions.create(question(model));
      expect(sent()).toMatchObject({
        tools: [{ name: 'bf_so_answer', input_schema: schema }],
        tool_choice: { type: 'tool', name: 'bf_so_answer' },
      });
      expect(sent()).not.toHaveProperty('output_config');
      expect(completion.choices[0]).toMatchObject({
        finish_reason: 'stop',
        message: { role: 'assistant', content: '{"city":"Paris"}' },
      });
      expect(completion.choices[0]?.message.tool_calls).toBeUndefined();
      expect(lossesOf(completion)).toContainEqual(
        expect.objectContaining({ field: 'output_config.format', action: 'rewritten' }),
      );
    });

    test('grows as text in a stream', async () => {
      upstream.answers(sse(STREAM));
      const stream = client.chat.completions.stream(question(model));
      const pieces: string[] = [];
      stream.on('content.delta', ({ delta }) => void pieces.push(delta));
      const completion = await stream.finalChatCompletion();
      expect(pieces.filter((piece) => piece !== '')).toEqual(['{"city":', '"Paris"}']);
      expect(completion.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: '{"city":"Paris"}' } });
    });

    test('leaves the tools of the client callable, and a call of theirs is one', async () => {
      const call = { type: 'tool_use', id: 'toolu_2', name: 'weather', input: {} };
      upstream.answers(json(message([call])));
      const completion = await client.chat.completions.create({ ...question(model), tools: [weather] });
      expect(sent().tools.map(({ name }: { name: string }) => name)).toEqual(['weather', 'bf_so_answer']);
      expect(sent().tool_choice).toEqual({ type: 'any' });
      expect(completion.choices[0]).toMatchObject({
        finish_reason: 'tool_calls',
        message: { tool_calls: [{ function: { name: 'weather', arguments: '{}' } }] },
      });
    });
  },
);

test('a model that thinks is asked and not forced', async () => {
  upstream.answers(json(message([ANSWER])));
  await client.chat.completions.create({ ...question('azure/claude-sonnet-4-5'), reasoning_effort: 'low' });
  expect(sent()).toMatchObject({ thinking: { type: 'enabled' }, tool_choice: { type: 'auto' } });
});

test('a schema that is no object cannot be a tool’s: it is left out, and told', async () => {
  upstream.answers(json({ ...message([{ type: 'text', text: 'Paris' }]), stop_reason: 'end_turn' }));
  const asked = question('anthropic/claude-3-5-haiku-20241022');
  asked.response_format.json_schema.schema = { ...schema, type: 'string' };
  const completion = await client.chat.completions.create(asked);
  expect(sent()).not.toHaveProperty('tools');
  expect(lossesOf(completion)).toContainEqual(
    expect.objectContaining({ field: 'output_config.format', action: 'dropped' }),
  );
});

test('a client of the same format that asks an old model gets its answer as text, too', async () => {
  upstream.answers(json(message([ANSWER])));
  const response = await post(`${gateway.url}/anthropic/v1/messages`, {
    model: 'anthropic/claude-3-5-haiku-20241022',
    max_tokens: 100,
    messages: [{ role: 'user', content: 'Where is the Louvre?' }],
    output_config: { format: { type: 'json_schema', schema } },
  });
  expect(sent()).toMatchObject({ tool_choice: { type: 'tool', name: 'bf_so_answer' } });
  expect(await response.json()).toMatchObject({
    content: [{ type: 'text', text: '{"city":"Paris"}' }],
    stop_reason: 'end_turn',
  });
});
