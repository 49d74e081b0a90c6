import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CallContext } from '../../src/model/call.ts';
import type { CodecId } from '../../src/model/content.ts';
import { type Answer, hangUp, json, silence, sse, startUpstream, type Upstream } from '../support/upstream.ts';
import { contextOf, framesFor, type Heard, heard, openScene, providerAt, requestOf, type Scene } from './scene.ts';

let scene: Scene;
let upstream: Upstream;

beforeEach(async () => {
  scene = openScene();
  upstream = await startUpstream();
});

afterEach(async () => {
  await scene.close();
  await upstream.close();
});

interface Given {
  readonly provider?: string;
  readonly dialect?: CodecId;
  readonly body: string | object;
  readonly answer: Answer;
  readonly model?: string;
  readonly network?: object;
  readonly context?: Partial<CallContext>;
}

async function run(given: Given): Promise<Heard & { context: CallContext; sent: string; sentJson: unknown }> {
  const { provider = 'openai', dialect = 'openai-chat', body, answer, model, network } = given;
  upstream.answers(answer);
  const context = contextOf(dialect, given.context);
  const request = requestOf(dialect, body);
  const call = { provider: providerAt(provider, upstream.url, network), request, context, ...(model && { model }) };
  const result = await heard(framesFor(scene, call));
  const sent = upstream.requests.at(-1)?.body.toString() ?? '';
  return { ...result, context, sent, sentJson: sent === '' ? undefined : JSON.parse(sent) };
}

const chatBody = (more: object = {}) => ({ model: 'openai/m', messages: [{ role: 'user', content: 'hi' }], ...more });
const messagesBody = (more: object = {}) => ({ ...chatBody(more), max_tokens: 100 });

const chatAnswer = {
  id: 'c1',
  object: 'chat.completion',
  created: 1,
  model: 'm-up',
  unknown_field: { kept: true },
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 },
};

const chunk = (delta: object, finish: string | null = null, more: object = {}) =>
  `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm-up', choices: [{ index: 0, delta, finish_reason: finish }], ...more })}\n\n`;
const CHAT_USAGE = `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm-up', choices: [], usage: chatAnswer.usage })}\n\n`;
const DONE = 'data: [DONE]\n\n';
const chatStream = [
  chunk({ role: 'assistant', content: '' }),
  chunk({ content: 'hel' }),
  chunk({ content: 'lo' }),
  chunk({}, 'stop'),
  CHAT_USAGE,
  DONE,
];

const event = (data: { type: string; [field: string]: unknown }) =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const messageStart = event({
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm-up',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 7, output_tokens: 1 },
  },
});
const messagesStream = [
  messageStart,
  event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
  event({ type: 'ping' }),
  event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'hello' } }),
  event({ type: 'content_block_stop', index: 0 }),
  event({
    type: 'message_delta',
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { input_tokens: 7, output_tokens: 2 },
  }),
  event({ type: 'message_stop' }),
];
const overloaded = event({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } });
const USAGE = { input: 7, output: 2, cacheRead: 0, cacheWrite: 0, reasoning: 0 };

