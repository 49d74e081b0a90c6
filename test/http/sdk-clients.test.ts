import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ChatBody, type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { type Gateway, keyed, startGatewayHere, testServer } from '../support/gateway.ts';
import { type MessagesBody, type MessagesUpstream, startMessagesUpstream } from '../support/messages-upstream.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

/** What either upstream says next, in its own format. */
interface Said {
  readonly text?: string;
  readonly call?: { readonly id: string; readonly name: string; readonly input: object };
  readonly refusal?: { readonly status: number; readonly type: string; readonly message: string };
}

let script: (results: readonly string[]) => Said;
let chatUpstream: ChatUpstream;
let messagesUpstream: MessagesUpstream;
let endless: Upstream;
let gateway: Gateway;
let openai: OpenAI;
let anthropic: Anthropic;

beforeAll(async () => {
  chatUpstream = await startChatUpstream((body) => {
    const { text, call, refusal } = script(chatResults(body));
    if (refusal) return { status: refusal.status, error: refusal.message };
    return { ...(text && { text }), ...(call && { calls: [call] }) };
  });
  messagesUpstream = await startMessagesUpstream((body) => {
    const { text, call, refusal } = script(messagesResults(body));
    if (refusal) return { status: refusal.status, type: refusal.type, error: refusal.message };
    return [
      ...(text ? [{ type: 'text', text } as const] : []),
      ...(call ? [{ type: 'tool_use', ...call } as const] : []),
    ];
  });
  endless = await startUpstream();
  gateway = await startGatewayHere({
    providers: {
      openai: keyed(chatUpstream.url),
      anthropic: keyed(messagesUpstream.url),
      groq: keyed(`${endless.url}/v1`),
    },
    mcp: { client_configs: [testServer()] },
  });
  const quiet = { apiKey: 'any', maxRetries: 0 };
  openai = new OpenAI({ ...quiet, baseURL: `${gateway.url}/v1` });
  anthropic = new Anthropic({ ...quiet, baseURL: `${gateway.url}/anthropic` });
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all([chatUpstream.close(), messagesUpstream.close(), endless.close()]);
});

afterEach(() => {
  chatUpstream.bodies.length = 0;
  messagesUpstream.bodies.length = 0;
});

const chatResults = (body: ChatBody): string[] =>
  body.messages.filter(({ role }) => role === 'tool').map(({ content }) => String(content));

const messagesResults = (body: MessagesBody): string[] =>
  body.messages.flatMap(({ content }) =>
    Array.isArray(content)
      ? content.flatMap((block) => (block.type === 'tool_result' ? [JSON.stringify(block.content)] : []))
      : [],
  );

const WEATHER = {
  name: 'weather',
  description: 'The weather of a city',
  schema: { type: 'object' as const, properties: { city: { type: 'string' } } },
};
const CHAT_TOOLS = [{ type: 'function' as const, function: { ...WEATHER, parameters: WEATHER.schema } }];
const MESSAGES_TOOLS = [{ name: WEATHER.name, description: WEATHER.description, input_schema: WEATHER.schema }];
const HELLO = [{ role: 'user' as const, content: 'hello' }];
const MODELS = ['openai/gpt-4o', 'anthropic/claude-test'];

