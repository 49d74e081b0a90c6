import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { json, sse, startUpstream, type Upstream } from '../support/upstream.ts';

let upstream: Upstream;
/** One that does what its configuration asks for, and one that does so for who asks. */
let configured: Gateway;
let plain: Gateway;

beforeAll(async () => {
  upstream = await startUpstream();
  const rest = {
    framework: {
      model_overrides: { 'small-*': { supports_function_calling: false, supports_response_schema: false } },
    },
    providers: {
      openai: keyed(`${upstream.url}/v1`),
      gemini: keyed(`${upstream.url}/v1beta`),
      anthropic: keyed(upstream.url),
      azure: {
        keys: [{ name: 'test', value: 'test', models: ['*'], azure_key_config: { endpoint: upstream.url } }],
      },
    },
  };
  const compat = {
    convert_chat_to_responses: true,
    should_drop_params: true,
    should_convert_params: true,
    azure_deepseek: true,
    force_reasoning_only_models_to_responses: false,
  };
  [configured, plain] = await Promise.all([
    startGatewayHere({ ...rest, client: { compat } }),
    startGatewayHere({ ...rest, client: { compat: { force_reasoning_only_models_to_responses: false } } }),
  ]);
});

afterAll(async () => {
  await configured.stop();
  await plain.stop();
  await upstream.close();
});

