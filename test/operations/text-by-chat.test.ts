import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { eventually, type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { json, silence, sse, startUpstream, type Upstream } from '../support/upstream.ts';

let upstream: Upstream;
let other: Upstream;
/** One that converts as configured, and one that does so for who asks. */
let converting: Gateway;
let plain: Gateway;

const ASKS = { 'x-bf-compat': '["convert_text_to_chat"]' };

beforeAll(async () => {
  upstream = await startUpstream();
  other = await startUpstream();
  const narrow = (allowed: object) => ({
    ...keyed(`${other.url}/v1`),
    custom_provider_config: { base_provider_type: 'openai', allowed_requests: allowed },
  });
  const providers = {
    openai: keyed(`${upstream.url}/v1`),
    groq: keyed(`${upstream.url}/openai/v1`),
    anthropic: keyed(upstream.url),
    ollama: keyed(other.url),
    chats: narrow({ chat_completion: true, chat_completion_stream: true }),
    embeds: narrow({ embedding: true }),
    mock: {},
  };
  [converting, plain] = await Promise.all([
    startGatewayHere({ client: { compat: { convert_text_to_chat: true } }, providers }),
    startGatewayHere({ providers }),
  ]);
});

afterAll(async () => {
  await converting.stop();
  await plain.stop();
  await upstream.close();
  await other.close();
});

const chat = (content: string, more: JsonObject = {}): JsonObject => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 5,
  model: 'upstream-name',
  choices: [{ index: 0, message: { role: 'assistant', content }, logprobs: null, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  ...more,
});

const data = (...events: readonly unknown[]): string[] => [
  ...events.map((event) => `data: ${JSON.stringify(event)}\n\n`),
  'data: [DONE]\n\n',
];

function chatStream(...texts: readonly string[]): string[] {
  const chunk = (delta: JsonObject, finish: string | null = null): JsonObject => ({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 5,
    model: 'upstream-name',
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  return data(
    chunk({ role: 'assistant', content: '' }),
    ...texts.map((content) => chunk({ content })),
    chunk({}, 'stop'),
    { ...chunk({}), choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } },
  );
}

const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: ' upon a time' }],
  stop_reason: 'max_tokens',
  stop_sequence: null,
  usage: { input_tokens: 10, output_tokens: 4 },
};

const MESSAGE_STREAM = [
  { type: 'message_start', message: { ...MESSAGE, content: [], stop_reason: null } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: ' upon' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: ' a time' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'max_tokens' }, usage: { output_tokens: 4 } },
  { type: 'message_stop' },
].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);

const complete = (body: object, headers: Record<string, string> = {}, at = converting): Promise<Response> =>
  post(`${at.url}/v1/completions`, { prompt: 'Once', ...body }, headers);

async function read(response: Response): Promise<JsonObject> {
  const body: unknown = await response.json();
  if (!isObject(body)) throw new Error('the answer is no object');
  return body;
}

/** The chunks of a stream that ends as it should. */
async function chunksOf(response: Response): Promise<JsonObject[]> {
  expect(response.status).toBe(200);
  const events = (await response.text()).split('\n\n').filter((event) => event !== '');
  expect(events.at(-1)).toBe('data: [DONE]');
  return events.slice(0, -1).map((event) => JSON.parse(event.slice('data: '.length)) as JsonObject);
}

const textsOf = (chunks: readonly JsonObject[]): unknown[] =>
  chunks.flatMap(({ choices }) =>
    Array.isArray(choices) ? choices.map((choice) => isObject(choice) && choice.text) : [],
  );

const lastSent = (to: Upstream) => {
  const { path = '', body = Buffer.alloc(0) } = to.requests.at(-1) ?? {};
  return { path, body: JSON.parse(body.toString()) as JsonObject };
};