describe.each(MODELS)('the openai SDK with %s', (model) => {
  test('text, whole and streamed', async () => {
    script = () => ({ text: 'good morning to you' });
    const whole = await openai.chat.completions.create({ model, messages: HELLO });
    expect(whole.choices[0]?.message.content).toBe('good morning to you');
    expect(whole.choices[0]?.finish_reason).toBe('stop');
    expect(whole.usage).toMatchObject({ prompt_tokens: 1000, completion_tokens: 20, total_tokens: 1020 });

    const stream = openai.chat.completions.stream({ model, messages: HELLO, stream_options: { include_usage: true } });
    const pieces: string[] = [];
    stream.on('content', (delta) => pieces.push(delta));
    const streamed = await stream.finalChatCompletion();
    expect([pieces.join(''), streamed.choices[0]?.message.content]).toEqual(Array(2).fill('good morning to you'));
    expect(streamed.choices[0]?.finish_reason).toBe('stop');
    expect(streamed.usage).toMatchObject({ prompt_tokens: 1000, completion_tokens: 20 });
  });

  test("a call of the client's own tool, whole and streamed, and its result", async () => {
    script = (results) =>
      results.length > 0
        ? { text: `so it is ${results[0]}` }
        : { call: { id: 'call_1', name: 'weather', input: { city: 'Oslo' } } };
    const request = { model, messages: HELLO, tools: CHAT_TOOLS };
    const whole = await openai.chat.completions.create(request);
    const streamed = await openai.chat.completions.stream(request).finalChatCompletion();
    for (const { choices } of [whole, streamed]) {
      expect(choices[0]?.finish_reason).toBe('tool_calls');
      expect(choices[0]?.message.tool_calls).toMatchObject([
        { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
      ]);
    }
    const message = whole.choices[0]?.message;
    if (!message) throw new Error('there is a message');
    const next = await openai.chat.completions.create({
      ...request,
      messages: [...HELLO, message, { role: 'tool', tool_call_id: 'call_1', content: 'sunny' }],
    });
    expect(next.choices[0]?.message.content).toMatch(/so it is .*sunny/);
  });

  test("a call of the gateway's tool runs inside, and the client sees the answer only", async () => {
    script = (results) =>
      results.length > 0
        ? { text: `it said ${results[0]}` }
        : { call: { id: 'call_1', name: 'ref-echo', input: { value: 'cuckoo' } } };
    const request = { model, messages: HELLO };
    const whole = await openai.chat.completions.create(request);
    const streamed = await openai.chat.completions.stream(request).finalChatCompletion();
    for (const { choices } of [whole, streamed]) {
      expect(choices[0]?.message.content).toMatch(/it said .*cuckoo/);
      expect(choices[0]?.message.tool_calls ?? []).toEqual([]);
      expect(choices[0]?.finish_reason).toBe('stop');
    }
  });

  test.each([false, true])('an error has the status and the words of the provider (streamed: %s)', async (stream) => {
    script = () => ({ refusal: { status: 429, type: 'rate_limit_error', message: 'too many, too fast' } });
    const failure = openai.chat.completions
      .create({ model, messages: HELLO, stream })
      .catch((thrown: unknown) => thrown);
    const error = await failure;
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(error).toMatchObject({ status: 429, message: '429 too many, too fast' });
  });
});

describe.each(MODELS)('the Anthropic SDK with %s', (model) => {
  const asked = { model, max_tokens: 100, messages: HELLO };

  test('text, whole and streamed', async () => {
    script = () => ({ text: 'good morning to you' });
    const whole = await anthropic.messages.create(asked);
    const stream = anthropic.messages.stream(asked);
    const pieces: string[] = [];
    stream.on('text', (delta) => pieces.push(delta));
    const streamed = await stream.finalMessage();
    for (const answer of [whole, streamed]) {
      expect(answer.content).toMatchObject([{ type: 'text', text: 'good morning to you' }]);
      expect(answer.stop_reason).toBe('end_turn');
      expect(answer.usage).toMatchObject({ input_tokens: 1000, output_tokens: 20 });
    }
    expect(pieces.join('')).toBe('good morning to you');
  });

  test("a call of the client's own tool, whole and streamed, and its result", async () => {
    script = (results) =>
      results.length > 0
        ? { text: `so it is ${results[0]}` }
        : { call: { id: 'call_1', name: 'weather', input: { city: 'Oslo' } } };
    const request = { ...asked, tools: MESSAGES_TOOLS };
    const whole = await anthropic.messages.create(request);
    const streamed = await anthropic.messages.stream(request).finalMessage();
    for (const answer of [whole, streamed]) {
      expect(answer.stop_reason).toBe('tool_use');
      expect(answer.content).toMatchObject([
        { type: 'tool_use', id: 'call_1', name: 'weather', input: { city: 'Oslo' } },
      ]);
    }
    const next = await anthropic.messages.create({
      ...request,
      messages: [
        ...HELLO,
        { role: 'assistant', content: whole.content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_1', content: 'sunny' }] },
      ],
    });
    expect(next.content).toMatchObject([{ type: 'text', text: expect.stringMatching(/so it is .*sunny/) }]);
  });

  test("a call of the gateway's tool is shown in the dialect's own words, and may come back as history", async () => {
    script = (results) =>
      results.length > 0
        ? { text: `it said ${results[0]}` }
        : { call: { id: 'call_1', name: 'ref-echo', input: { value: 'cuckoo' } } };
    const whole = await anthropic.messages.create(asked);
    const streamed = await anthropic.messages.stream(asked).finalMessage();
    for (const answer of [whole, streamed]) {
      expect(answer.content.map(({ type }) => String(type))).toEqual(['mcp_tool_use', 'mcp_tool_result', 'text']);
      expect(answer.stop_reason).toBe('end_turn');
      expect(JSON.stringify(answer.content)).toContain('it said');
    }
    const next = await anthropic.messages.create({
      ...asked,
      messages: [...HELLO, { role: 'assistant', content: streamed.content }, { role: 'user', content: 'and now?' }],
    });
    expect(next.stop_reason).toBe('end_turn');
    const last = [...messagesUpstream.bodies, ...chatUpstream.bodies].at(-1);
    expect(JSON.stringify(last)).not.toContain('mcp_tool');
    expect(JSON.stringify(last)).toContain('cuckoo');
  });

  test.each([false, true])('an error has the status and the words of the provider (streamed: %s)', async (stream) => {
    script = () => ({ refusal: { status: 404, type: 'not_found_error', message: 'no such model' } });
    const error = await anthropic.messages.create({ ...asked, stream }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Anthropic.NotFoundError);
    expect(error).toMatchObject({ status: 404, message: expect.stringContaining('no such model') });
  });

  test('tokens are counted by the provider that can, and estimated elsewhere', async () => {
    const { input_tokens } = await anthropic.messages.countTokens({ model, messages: HELLO });
    if (model.startsWith('anthropic/')) expect(input_tokens).toBe(1234);
    else expect(input_tokens).toBeGreaterThan(0);
  });
});

test('both SDKs list the models of every provider', async () => {
  endless.answers(
    (response) => void response.writeHead(500).end(),
    (response) => void response.writeHead(500).end(),
  );
  const ids = (await openai.models.list()).data.map(({ id }) => id);
  expect(ids).toEqual(expect.arrayContaining(['openai/gpt-4o', 'anthropic/claude-test']));
  const listed = await anthropic.models.list();
  expect(listed.data.map(({ id }) => id)).toEqual(expect.arrayContaining(['openai/gpt-4o', 'anthropic/claude-test']));
});

const OPENING = `data: ${JSON.stringify({
  id: 'c1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta: { role: 'assistant', content: 'once' }, finish_reason: null }],
})}\n\n`;

test.each(['openai', 'anthropic'])('a client of %s that leaves its stream ends the request upstream', async (sdk) => {
  endless.answers((response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(OPENING));
  const seen = endless.requests.length;
  if (sdk === 'openai') {
    const stream = await openai.chat.completions.create({ model: 'groq/m', messages: HELLO, stream: true });
    for await (const _ of stream) break;
  } else {
    const stream = await anthropic.messages.create({ model: 'groq/m', max_tokens: 9, messages: HELLO, stream: true });
    for await (const event of stream) if (event.type === 'content_block_delta') break;
  }
  expect(await endless.requests[seen]?.closed).toBe('cut');
});

test('a client that leaves before the first word ends the request upstream, streamed or not', async () => {
  for (const stream of [true, false]) {
    const abort = new AbortController();
    endless.answers(() => abort.abort());
    const seen = endless.requests.length;
    const request = openai.chat.completions.create(
      { model: 'groq/m', messages: HELLO, stream },
      { signal: abort.signal },
    );
    await expect(request).rejects.toThrow(OpenAI.APIUserAbortError);
    expect(await endless.requests[seen]?.closed).toBe('cut');
  }
});

test('I5 a client tool and a gateway tool in one answer: the client gets its own call, the model both results', async () => {
  const chat = await startChatUpstream((body) =>
    chatResults(body).length > 0
      ? { text: 'both are known' }
      : {
          calls: [
            { id: 'call_ours', name: 'ref-echo', input: { value: 'from the gateway' } },
            { id: 'call_theirs', name: 'weather', input: { city: 'Oslo' } },
          ],
        },
  );
  const own = await startGatewayHere({
    providers: { openai: keyed(chat.url) },
    mcp: { client_configs: [testServer()] },
  });
  const client = new OpenAI({ apiKey: 'any', maxRetries: 0, baseURL: `${own.url}/v1` });
  for (const stream of [false, true]) {
    chat.bodies.length = 0;
    const request = { model: 'openai/m', messages: HELLO, tools: CHAT_TOOLS };
    const answer = stream
      ? await client.chat.completions.stream(request).finalChatCompletion()
      : await client.chat.completions.create(request);
    const message = answer.choices[0]?.message;
    expect(answer.choices[0]?.finish_reason).toBe('tool_calls');
    expect(message?.tool_calls?.map(({ id }) => id)).toEqual(['call_theirs']);
    if (!message) throw new Error('there is a message');
    const result = { role: 'tool' as const, tool_call_id: 'call_theirs', content: 'sunny' };
    const next = await client.chat.completions.create({ ...request, messages: [...HELLO, message, result] });
    expect(next.choices[0]?.message.content).toBe('both are known');
    const told = chat.bodies.at(-1)?.messages ?? [];
    expect(told.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'tool']);
    expect(told[1]?.tool_calls?.map(({ id }) => id)).toEqual(['call_ours', 'call_theirs']);
    expect(told.slice(2).map(({ tool_call_id, content }) => [tool_call_id, content])).toEqual([
      ['call_ours', 'from the gateway'],
      ['call_theirs', 'sunny'],
    ]);
  }
  await own.stop();
  await chat.close();
});
