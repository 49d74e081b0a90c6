import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { eventually, type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { type Answer, startUpstream, type Upstream } from '../support/upstream.ts';

let upstream: Upstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await startUpstream();
  gateway = await startGatewayHere({
    providers: {
      groq: keyed(`${upstream.url}/v1`),
      anthropic: keyed(upstream.url),
      xai: aliased(`${upstream.url}/v1`),
    },
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

/** Whoever asks for `fast` gets what the provider calls otherwise. */
const aliased = (baseUrl: string) => ({
  keys: [{ name: 'test', value: 'test', aliases: { fast: { model_id: 'grok-9', model_family: 'grok' } } }],
  network_config: { base_url: baseUrl },
});

const HEADERS = {
  'x-request-id': 'upstream-1',
  'anthropic-ratelimit-requests-remaining': '41',
  'set-cookie': 'secret=1',
};

const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: 'fine' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 10, output_tokens: 2 },
};

const COMPLETION = {
  id: 'c1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'fine' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
};

const MESSAGE_STREAM = [
  { type: 'message_start', message: { ...MESSAGE, content: [], stop_reason: null } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'fi' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'ne}' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } },
  { type: 'message_stop' },
]
  .map((data) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`)
  .join('');

const CHAT_STREAM = [
  {
    ...COMPLETION,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta: { content: 'fine' }, finish_reason: null }],
  },
  { ...COMPLETION, object: 'chat.completion.chunk', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
]
  .map((data) => `data: ${JSON.stringify(data)}\n\n`)
  .join('')
  .concat('data: [DONE]\n\n');

const whole =
  (body: object): Answer =>
  (response) =>
    void response.writeHead(200, { 'content-type': 'application/json', ...HEADERS }).end(JSON.stringify(body));

const streamed =
  (text: string): Answer =>
  (response) =>
    void response.writeHead(200, { 'content-type': 'text/event-stream', ...HEADERS }).end(text);

const said = [{ role: 'user', content: 'hello' }];
/** Two of these fields exist in Chat Completions only. */
const question = (model: string, more: object = {}) => ({
  model,
  messages: said,
  seed: 7,
  logit_bias: { 5: 1 },
  ...more,
});

const chunksOf = (text: string): JsonObject[] =>
  [...text.matchAll(/^data: (\{.*\})$/gm)].map(([, data = '']): JsonObject => JSON.parse(data));

const fieldsOf = (chunk: JsonObject | undefined): JsonObject =>
  isObject(chunk?.extra_fields) ? chunk.extra_fields : {};

describe('a translated answer of an OpenAI-shaped route', () => {
  test('tells whole who answered, how long it took and what was lost', async () => {
    upstream.answers(whole(MESSAGE));
    const response = await post(`${gateway.url}/v1/chat/completions`, question('anthropic/claude-x'));
    const { extra_fields: fields } = (await response.json()) as JsonObject;
    expect(fields).toMatchObject({
      request_type: 'chat_completion',
      provider: 'anthropic',
      original_model_requested: 'anthropic/claude-x',
      resolved_model_used: 'claude-x',
      routing_info: { provider: 'anthropic', model: 'claude-x', key: 'test', is_fallback: false },
      latency: expect.any(Number),
      dropped_compat_plugin_params: ['logit_bias', 'seed'],
      provider_response_headers: { 'x-request-id': 'upstream-1' },
    });
    const losses = isObject(fields) && Array.isArray(fields.losses) ? fields.losses : [];
    expect(losses).toContainEqual({ field: 'seed', action: 'dropped', reason: expect.any(String) });
    expect(losses).toContainEqual({ field: 'max_tokens', action: 'invented', reason: expect.any(String) });
  });

  test.each(['/v1/chat/completions', '/openai/v1/chat/completions', '/v1/responses', '/openai/v1/responses'])(
    'tells in each event of a stream its place, and in the last everything: %s',
    async (path) => {
      upstream.answers(streamed(MESSAGE_STREAM));
      const body = path.endsWith('responses')
        ? { model: 'anthropic/claude-x', input: 'hello', stream: true, truncation: 'auto' }
        : question('anthropic/claude-x', { stream: true });
      const text = await (await post(`${gateway.url}${path}`, body)).text();
      const fields = chunksOf(text).map(fieldsOf);
      expect(fields.map(({ chunk_index: place }) => place)).toEqual(fields.map((_, place) => place));
      expect(fields.every(({ latency }) => typeof latency === 'number' && latency >= 0)).toBe(true);
      expect(fields[0]).toMatchObject({ provider: 'anthropic', resolved_model_used: 'claude-x' });
      expect(fields.at(-1)).toMatchObject({
        provider: 'anthropic',
        losses: expect.any(Array),
        latency: expect.any(Number),
      });
      expect(fields.slice(1, -1).every((each) => Object.keys(each).length === 2)).toBe(true);
    },
  );

  test('is read by OpenAI’s SDK as if nothing stood beside it', async () => {
    upstream.answers(streamed(MESSAGE_STREAM), streamed(MESSAGE_STREAM));
    const client = new OpenAI({ apiKey: 'none', baseURL: `${gateway.url}/v1`, maxRetries: 0 });
    const chat = client.chat.completions.stream({
      model: 'anthropic/claude-x',
      messages: [{ role: 'user', content: 'hello' }],
    });
    expect((await chat.finalChatCompletion()).choices[0]?.message.content).toBe('fine}');
    const items = client.responses.stream({ model: 'anthropic/claude-x', input: 'hello' });
    expect((await items.finalResponse()).output_text).toBe('fine}');
  });
});

describe('an answer that travels as it came', () => {
  test('holds whole no byte of ours; headers tell who answered', async () => {
    upstream.answers(whole(COMPLETION));
    const response = await post(`${gateway.url}/v1/chat/completions`, { model: 'groq/m', messages: said });
    expect(await response.text()).toBe(JSON.stringify(COMPLETION));
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'x-bifrost-provider': 'groq',
      'x-bifrost-original-model': 'groq/m',
      'x-bifrost-resolved-model': 'm',
      'x-bifrost-routing-info-provider': 'groq',
      'x-bifrost-routing-info-key': 'test',
      'x-bifrost-request-type': 'chat_completion',
      'x-request-id': 'upstream-1',
    });
    expect([...response.headers.keys()]).not.toContain('x-bifrost-losses');
  });

  test('holds streamed no byte of ours, and the same headers', async () => {
    upstream.answers(streamed(CHAT_STREAM));
    const response = await post(`${gateway.url}/v1/chat/completions`, {
      model: 'groq/m',
      messages: said,
      stream: true,
    });
    expect(await response.text()).toBe(CHAT_STREAM);
    expect(response.headers.get('x-bifrost-provider')).toBe('groq');
    expect(response.headers.get('x-request-id')).toBe('upstream-1');
    expect(response.headers.get('set-cookie')).toBeNull();
  });
});

test('what was asked for and what its key calls it are told apart', async () => {
  upstream.answers(whole(COMPLETION), streamed(MESSAGE_STREAM), whole(MESSAGE));
  const told = await post(`${gateway.url}/v1/chat/completions`, { model: 'xai/fast', messages: said });
  expect(Object.fromEntries(told.headers)).toMatchObject({
    'x-bifrost-resolved-model': 'grok-9',
    'x-bifrost-routing-info-requested-provider': 'xai',
    'x-bifrost-routing-info-requested-model': 'fast',
    'x-bifrost-routing-info-alias-model-id': 'grok-9',
    'x-bifrost-routing-info-alias-model-family': 'grok',
    'x-bifrost-upstream-latency-ms': expect.stringMatching(/^\d+$/),
  });
  const streaming = { ...question('anthropic/claude-x'), stream: true };
  const response = await post(`${gateway.url}/v1/chat/completions`, streaming);
  expect(response.headers.get('x-bifrost-upstream-latency-ms')).toMatch(/^\d+$/);
  expect(await response.text()).toContain('"upstream_latency":');
  const { extra_fields: fields } = (await (
    await post(`${gateway.url}/v1/chat/completions`, question('anthropic/claude-x'))
  ).json()) as { extra_fields: JsonObject };
  expect(fields).toMatchObject({ upstream_latency: expect.any(Number), latency: expect.any(Number) });
  expect(Number(fields.upstream_latency)).toBeLessThanOrEqual(Number(fields.latency) + 1);
});

describe('a native route', () => {
  test.each([
    ['/anthropic/v1/messages', { model: 'groq/m', max_tokens: 9, messages: said, top_k: 3 }],
    [
      '/genai/v1beta/models/groq/m:generateContent',
      { contents: [{ role: 'user', parts: [{ text: 'hello' }] }], labels: { a: 'b' } },
    ],
  ])('has headers in place of fields that its clients do not know: %s', async (path, body) => {
    upstream.answers(whole(COMPLETION));
    const response = await post(`${gateway.url}${path}`, body);
    expect(await response.text()).not.toContain('extra_fields');
    expect(response.headers.get('x-bifrost-provider')).toBe('groq');
    expect(Number(response.headers.get('x-bifrost-losses'))).toBeGreaterThan(0);
  });
});

test('a model name that no header may hold is encoded in it', async () => {
  upstream.answers(whole(COMPLETION));
  const response = await post(`${gateway.url}/v1/chat/completions`, question('groq/模型'));
  expect(response.status).toBe(200);
  expect(response.headers.get('x-bifrost-original-model')).toBe(encodeURIComponent('groq/模型'));
});

describe('when every target fails', () => {
  const failed =
    (status: number, name: string): Answer =>
    (response) =>
      void response
        .writeHead(status, { 'content-type': 'application/json', 'x-request-id': name })
        .end(JSON.stringify({ error: { message: `${name} is busy`, type: 'busy' } }));

  test.each(['/v1/chat/completions', '/v1/responses'])(
    'words, fields and headers are the first one’s: %s',
    async (path) => {
      upstream.answers(failed(429, 'one'), failed(503, 'two'));
      const fallbacks = ['anthropic/claude-x'];
      const body = path.endsWith('responses')
        ? { model: 'groq/m', input: 'hello', fallbacks }
        : question('groq/m', { fallbacks });
      const response = await post(`${gateway.url}${path}`, body);
      expect(response.status).toBe(429);
      expect(await response.json()).toMatchObject({
        error: { message: expect.stringContaining('one is busy') },
        extra_fields: {
          provider: 'groq',
          resolved_model_used: 'm',
          routing_info: { provider: 'groq', model: 'm', is_fallback: false },
          provider_response_headers: { 'x-request-id': 'one' },
        },
      });
      const told = ['x-bifrost-provider', 'x-bifrost-fallback-index', 'x-request-id'].map((name) =>
        response.headers.get(name),
      );
      expect(told).toEqual(['groq', null, 'one']);
      const logged = async () => (await fetch(`${gateway.url}/api/logs?status=error&limit=1`)).json();
      const { logs } = (await eventually(logged, (page) =>
        JSON.stringify(page).includes(`${response.headers.get('x-bifrost-request-id')}`),
      )) as { logs: JsonObject[] };
      expect(logs[0]).toMatchObject({ provider: 'groq', model: 'm', fallback_index: 0 });
    },
  );
});