describe('a legacy completion at a provider that only chats', () => {
  test('is asked as a chat and answered as a completion', async () => {
    upstream.answers(json(chat(' upon a time')));
    const body = { model: 'groq/llama', max_tokens: 20, temperature: 0.2, stop: ['\n'], seed: 1 };
    const answer = await read(await complete(body));
    expect(lastSent(upstream)).toEqual({
      path: '/openai/v1/chat/completions',
      body: {
        model: 'llama',
        messages: [{ role: 'user', content: 'Once' }],
        temperature: 0.2,
        stop: ['\n'],
        seed: 1,
        max_completion_tokens: 20,
      },
    });
    const { extra_fields: fields, ...said } = answer;
    expect(said).toEqual({
      id: 'cmpl-1',
      object: 'text_completion',
      created: 5,
      model: 'upstream-name',
      choices: [{ text: ' upon a time', index: 0, logprobs: null, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    });
    expect(fields).toMatchObject({
      request_type: 'text_completion',
      converted_request_type: 'chat_completion',
      provider: 'groq',
    });
  });

  test('the same as a stream, with the counts last', async () => {
    upstream.answers(sse(chatStream(' upon', ' a time')));
    const chunks = await chunksOf(await complete({ model: 'groq/llama', stream: true }));
    expect(lastSent(upstream).body).toEqual({
      model: 'llama',
      messages: [{ role: 'user', content: 'Once' }],
      stream: true,
      stream_options: { include_usage: true },
    });
    const bare = chunks.map(({ extra_fields: _account, ...chunk }) => chunk);
    const head = { id: 'cmpl-1', object: 'text_completion', created: 5, model: 'upstream-name' };
    const choice = { index: 0, logprobs: null, finish_reason: null };
    expect(bare).toEqual([
      { ...head, choices: [{ ...choice, text: ' upon' }] },
      { ...head, choices: [{ ...choice, text: ' a time' }] },
      { ...head, choices: [{ ...choice, text: '', finish_reason: 'stop' }] },
      { ...head, choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } },
    ]);
    expect(chunks[0]?.extra_fields).toMatchObject({
      request_type: 'text_completion_stream',
      converted_request_type: 'chat_completion_stream',
      chunk_index: 0,
    });
    expect(chunks.at(-1)?.extra_fields).toMatchObject({ provider: 'groq', chunk_index: 3 });
  });

  test('at a provider of another format, whole', async () => {
    upstream.answers(json(MESSAGE));
    const answer = await read(
      await complete({ model: 'anthropic/claude-sonnet-4-5', max_tokens: 4, n: 2, logprobs: 1 }),
    );
    expect(lastSent(upstream)).toEqual({
      path: '/v1/messages',
      body: {
        model: 'claude-sonnet-4-5',
        max_tokens: 4,
        messages: [{ role: 'user', content: [{ type: 'text', text: 'Once' }] }],
      },
    });
    expect(answer).toMatchObject({
      object: 'text_completion',
      model: 'anthropic/claude-sonnet-4-5',
      choices: [{ text: ' upon a time', index: 0, logprobs: null, finish_reason: 'length' }],
      usage: { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14 },
    });
    const fields = isObject(answer.extra_fields) ? answer.extra_fields : {};
    expect(fields.dropped_compat_plugin_params).toEqual(expect.arrayContaining(['n', 'logprobs', 'top_logprobs']));
  });

  test('at a provider of another format, streamed', async () => {
    upstream.answers(sse(MESSAGE_STREAM));
    const chunks = await chunksOf(await complete({ model: 'anthropic/claude-sonnet-4-5', stream: true, echo: true }));
    expect(textsOf(chunks)).toEqual(['Once upon', ' a time', '']);
    expect(chunks.at(-2)?.choices).toMatchObject([{ finish_reason: 'length' }]);
    expect(chunks.at(-1)).toMatchObject({ usage: { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14 } });
  });

  test('what no chat can do is told in the account and in the log', async () => {
    upstream.answers(json(chat('x')));
    const answer = await read(await complete({ model: 'groq/logged', suffix: ' end', best_of: 2 }));
    expect(answer.extra_fields).toMatchObject({ dropped_compat_plugin_params: ['suffix', 'best_of'] });
    const page = await eventually(
      async () => (await (await fetch(`${converting.url}/api/logs?models=logged`)).json()) as { logs: JsonObject[] },
      ({ logs }) => logs.length > 0,
    );
    expect(page.logs[0]).toMatchObject({
      object: 'text_completion',
      status: 'success',
      token_usage: { prompt_tokens: 3, completion_tokens: 2 },
    });
  });

  test('several prompts are answered each by itself, their counts together', async () => {
    upstream.answers(json(chat('A')), json(chat('B')));
    const answer = await read(await complete({ model: 'groq/llama', prompt: ['one', 'two'], echo: true }));
    const choices = Array.isArray(answer.choices) ? answer.choices.filter(isObject) : [];
    expect(choices.map(({ index }) => index)).toEqual([0, 1]);
    expect(choices.map(({ text }) => String(text).slice(0, 3))).toEqual(['one', 'two']);
    expect(answer.usage).toMatchObject({ prompt_tokens: 6, completion_tokens: 4, total_tokens: 10 });
  });

  test('several prompts streamed come one after the other', async () => {
    upstream.answers(sse(chatStream('A')), sse(chatStream('B')));
    const chunks = await chunksOf(await complete({ model: 'groq/llama', prompt: ['one', 'two'], stream: true }));
    const told = chunks.flatMap(({ choices }) => (Array.isArray(choices) ? choices.filter(isObject) : []));
    expect(told.map(({ index, text }) => [index, text])).toEqual([
      [0, 'A'],
      [0, ''],
      [1, 'B'],
      [1, ''],
    ]);
    expect(chunks.at(-1)?.usage).toMatchObject({ prompt_tokens: 6, completion_tokens: 4 });
  });

  test('when one of several prompts fails, the whole does and the others are not waited for', async () => {
    upstream.answers(silence, json({ error: { message: 'too long' } }, { status: 400 }));
    const response = await complete({ model: 'groq/llama', prompt: ['one', 'two'] });
    expect(response.status).toBe(400);
    expect(JSON.stringify(await response.json())).toContain('too long');
  });

  test('several choices, their probabilities and the echo, where the model chats in the same words', async () => {
    const logprobs = { content: [{ token: ' a', logprob: -0.5, top_logprobs: [{ token: ' b', logprob: -1 }] }] };
    const choice = (index: number, content: string) => ({
      index,
      message: { role: 'assistant', content },
      logprobs,
      finish_reason: 'stop',
    });
    upstream.answers(json(chat('', { choices: [choice(0, ' a'), choice(1, ' a')] })));
    const answer = await read(await complete({ model: 'openai/gpt-4o', n: 2, logprobs: 1, echo: true }));
    expect(lastSent(upstream).body).toEqual({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'Once' }],
      n: 2,
      logprobs: true,
      top_logprobs: 1,
    });
    const told = { tokens: [' a'], token_logprobs: [-0.5], top_logprobs: [{ ' b': -1 }], text_offset: [4] };
    expect(answer.choices).toEqual(
      [0, 1].map((index) => ({ text: 'Once a', index, logprobs: told, finish_reason: 'stop' })),
    );
  });

  test.each([['one'], ['several']])('a client that leaves ends what was asked of %s', async (many) => {
    upstream.answers(sse(chatStream(' upon').slice(0, 2), 'open'));
    const before = upstream.requests.length;
    const leaving = new AbortController();
    const prompt = many === 'one' ? 'Once' : ['Once', 'Twice'];
    const body = { model: 'groq/llama', prompt, stream: true };
    const response = await post(`${converting.url}/v1/completions`, body, {}, leaving.signal);
    await response.body?.getReader().read();
    leaving.abort();
    expect(await upstream.requests.at(-1)?.closed).toBe('cut');
    expect(upstream.requests.length).toBe(before + 1);
  });

  test('an error in the middle of a stream is its end', async () => {
    upstream.answers(sse([...chatStream(' upon').slice(0, 2), 'data: {"error":{"message":"overloaded"}}\n\n']));
    const text = await (await complete({ model: 'groq/llama', stream: true })).text();
    expect(text).toContain('" upon"');
    expect(text).toContain('overloaded');
    expect(text).not.toContain('[DONE]');
  });

  test('what is of the wrong type is refused or the provider’s to judge, never a fault of ours', async () => {
    const odd = [
      { prompt: {} },
      { prompt: 5 },
      { prompt: [''], n: 'x' },
      { stop: 5 },
      { logprobs: 'x' },
      { max_tokens: [] },
    ];
    const refusal = json({ error: { message: 'odd' } }, { status: 400 });
    for (const fields of odd) {
      const isAsked = !('prompt' in fields) || Array.isArray(fields.prompt);
      if (isAsked) upstream.answers(refusal);
      expect([JSON.stringify(fields), (await complete({ model: 'groq/llama', ...fields })).status]).toEqual([
        JSON.stringify(fields),
        400,
      ]);
    }
  });

  test('an error says what was asked in its place', async () => {
    upstream.answers(json({ error: { message: 'no such model' } }, { status: 404 }));
    const response = await complete({ model: 'groq/none' });
    expect(response.status).toBe(404);
    const { extra_fields: fields, error } = await read(response);
    expect(error).toMatchObject({ message: expect.stringContaining('no such model') });
    expect(fields).toMatchObject({ request_type: 'text_completion', converted_request_type: 'chat_completion' });
  });

  test('a stream that is cut is no answer', async () => {
    upstream.answers(sse(chatStream(' upon').slice(0, 2), 'cut'));
    const text = await (await complete({ model: 'groq/llama', stream: true })).text();
    expect(text).toContain('" upon"');
    expect(text).toContain('"error"');
    expect(text).not.toContain('[DONE]');
  });

  test('token ids are refused before anybody is asked', async () => {
    const response = await complete({ model: 'groq/llama', prompt: [1, 2] });
    expect(response.status).toBe(400);
    expect(JSON.stringify(await response.json())).toContain('prompt holds token ids');
  });

  test('OpenAI’s SDK reads it', async () => {
    const client = new OpenAI({ baseURL: `${converting.url}/openai/v1`, apiKey: 'x', maxRetries: 0 });
    upstream.answers(json(chat(' upon')), sse(chatStream(' upon', ' a')));
    const whole = await client.completions.create({ model: 'groq/llama', prompt: 'Once' });
    expect(whole.choices[0]?.text).toBe(' upon');
    let text = '';
    for await (const chunk of await client.completions.create({ model: 'groq/llama', prompt: 'Once', stream: true })) {
      text += chunk.choices[0]?.text ?? '';
    }
    expect(text).toBe(' upon a');
  });

  test('a model that is a script answers too', async () => {
    const answer = await read(await complete({ model: 'mock/echo' }));
    expect(answer).toMatchObject({ object: 'text_completion', choices: [{ index: 0, finish_reason: 'stop' }] });
  });
});