const messages = [{ role: 'user', content: 'Hi' }];
const CHAT = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 5,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
};
const chunk = (delta: JsonObject, finish: string | null = null) => ({
  ...CHAT,
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const CHAT_STREAM = [chunk({ role: 'assistant', content: '' }), chunk({ content: 'Hello' }), chunk({}, 'stop')]
  .map((event) => `data: ${JSON.stringify(event)}\n\n`)
  .concat('data: [DONE]\n\n');

const message = { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed' };
const RESPONSE = {
  id: 'resp_1',
  object: 'response',
  created_at: 5,
  status: 'completed',
  model: 'm',
  output: [{ ...message, content: [{ type: 'output_text', text: 'Hello', annotations: [] }] }],
  usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
};
const RESPONSE_STREAM = [
  { type: 'response.created', response: { ...RESPONSE, status: 'in_progress', output: [], usage: null } },
  { type: 'response.output_item.added', output_index: 0, item: { ...message, status: 'in_progress', content: [] } },
  {
    type: 'response.content_part.added',
    item_id: 'msg_1',
    output_index: 0,
    content_index: 0,
    part: { type: 'output_text', text: '', annotations: [] },
  },
  { type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0, delta: 'Hello' },
  { type: 'response.output_item.done', output_index: 0, item: RESPONSE.output[0] },
  { type: 'response.completed', response: RESPONSE },
].map((event, index) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: index })}\n\n`);

/** What went out and what came back of one call. */
async function exchange(at: Gateway, path: string, body: JsonObject, headers: Record<string, string> = {}) {
  const response = await post(`${at.url}${path}`, body, headers);
  const text = await response.text();
  const events = text.startsWith('{') ? [text] : [...text.matchAll(/^data: (\{.*)$/gm)].map(([, event = '']) => event);
  const sent = upstream.requests.at(-1);
  return {
    path: sent?.path,
    sent: JSON.parse(sent?.body.toString() ?? '') as JsonObject,
    text,
    fields: events.flatMap((event) => {
      const said: unknown = JSON.parse(event);
      return isObject(said) && isObject(said.extra_fields) ? [said.extra_fields] : [];
    }),
  };
}

const chat = (at: Gateway, body: JsonObject, headers: Record<string, string> = {}) =>
  exchange(at, '/v1/chat/completions', { messages, ...body }, headers);

/** Who asks: the configuration, or the header alone. */
const asking = (feature: string) => [
  ['the configuration', () => configured, {}] as const,
  ['the header', () => plain, { 'x-bf-compat': `["${feature}"]` }] as const,
];

describe('convert_chat_to_responses', () => {
  describe.each(asking('convert_chat_to_responses'))('asked by %s', (_who, at, headers) => {
    test('a chat of a model of the Responses API alone goes there, and is answered as a chat', async () => {
      upstream.answers(json(RESPONSE));
      const { path, sent, text, fields } = await chat(at(), { model: 'openai/gpt-5-pro', max_tokens: 50 }, headers);
      expect(path).toBe('/v1/responses');
      expect(sent).toMatchObject({ model: 'gpt-5-pro', max_output_tokens: 50 });
      expect(sent.messages).toBeUndefined();
      expect(JSON.parse(text)).toMatchObject({
        object: 'chat.completion',
        choices: [{ message: { content: 'Hello' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 3, completion_tokens: 2 },
      });
      expect(fields[0]).toMatchObject({ request_type: 'chat_completion', converted_request_type: 'responses' });
    });

    test('the same as a stream', async () => {
      upstream.answers(sse(RESPONSE_STREAM));
      const { path, sent, text, fields } = await chat(at(), { model: 'openai/gpt-5-pro', stream: true }, headers);
      expect(path).toBe('/v1/responses');
      expect(sent).toMatchObject({ model: 'gpt-5-pro', stream: true });
      expect(text).toContain('"content":"Hello"');
      expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
      expect(fields[0]).toMatchObject({ converted_request_type: 'responses_stream', chunk_index: 0 });
      expect(fields.at(-1)).toMatchObject({ converted_request_type: 'responses_stream' });
    });
  });

  test('nobody asks: the chat travels as it came', async () => {
    upstream.answers(json(CHAT));
    const { path, sent } = await chat(plain, { model: 'openai/gpt-5-pro' });
    expect(path).toBe('/v1/chat/completions');
    expect(sent).toEqual({ model: 'gpt-5-pro', messages });
  });
});

describe('force_reasoning_only_models_to_responses', () => {
  const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } }];
  const body = { model: 'openai/gpt-5.4', tools, reasoning_effort: 'high' };

  test('who asks by header reasons beside tools', async () => {
    upstream.answers(json(RESPONSE), sse(RESPONSE_STREAM));
    const headers = { 'x-bf-compat': '["force_reasoning_only_models_to_responses"]' };
    const whole = await chat(plain, body, headers);
    expect(whole.path).toBe('/v1/responses');
    expect(whole.sent).toMatchObject({ reasoning: { effort: 'high' }, tools: [{ type: 'function', name: 'look' }] });
    expect((await chat(plain, { ...body, stream: true }, headers)).path).toBe('/v1/responses');
  });

  test('nobody asks: the chat travels as it came', async () => {
    upstream.answers(json(CHAT));
    expect((await chat(plain, body)).path).toBe('/v1/chat/completions');
  });
});

describe('should_drop_params', () => {
  const schema = { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object', properties: {} } } };
  const tools = [{ type: 'function', function: { name: 'look' } }];
  const kept = { messages, temperature: 0.5 };

  describe.each(asking('should_drop_params'))('asked by %s', (_who, at, headers) => {
    test.each<[what: string, asked: JsonObject, sent: JsonObject, dropped: string[]]>([
      [
        'what steers sampling, of a model that reasons',
        { model: 'openai/o3-mini', temperature: 0.5, top_p: 0.5 },
        { model: 'o3-mini', messages },
        ['temperature', 'top_p'],
      ],
      [
        'an effort, of a model that does not',
        { model: 'openai/gpt-4o', reasoning_effort: 'low', temperature: 0.5 },
        { model: 'gpt-4o', ...kept },
        ['reasoning_effort'],
      ],
      [
        'tools, of a model without them',
        { model: 'openai/small-1', tools, tool_choice: 'auto', parallel_tool_calls: false, temperature: 0.5 },
        { model: 'small-1', ...kept },
        ['tools', 'tool_choice', 'parallel_tool_calls'],
      ],
      [
        'a schema, of a model that cannot keep to it',
        { model: 'openai/small-1', response_format: schema, temperature: 0.5 },
        { model: 'small-1', ...kept },
        ['response_format'],
      ],
    ])('%s', async (_what, asked, expected, dropped) => {
      upstream.answers(json(CHAT), sse(CHAT_STREAM));
      const whole = await chat(at(), asked, headers);
      expect(whole.sent).toEqual(expected);
      expect(JSON.parse(whole.text)).toMatchObject(CHAT);
      expect(whole.fields[0]?.dropped_compat_plugin_params).toEqual(dropped);
      const streamed = await chat(at(), { ...asked, stream: true }, headers);
      expect(streamed.sent).toEqual({ ...expected, stream: true, stream_options: { include_usage: true } });
      expect(streamed.fields[0]?.dropped_compat_plugin_params).toEqual(expect.arrayContaining(dropped));
      expect(streamed.text).toContain('"content":"Hello"');
      expect(streamed.text.endsWith('data: [DONE]\n\n')).toBe(true);
    });

    test('where nothing is dropped an answer has no byte of ours', async () => {
      upstream.answers(json(CHAT));
      const { sent, text } = await chat(at(), { model: 'openai/gpt-4o', temperature: 0.5 }, headers);
      expect(sent).toEqual({ model: 'gpt-4o', ...kept });
      expect(text).toBe(JSON.stringify(CHAT));
    });
  });

  test('nobody asks: what the model refuses is left out, tools are the provider’s to judge, bytes are as they came', async () => {
    upstream.answers(json(CHAT), json(CHAT));
    const sampled = await chat(plain, { model: 'openai/o3-mini', temperature: 0.5 });
    expect(sampled.sent).toEqual({ model: 'o3-mini', messages });
    expect(sampled.text).toBe(JSON.stringify(CHAT));
    expect((await chat(plain, { model: 'openai/small-1', tools })).sent).toEqual({ model: 'small-1', messages, tools });
  });
});

describe('should_convert_params', () => {
  const asked = { messages: [{ role: 'developer', content: 'Be brief.' }, ...messages] };
  const GEMINI = {
    candidates: [{ content: { role: 'model', parts: [{ text: 'Hello' }] }, finishReason: 'STOP', index: 0 }],
    usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 },
    modelVersion: 'gemini-2.0-flash',
  };

  test.each([
    ['the configuration', () => configured],
    ['nobody', () => plain],
  ])('asked by %s: what a developer says is what the system says where there is no such role', async (_who, at) => {
    upstream.answers(json(GEMINI), sse([`data: ${JSON.stringify(GEMINI)}\n\n`]));
    for (const stream of [false, true]) {
      const { sent, text } = await chat(at(), { ...asked, model: 'gemini/gemini-2.0-flash', stream });
      expect(sent.systemInstruction).toMatchObject({ parts: [{ text: 'Be brief.' }] });
      expect(sent.contents).toEqual([{ role: 'user', parts: [{ text: 'Hi' }] }]);
      expect(text).toContain('Hello');
    }
  });
});

describe('azure_deepseek', () => {
  const body = { model: 'azure/DeepSeek-V3.1', input: 'Hi' };

  describe.each(asking('azure_deepseek'))('asked by %s', (_who, at, headers) => {
    test('a response is asked as a chat', async () => {
      upstream.answers(json(CHAT), sse(CHAT_STREAM));
      const whole = await exchange(at(), '/v1/responses', body, headers);
      expect(whole.path).toMatch(/\/chat\/completions/);
      expect(whole.sent).toEqual({ model: 'DeepSeek-V3.1', messages });
      expect(JSON.parse(whole.text)).toMatchObject({ object: 'response', status: 'completed' });
      expect(whole.fields[0]).toMatchObject({ request_type: 'responses', converted_request_type: 'chat_completion' });
      const streamed = await exchange(at(), '/v1/responses', { ...body, stream: true }, headers);
      expect(streamed.path).toMatch(/\/chat\/completions/);
      expect(streamed.text).toContain('event: response.completed');
    });
  });

  test('nobody asks: it is asked as a response', async () => {
    upstream.answers(json(RESPONSE));
    const { path, sent } = await exchange(plain, '/v1/responses', body);
    expect(path).toMatch(/\/responses/);
    expect(sent).toEqual({ ...body, model: 'DeepSeek-V3.1' });
  });
});

test('what is asked for in unknown words is refused on every route, in its own format', async () => {
  const headers = { 'x-bf-compat': '["drop"]' };
  const native = await post(
    `${plain.url}/anthropic/v1/messages`,
    { model: 'claude', max_tokens: 5, messages },
    headers,
  );
  expect(native.status).toBe(400);
  expect(await native.json()).toMatchObject({
    type: 'error',
    error: { type: 'invalid_request_error', message: expect.stringContaining('x-bf-compat names "drop"') },
  });
});