describe('same format: bytes travel as they are', () => {
  test('a whole body, but for the model and what is for the gateway only', async () => {
    const body =
      '{ "messages": [{"role":"user","content":"hi \\u00fc"}],  "model": "openai/m", "x_unknown": 1.50, "fallbacks": ["a/b"]}';
    const text = `${JSON.stringify(chatAnswer, null, 1)}\n`;
    const result = await run({ body, answer: json(text) });
    expect(result.sent).toBe(
      '{"messages": [{"role":"user","content":"hi \\u00fc"}],"model": "m-up","x_unknown": 1.50}',
    );
    expect(result.bytes).toBe(text);
    expect(result.frames).toHaveLength(1);
    expect(result.events).toEqual([
      { type: 'response-end', reason: expect.objectContaining({ kind: 'stop' }), usage: USAGE },
    ]);
  });

  test('a Messages body goes to the Messages path, with the key', async () => {
    const body = messagesBody({ thinking: { type: 'adaptive' }, stream: true });
    const result = await run({
      provider: 'anthropic',
      dialect: 'anthropic-messages',
      body,
      answer: sse(messagesStream),
    });
    expect(result.sentJson).toEqual({ ...body, model: 'm-up' });
    expect(upstream.requests[0]).toMatchObject({
      method: 'POST',
      path: '/v1/messages',
      headers: {
        authorization: 'Bearer sk-secret',
        'x-api-key': 'sk-secret',
        'content-type': 'application/json',
        'accept-encoding': 'identity',
      },
    });
    expect(result.bytes).toBe(messagesStream.join(''));
    expect(result.events).toEqual([
      { type: 'response-end', reason: expect.objectContaining({ kind: 'stop' }), usage: USAGE },
    ]);
    expect(result.context.trace.attempts[0]?.error).toBeUndefined();
  });

  test('C16 a stream asks for its token counts, and keeps what the client asked itself', async () => {
    const asked = await run({ body: '{"stream":true,"model":"x","messages":[]}', answer: sse(chatStream) });
    expect(asked.sent).toBe('{"stream_options":{"include_usage":true},"stream":true,"model":"m-up","messages":[]}');
    expect(asked.bytes).toBe(chatStream.join(''));
    expect(asked.response.usage).toEqual(USAGE);
    const own = chatBody({ stream: true, stream_options: { include_usage: false } });
    expect((await run({ body: own, answer: sse(chatStream) })).sentJson).toMatchObject({
      stream_options: { include_usage: false },
    });
  });

  test('usage of a long stream is read from its end, and every byte passes', async () => {
    const long = [
      ...chatStream.slice(0, 2),
      ...Array.from({ length: 400 }, () => chunk({ content: 'word '.repeat(20) })),
    ];
    const pieces = [...long, ...chatStream.slice(3)];
    const result = await run({ body: chatBody({ stream: true }), answer: sse(pieces) });
    expect(result.bytes).toBe(pieces.join(''));
    expect(result.response.usage).toEqual(USAGE);
  });

  test('E1 a body that the model would refuse is adjusted, and its answer still passes as it is', async () => {
    const result = await run({
      body: chatBody({ max_tokens: 50, temperature: 0, x_unknown: 1 }),
      answer: json(chatAnswer),
      model: 'gpt-5-mini',
    });
    expect(result.sentJson).toMatchObject({ model: 'gpt-5-mini', max_completion_tokens: 50, x_unknown: 1 });
    expect(result.sentJson).not.toHaveProperty('temperature');
    expect(result.bytes).toBe(JSON.stringify(chatAnswer));
    expect(result.context.trace.losses.map(({ field }) => field)).toEqual(expect.arrayContaining(['temperature']));
  });

  test('B4 Mistral gets ids of its own kind and no stream_options', async () => {
    const messages = [
      { role: 'user', content: 'time?' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'now', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'noon' },
    ];
    const result = await run({
      provider: 'mistral',
      body: chatBody({ messages, stream: true }),
      answer: sse(chatStream),
    });
    const ids = [...result.sent.matchAll(/"(?:id|tool_call_id)":"([^"]*)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^[a-z0-9]{9}$/);
    expect(result.sent).not.toContain('stream_options');
  });
});