describe('who is asked as a chat', () => {
  test.each<[model: string, path: string]>([
    ['openai/gpt-4o', '/v1/chat/completions'],
    ['openai/gpt-3.5-turbo', '/v1/chat/completions'],
    ['openai/o3-mini', '/v1/chat/completions'],
    ['openai/gpt-3.5-turbo-instruct', '/v1/completions'],
    ['openai/davinci-002', '/v1/completions'],
    ['openai/ft:babbage-002:mine', '/v1/completions'],
    ['groq/llama', '/openai/v1/chat/completions'],
  ])('%s is asked at %s', async (model, path) => {
    upstream.answers(json(chat('x')));
    expect((await complete({ model })).status).toBe(200);
    expect(lastSent(upstream).path).toBe(path);
  });

  test('a server that completes with every model is asked for a completion, byte for byte', async () => {
    other.answers(json({ object: 'text_completion', choices: [] }));
    const answer = await complete({ model: 'ollama/qwen', suffix: 'x' });
    expect(lastSent(other)).toEqual({ path: '/v1/completions', body: { model: 'qwen', prompt: 'Once', suffix: 'x' } });
    expect(await answer.json()).toEqual({ object: 'text_completion', choices: [] });
  });

  test('a custom provider that may only chat', async () => {
    other.answers(json(chat('x')));
    expect((await complete({ model: 'chats/m', max_tokens: 3 })).status).toBe(200);
    expect(lastSent(other)).toEqual({
      path: '/v1/chat/completions',
      body: { model: 'm', messages: [{ role: 'user', content: 'Once' }], max_tokens: 3 },
    });
    expect((await complete({ model: 'embeds/m' })).status).toBe(400);
    expect((await complete({ model: 'chats/m' }, {}, plain)).status).toBe(400);
  });

  test('each target as it can: a chat first, then a completion', async () => {
    upstream.answers(json({ error: { message: 'gone' } }, { status: 404 }));
    other.answers(json({ object: 'text_completion', choices: [{ text: 'x', index: 0, finish_reason: 'stop' }] }));
    const response = await complete({ model: 'groq/llama', fallbacks: ['ollama/qwen'] });
    expect(response.headers.get('x-bifrost-provider')).toBe('ollama');
    expect(lastSent(other).body).toEqual({ model: 'qwen', prompt: 'Once' });
  });
});