describe('other format: events', () => {
  test('Messages to Chat Completions, streamed', async () => {
    const result = await run({
      dialect: 'anthropic-messages',
      body: messagesBody({ stream: true }),
      answer: sse(chatStream),
    });
    expect(upstream.requests[0]?.path).toBe('/v1/chat/completions');
    expect(result.sentJson).toMatchObject({ model: 'm-up', stream: true, stream_options: { include_usage: true } });
    expect(result.bytes).toBe('');
    expect(result.response).toMatchObject({
      parts: [{ type: 'text', text: 'hello' }],
      reason: { kind: 'stop' },
      usage: USAGE,
    });
  });

  test('Chat Completions to Messages, whole', async () => {
    const answer = {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'm-up',
      content: [{ type: 'text', text: 'hello' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 7, output_tokens: 2 },
    };
    const result = await run({ provider: 'anthropic', body: chatBody(), answer: json(answer) });
    expect(result.response).toMatchObject({ parts: [{ type: 'text', text: 'hello' }], usage: USAGE });
  });

  test("real gpt-4o: the limit is lowered to the model's, reasoning is left out", async () => {
    const body = { ...messagesBody({ stream: true, thinking: { type: 'adaptive' } }), max_tokens: 32_000 };
    const result = await run({ dialect: 'anthropic-messages', body, answer: sse(chatStream), model: 'gpt-4o' });
    expect(result.sentJson).toMatchObject({ max_completion_tokens: 16_384 });
    expect(result.sentJson).not.toHaveProperty('reasoning_effort');
    expect(result.context.trace.losses.length).toBeGreaterThan(0);
  });

  test('C3 a whole answer where a stream was asked for becomes events', async () => {
    const result = await run({ body: chatBody({ stream: true }), answer: json(chatAnswer) });
    expect(result.bytes).toBe('');
    expect(result.events.map(({ type }) => type)).toEqual(['response-start', 'part-start', 'part-end', 'response-end']);
  });

  test('a stream where a whole answer was asked for is read', async () => {
    const result = await run({ body: chatBody(), answer: sse(chatStream) });
    expect(result.bytes).toBe('');
    expect(result.response).toMatchObject({ parts: [{ type: 'text', text: 'hello' }], usage: USAGE });
  });
});

describe('the first frame already holds content', () => {
  test.each([
    ['as bytes', 'anthropic-messages', 'anthropic', messagesStream],
    ['as events', 'openai-chat', 'anthropic', messagesStream],
    ['as events', 'anthropic-messages', 'openai', chatStream],
  ] as const)('%s, %s at %s', async (_how, dialect, provider, stream) => {
    const result = await run({ dialect, provider, body: messagesBody({ stream: true }), answer: sse(stream) });
    const [first] = result.frames;
    const text = first?.raw ? Buffer.from(first.raw.bytes).toString() : JSON.stringify(first?.events);
    expect(text).toMatch(/content_block_start|part-start/);
  });

  test.each(['anthropic-messages', 'openai-chat'] as const)(
    'C8 an error in the opening gives no frame: %s',
    async (dialect) => {
      const answer = sse([messageStart, overloaded]);
      const result = await run({ dialect, provider: 'anthropic', body: messagesBody({ stream: true }), answer });
      expect(result.frames).toEqual([]);
      expect(result.error).toMatchObject({ kind: 'overloaded' });
    },
  );

  test('the first words of a burst come by themselves, ahead of the rest of it', async () => {
    const dialect = 'openai-chat';
    const answer = sse([messagesStream.join('')]);
    const { frames } = await run({ provider: 'anthropic', dialect, body: chatBody({ stream: true }), answer });
    expect(frames.map(({ events }) => events.map(({ type }) => type))).toEqual([
      ['response-start', 'part-start', 'part-delta'],
      ['part-end', 'response-end'],
    ]);
  });
});

describe('streams that go wrong behind their first content', () => {
  const begun = messagesStream.slice(0, 4);

  test('C10 a cut stream is an error, behind every byte that came', async () => {
    const result = await run({
      dialect: 'anthropic-messages',
      provider: 'anthropic',
      body: messagesBody({ stream: true }),
      answer: sse(begun, 'cut'),
    });
    expect(result.bytes).toBe(begun.join(''));
    expect(result.error).toMatchObject({ kind: 'network' });
  });

  test('C10 so is one that just ends', async () => {
    const asBytes = await run({ body: chatBody({ stream: true }), answer: sse(chatStream.slice(0, 3)) });
    expect(asBytes.error).toMatchObject({
      kind: 'network',
      message: expect.stringContaining('before it was complete'),
    });
    const asEvents = await run({
      dialect: 'anthropic-messages',
      body: messagesBody({ stream: true }),
      answer: sse(chatStream.slice(0, 3)),
    });
    expect(asEvents.error).toMatchObject({ kind: 'network' });
    expect(asEvents.response.parts).toMatchObject([{ type: 'text', text: 'hello' }]);
  });

  test("the dialect's own error passes as bytes and is not told twice", async () => {
    const result = await run({
      dialect: 'anthropic-messages',
      provider: 'anthropic',
      body: messagesBody({ stream: true }),
      answer: sse([...begun, overloaded]),
    });
    expect(result.bytes).toBe([...begun, overloaded].join(''));
    expect(result.error).toBeUndefined();
    expect(result.events).toMatchObject([{ type: 'response-end', reason: { kind: 'other' } }]);
    expect(result.context.trace.attempts[0]?.error).toContain('Overloaded');
  });

  test('in another format it is an error', async () => {
    const answer = sse([...begun, overloaded]);
    const result = await run({ provider: 'anthropic', body: chatBody({ stream: true }), answer });
    expect(result.response.parts).toMatchObject([{ type: 'text', text: 'hello' }]);
    expect(result.error).toMatchObject({ kind: 'overloaded' });
  });
});

describe('refusals', () => {
  test('E9 status, words and retry-after of the provider are kept', async () => {
    const error = { error: { message: 'Slow down', type: 'requests', code: 'rate_limit_exceeded', param: null } };
    const result = await run({
      body: chatBody(),
      answer: json(error, { status: 429, headers: { 'retry-after': '3', 'x-request-id': 'up-1' } }),
    });
    expect(result.error).toMatchObject({
      kind: 'rate-limit',
      message: expect.stringContaining('Slow down'),
      details: { status: 429, retryAfterMs: 3_000, provider: 'openai' },
    });
    expect(upstream.requests).toHaveLength(1);
  });

  test.each(['anthropic', 'openai'] as const)('an HTML page is told apart, by %s too', async (provider) => {
    const answer: Answer = (response) => {
      response.writeHead(502, { 'content-type': 'text/html' }).end('<html><h1>Bad gateway</h1></html>');
    };
    const result = await run({ provider, body: chatBody(), answer });
    expect(result.error).toMatchObject({ kind: 'overloaded', details: { status: 502 } });
  });

  test('a body that is not JSON under status 200 is a bad response', async () => {
    const answer: Answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Log in</html>');
    };
    const result = await run({ dialect: 'anthropic-messages', body: messagesBody(), answer });
    expect(result.error).toMatchObject({ kind: 'bad-response', message: expect.stringContaining('text/html') });
  });

  test('a broken connection names the origin, and no key', async () => {
    const result = await run({ body: chatBody(), answer: hangUp });
    expect(result.error).toMatchObject({
      kind: 'network',
      message: `could not reach ${upstream.url}: it closed the connection`,
    });
    expect(JSON.stringify(result.error)).not.toContain('sk-secret');
  });
});