describe('without the configuration', () => {
  test('a provider that only chats is no target, and the error says how it becomes one', async () => {
    const response = await complete({ model: 'groq/llama' }, {}, plain);
    expect(response.status).toBe(400);
    expect(JSON.stringify(await response.json())).toMatch(/convert_text_to_chat.*x-bf-compat: true/);
  });

  test('what is known to chat only is asked for a completion all the same', async () => {
    upstream.answers(json({ error: { message: 'This is a chat model' } }, { status: 404 }));
    expect((await complete({ model: 'openai/gpt-4o' }, {}, plain)).status).toBe(404);
    expect(lastSent(upstream)).toEqual({ path: '/v1/completions', body: { model: 'gpt-4o', prompt: 'Once' } });
  });

  test.each([['["convert_text_to_chat"]'], ['true'], ['convert_text_to_chat']])('x-bf-compat: %s', async (header) => {
    upstream.answers(json(chat(' upon')));
    const answer = await read(await complete({ model: 'groq/llama' }, { 'x-bf-compat': header }, plain));
    expect(answer).toMatchObject({ object: 'text_completion', choices: [{ text: ' upon' }] });
  });

  test('the header asks for streams too', async () => {
    upstream.answers(sse(chatStream(' upon')));
    expect(textsOf(await chunksOf(await complete({ model: 'groq/llama', stream: true }, ASKS, plain)))).toEqual([
      ' upon',
      '',
    ]);
  });

  test('another name in the header changes nothing, an unknown one is refused', async () => {
    const others = await complete({ model: 'groq/llama' }, { 'x-bf-compat': '["should_drop_params"]' }, plain);
    expect(others.status).toBe(400);
    const unknown = await complete({ model: 'groq/llama' }, { 'x-bf-compat': '["convert_txt"]' }, plain);
    expect(unknown.status).toBe(400);
    expect(JSON.stringify(await unknown.json())).toContain('x-bf-compat names');
  });
});