describe('time', () => {
  test('an upstream that does not answer in time is a timeout', async () => {
    const result = await run({
      body: chatBody(),
      answer: silence,
      network: { default_request_timeout_in_seconds: 0.05 },
    });
    expect(result.error).toMatchObject({
      kind: 'timeout',
      message: expect.stringContaining('did not answer within 0.05 s'),
    });
    expect(await upstream.requests[0]?.closed).toBe('cut');
  });

  const idle = { idle: 0.1 };
  const silentAfter = (pieces: readonly string[]) => sse(pieces, 'open');
  const withIdle = async (given: Omit<Given, 'network'>) => {
    upstream.answers(given.answer);
    const provider = providerAt(given.provider ?? 'openai', upstream.url);
    const impatient = { ...provider, network: { ...provider.network, stream_idle_timeout_in_seconds: idle.idle } };
    const dialect = given.dialect ?? 'openai-chat';
    return heard(
      framesFor(scene, { provider: impatient, request: requestOf(dialect, given.body), context: contextOf(dialect) }),
    );
  };

  test.each(['openai-chat', 'anthropic-messages'] as const)(
    'C15 a stream that falls silent is a timeout: %s',
    async (dialect) => {
      const result = await withIdle({
        dialect,
        body: messagesBody({ stream: true }),
        answer: silentAfter(chatStream.slice(0, 3)),
      });
      expect(result.error).toMatchObject({
        kind: 'timeout',
        message: expect.stringContaining('sent nothing for 0.1 s'),
      });
      expect(await upstream.requests[0]?.closed).toBe('cut');
    },
  );

  test.each(['openai-chat', 'anthropic-messages'] as const)(
    'C11 a complete stream that stays open is complete: %s',
    async (dialect) => {
      const result = await withIdle({ dialect, body: messagesBody({ stream: true }), answer: silentAfter(chatStream) });
      expect(result.error).toBeUndefined();
      expect(result.events.at(-1)).toMatchObject({ type: 'response-end', usage: USAGE });
    },
  );

  test.each(['openai-chat', 'anthropic-messages'] as const)('C11 comments are no sign of life: %s', async (dialect) => {
    const answer: Answer = async (response, request) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chatStream.slice(0, 2).join(''));
      const heartbeat = setInterval(() => response.write(': still here\n\n'), 20);
      await request.closed;
      clearInterval(heartbeat);
    };
    const result = await withIdle({ dialect, body: messagesBody({ stream: true }), answer });
    expect(result.error).toMatchObject({ kind: 'timeout' });
  });
});

describe('cancelling', () => {
  test('C17 the client leaves before the headers', async () => {
    const abort = new AbortController();
    upstream.answers(silence);
    const provider = providerAt('openai', upstream.url);
    const context = contextOf('openai-chat', { signal: abort.signal });
    const result = heard(framesFor(scene, { provider, request: requestOf('openai-chat', chatBody()), context }));
    await expect.poll(() => upstream.requests.length).toBe(1);
    abort.abort();
    expect((await result).error).toMatchObject({ kind: 'cancelled' });
    expect(await upstream.requests[0]?.closed).toBe('cut');
  });

  test.each(['openai-chat', 'anthropic-messages'] as const)(
    'C17 the client leaves in the middle: %s',
    async (dialect) => {
      upstream.answers(sse(chatStream.slice(0, 3), 'open'));
      const abort = new AbortController();
      const provider = providerAt('openai', upstream.url);
      const context = contextOf(dialect, { signal: abort.signal });
      const frames = framesFor(scene, {
        provider,
        request: requestOf(dialect, messagesBody({ stream: true })),
        context,
      });
      const iterator = frames[Symbol.asyncIterator]();
      expect((await iterator.next()).done).toBe(false);
      abort.abort();
      const drained = async () => {
        while (!(await iterator.next()).done);
      };
      await expect(drained()).rejects.toMatchObject({ kind: 'cancelled' });
      expect(await upstream.requests[0]?.closed).toBe('cut');
    },
  );

  test('C17 whoever stops reading ends the upstream request', async () => {
    upstream.answers(sse(chatStream.slice(0, 3), 'open'));
    const provider = providerAt('openai', upstream.url);
    const request = requestOf('openai-chat', chatBody({ stream: true }));
    for await (const _frame of framesFor(scene, { provider, request, context: contextOf('openai-chat') })) break;
    expect(await upstream.requests[0]?.closed).toBe('cut');
  });

  test('a signal that lives through many calls keeps no listeners', async () => {
    const abort = new AbortController();
    const warnings: Error[] = [];
    const collect = (warning: Error) => warnings.push(warning);
    process.on('warning', collect);
    for (let turn = 0; turn < 15; turn++) {
      await run({ body: chatBody(), answer: json(chatAnswer), context: { signal: abort.signal } });
    }
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', collect);
    expect(warnings).toEqual([]);
  });
});

describe('headers', () => {
  const forwardHeaders = { 'anthropic-beta': 'context-1m', 'x-team': 'blue' };

  test("Anthropic's own go to Anthropic's format only", async () => {
    const caller = { forwardHeaders };
    const body = messagesBody({ stream: true });
    await run({
      provider: 'anthropic',
      dialect: 'anthropic-messages',
      body,
      answer: sse(messagesStream),
      context: { caller },
    });
    await run({ dialect: 'anthropic-messages', body, answer: sse(chatStream), context: { caller } });
    const seen = upstream.requests.map(({ headers }) => [headers['anthropic-beta'], headers['x-team']]);
    expect(seen).toEqual([
      ['context-1m', 'blue'],
      [undefined, 'blue'],
    ]);
  });

  test('limits and request ids of the upstream are told, and nothing else', async () => {
    const headers = { 'x-request-id': 'up-1', 'x-ratelimit-remaining-tokens': '9', 'set-cookie': 'a=b', server: 'x' };
    const result = await run({ body: chatBody(), answer: json(chatAnswer, { headers }) });
    expect(result.context.trace.upstreamHeaders).toEqual({
      'x-request-id': 'up-1',
      'x-ratelimit-remaining-tokens': '9',
    });
  });

  test('a server that takes no key gets none', async () => {
    upstream.answers(json(chatAnswer));
    const keyless = { keys: [], custom_provider_config: { base_provider_type: 'openai', is_key_less: true } };
    const provider = providerAt('acme', upstream.url, {}, keyless);
    await heard(
      framesFor(scene, { provider, request: requestOf('openai-chat', chatBody()), context: contextOf('openai-chat') }),
    );
    expect(upstream.requests[0]?.headers.authorization).toBeUndefined();
  });

  test('a chat path of its own', async () => {
    upstream.answers(json(chatAnswer));
    const custom = {
      custom_provider_config: {
        base_provider_type: 'openai',
        request_path_overrides: { chat_completion: '/api/talk' },
      },
    };
    const provider = providerAt('acme', upstream.url, {}, custom);
    await heard(
      framesFor(scene, { provider, request: requestOf('openai-chat', chatBody()), context: contextOf('openai-chat') }),
    );
    expect(upstream.requests[0]?.path).toBe('/api/talk');
  });
});
