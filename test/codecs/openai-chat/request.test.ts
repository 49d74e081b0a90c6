import { describe, expect, test } from 'vitest';
import type { EncodedRequest, EncodeTarget } from '../../../src/codecs/codec.ts';
import { openaiChat } from '../../../src/codecs/openai-chat/index.ts';
import type { Message, Part } from '../../../src/model/content.ts';
import { isObject, type JsonObject } from '../../../src/model/json.ts';
import { appended, type ChatRequest, type FunctionTool, type Settings, type Tool } from '../../../src/model/request.ts';
import { problemsIn } from '../chat-body.ts';
import { requestOf } from '../requests.ts';
import { fixture } from './fixtures.ts';

const TARGET: EncodeTarget = { model: 'gpt-4o', stream: false };
const body: JsonObject = JSON.parse(fixture('request.json'));

const text = (words: string): Part => ({ type: 'text', text: words });
const call = (id: string, name = 'f', input = '{}'): Part => ({ type: 'tool-call', id, name, input });
const result = (callId: string, content: Part[], isError = false): Part => ({
  type: 'tool-result',
  callId,
  content,
  isError,
});
const tool = (name: string, inputSchema: JsonObject = { type: 'object', properties: {} }): FunctionTool => ({
  type: 'function',
  name,
  inputSchema,
  owner: 'client',
});
const user: Message = { role: 'user', parts: [text('hi')] };

/** A request of no format, as the gateway itself would make it. */
const request = (given: Partial<ChatRequest>): ChatRequest => ({
  model: 'm',
  stream: false,
  messages: [user],
  tools: [],
  settings: {},
  fallbacks: [],
  untouched: false,
  ...given,
});

const encoded = (given: Partial<ChatRequest>, target: Partial<EncodeTarget> = {}): EncodedRequest =>
  openaiChat.encodeRequest(request(given), { ...TARGET, ...target });

const messagesOf = ({ body: { messages } }: EncodedRequest): JsonObject[] =>
  Array.isArray(messages) ? messages.filter(isObject) : [];

const fieldsOf = ({ losses }: EncodedRequest, action?: string): string[] =>
  losses.filter((loss) => !action || loss.action === action).map(({ field }) => field);

describe("a client's request", () => {
  const decoded = openaiChat.decodeRequest(body);

  test('is read message by message', () => {
    const kinds = decoded.messages.map(({ role, parts }) => [role, ...parts.map(({ type }) => type)]);
    expect(kinds).toEqual([
      ['system', 'text'],
      ['user', 'text'],
      ['user', 'text', 'media', 'media', 'media', 'media', 'opaque'],
      ['assistant', 'reasoning', 'tool-call', 'tool-call'],
      ['tool', 'tool-result'],
      ['tool', 'tool-result'],
      ['assistant', 'text'],
      ['user', 'text'],
    ]);
  });

  test('has media of every kind that the format knows', () => {
    expect(decoded.messages[2]?.parts.slice(1, 5)).toMatchObject([
      { mediaType: 'image/png', source: { type: 'base64', data: 'aW1hZ2U=' } },
      { mediaType: 'image/*', source: { type: 'url', url: 'https://example.com/a.jpg' } },
      { mediaType: 'application/pdf', source: { type: 'base64', data: 'cGRm' }, name: 'page.pdf' },
      { mediaType: 'audio/wav', source: { type: 'base64', data: 'd2F2' } },
    ]);
  });

  test('has tools by their type, settings by their meaning', () => {
    expect(decoded.tools.map(({ type, name }) => [type, name])).toEqual([
      ['function', 'look_up'],
      ['function', '::sql'],
    ]);
    expect(decoded.toolChoice).toEqual({ type: 'auto' });
    expect(decoded.settings).toMatchObject({
      maxOutputTokens: 400,
      temperature: 0.2,
      stopSequences: ['END'],
      seed: 7,
      parallelToolCalls: false,
      user: 'ada',
      reasoning: { effort: 'low' },
      responseFormat: { type: 'json-schema', name: 'answer', strict: true },
    });
  });

  test('A19 B11 tells content that is absent, null, empty and there apart', () => {
    const partsOf = (message: JsonObject) =>
      openaiChat.decodeRequest({ messages: [{ role: 'assistant', ...message }] }).messages[0]?.parts;
    expect(partsOf({})).toEqual([]);
    expect(partsOf({ content: null })).toEqual([]);
    expect(partsOf({ content: '' })).toMatchObject([{ type: 'text', text: '' }]);
    expect(partsOf({ content: [] })).toEqual([]);
    expect(partsOf({ content: 'x' })).toMatchObject([{ type: 'text', text: 'x' }]);
  });

  test.each<[string, JsonObject, string]>([
    ['no messages', {}, 'messages'],
    ['C18 empty messages', { messages: [] }, 'messages: at least one message is required'],
    ['an unknown role', { messages: [{ role: 'robot', content: 'x' }] }, 'messages.0.role'],
    [
      'content of a wrong type',
      { messages: [{ role: 'user', content: 5 }] },
      'messages.0.content: must be a text or a list',
    ],
    [
      'a text part without text',
      { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
      'messages.0.content.0.text',
    ],
    [
      'an image without a url',
      { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] },
      'messages.0.content.0.image_url',
    ],
    [
      'a call without a function',
      { messages: [{ role: 'assistant', tool_calls: [{ id: 'a', type: 'function' }] }] },
      'messages.0.tool_calls.0.function',
    ],
    ['a result without an id', { messages: [{ role: 'tool', content: 'x' }] }, 'messages.0.tool_call_id'],
    [
      'a tool without a function',
      { messages: [{ role: 'user', content: 'x' }], tools: [{ type: 'function' }] },
      'tools.0.function',
    ],
    ['a temperature in words', { messages: [{ role: 'user', content: 'x' }], temperature: 'hot' }, 'temperature'],
  ])('with %s is refused, and the place is named', (_, wrong, place) => {
    expect(() => openaiChat.decodeRequest(wrong)).toThrow(
      expect.objectContaining({ kind: 'invalid-request', message: expect.stringContaining(place) }),
    );
  });

  test('unknown parts, fields and tools are not its business', () => {
    const odd = {
      messages: [{ role: 'user', content: [{ type: 'hologram', x: 1 }] }],
      tools: [{ type: 'teleport' }],
      y: 2,
    };
    expect(openaiChat.decodeRequest(odd)).toMatchObject({
      messages: [{ parts: [{ type: 'opaque', origin: { block: { type: 'hologram', x: 1 } } }] }],
      tools: [{ type: 'provider', name: 'teleport' }],
    });
  });

  test('A20 allowed_tools narrows the tools', () => {
    const tools = ['a', 'b'].map((name) => ({ type: 'function', function: { name } }));
    const choice = { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [tools[1] ?? null] } };
    const narrowed = openaiChat.decodeRequest({
      messages: [{ role: 'user', content: 'x' }],
      tools,
      tool_choice: choice,
    });
    expect(narrowed.tools.map(({ name }) => name)).toEqual(['b']);
    expect(narrowed.toolChoice).toEqual({ type: 'required' });
  });

  test('function_call and role function are tied together by an id', () => {
    const { messages } = openaiChat.decodeRequest({
      messages: [
        { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
        { role: 'function', name: 'f', content: 'r' },
      ],
    });
    const [asked] = messages[0]?.parts ?? [];
    expect(asked).toMatchObject({ type: 'tool-call', name: 'f' });
    expect(messages[1]?.parts[0]).toMatchObject({ callId: asked?.type === 'tool-call' && asked.id });
  });

  test.each<[JsonObject, object]>([
    [{ reasoning: { effort: 'high', max_tokens: 99 } }, { effort: 'high', budgetTokens: 99 }],
    [{ reasoning: { enabled: false } }, { effort: 'none' }],
    [{ reasoning: { enabled: true } }, { adaptive: true }],
    [
      { reasoning_effort: 'minimal', reasoning_max_tokens: 5 },
      { effort: 'minimal', budgetTokens: 5 },
    ],
  ])('%j asks for reasoning', (fields, expected) => {
    const { settings } = openaiChat.decodeRequest({ messages: [{ role: 'user', content: 'x' }], ...fields });
    expect(settings.reasoning).toEqual(expected);
  });
});

describe('a request that goes on in its own format', () => {
  const additions = {
    messages: [
      { role: 'assistant', parts: [call('c9', 'look_up', '{"q":1}')] },
      { role: 'tool', parts: [result('c9', [text('found')])] },
    ] satisfies Message[],
    tools: [tool('server-look')],
  };

  test("E10 keeps what the client wrote but for the model and the gateway's own fields", () => {
    const { body: sent, losses } = openaiChat.encodeRequest(requestOf(openaiChat, body), TARGET);
    const { fallbacks: _, ...expected } = body;
    expect(sent).toEqual({ ...expected, model: 'gpt-4o' });
    expect(losses).toEqual([]);
  });

  test("A15 has what the gateway adds behind what is the client's", () => {
    const { body: sent } = openaiChat.encodeRequest(appended(requestOf(openaiChat, body), additions), TARGET);
    const given = Array.isArray(body.messages) ? body.messages : [];
    expect(sent.messages).toEqual([
      ...given,
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c9', type: 'function', function: { name: 'look_up', arguments: '{"q":1}' } }],
      },
      { role: 'tool', tool_call_id: 'c9', content: 'found' },
    ]);
    expect(sent.tools).toHaveLength(3);
    expect(sent.tool_choice).toBe('auto');
  });

  test('E5 takes over a changed tool choice', () => {
    const forced = requestOf(openaiChat, { ...body, tool_choice: 'required' });
    const sent = openaiChat.encodeRequest(appended(forced, { ...additions, toolChoice: { type: 'auto' } }), TARGET);
    expect(sent.body.tool_choice).toBe('auto');
  });

  test('allows added tools beside those that the client allows', () => {
    const allowed = [{ type: 'function', function: { name: 'look_up' } }];
    const choice = { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: allowed } };
    const narrowed = appended(requestOf(openaiChat, { ...body, tool_choice: choice }), additions);
    const sent = openaiChat.encodeRequest(narrowed, TARGET);
    expect(sent.body.tool_choice).toMatchObject({
      allowed_tools: { tools: [...allowed, { type: 'function', function: { name: 'server-look' } }] },
    });
    expect(fieldsOf(sent)).toEqual(['tool_choice']);
  });

  test('moves functions to tools when tools are added', () => {
    const legacy = requestOf(openaiChat, {
      model: 'm',
      messages: [{ role: 'user', content: 'x' }],
      functions: [{ name: 'old' }],
    });
    const { body: sent } = openaiChat.encodeRequest(appended(legacy, { tools: [tool('new')] }), TARGET);
    expect(sent.functions).toBeUndefined();
    expect(sent.tools).toMatchObject([{ function: { name: 'old' } }, { function: { name: 'new' } }]);
  });

  test('asks for usage when it streams, and drops stream_options when it does not', () => {
    const streaming = openaiChat.encodeRequest(requestOf(openaiChat, body), { ...TARGET, stream: true });
    expect(streaming.body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    expect(streaming.losses).toMatchObject([{ field: 'stream_options.include_usage', action: 'invented' }]);
    const options = { stream: true, stream_options: { include_usage: true } };
    const whole = openaiChat.encodeRequest(requestOf(openaiChat, { ...body, ...options }), TARGET);
    expect(whole.body.stream).toBe(false);
    expect(whole.body.stream_options).toBeUndefined();
  });

  test('keeps every message, part and tool when the raw body no longer counts', () => {
    const { body: sent } = openaiChat.encodeRequest(
      { ...appended(requestOf(openaiChat, body), {}), raw: undefined },
      TARGET,
    );
    const { messages, tools, metadata } = sent;
    const [fourth, sixth] = Array.isArray(body.messages) ? [body.messages[3], body.messages[5]] : [];
    expect(messages).toMatchObject([
      { role: 'developer', content: 'Answer briefly.' },
      { role: 'user', name: 'ada', content: 'What is on these?' },
      Array.isArray(body.messages) ? body.messages[2] : {},
      {
        reasoning_content: 'I should look it up.',
        tool_calls: [
          isObject(fourth) && Array.isArray(fourth.tool_calls) && fourth.tool_calls[0],
          { id: 'call_2', function: { arguments: '{}' } },
        ],
      },
      { role: 'tool', content: 'a cat' },
      sixth,
      { role: 'assistant', content: 'It is a cat.' },
      { role: 'user', content: 'Thanks. And now?' },
    ]);
    expect(tools).toEqual(body.tools);
    expect(metadata).toEqual(body.metadata);
  });
});

describe('a request of another format', () => {
  test('A8 gives every tool an object schema with properties, and touches nothing else', () => {
    const nested = { type: 'object', properties: { properties: { type: 'object' }, type: { enum: ['a'] } } };
    const { body: sent } = encoded({ tools: [tool('a', {}), tool('b', { type: 'object' }), tool('c', nested)] });
    expect(sent.tools).toMatchObject([
      { function: { parameters: { type: 'object', properties: {} } } },
      { function: { parameters: { type: 'object', properties: {} } } },
      { function: { parameters: nested } },
    ]);
  });

  test('A13 A14 a name that the API refuses is changed everywhere, the same way, and can be told back', () => {
    const long = `server.with/odd names-${'x'.repeat(80)}`;
    const messages: Message[] = [
      user,
      { role: 'assistant', parts: [call('a', long)] },
      { role: 'tool', parts: [result('a', [text('r')])] },
    ];
    const sent = encoded({ messages, tools: [tool(long)], toolChoice: { type: 'tool', name: long } });
    const wire = [...(sent.toolNames ?? [])].find(([, original]) => original === long)?.[0];
    expect(wire).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(sent.body).toMatchObject({
      tools: [{ function: { name: wire } }],
      tool_choice: { function: { name: wire } },
      messages: [{}, { tool_calls: [{ function: { name: wire } }] }, {}],
    });
    expect(problemsIn(sent.body)).toEqual([]);
    expect(encoded({ tools: [tool('fine-name')] }).toolNames).toBeUndefined();
  });

  test('B2 B3 a long id is shortened alike in the call and in its result', () => {
    const id = 'i'.repeat(200);
    const messages: Message[] = [
      user,
      { role: 'assistant', parts: [call(id)] },
      { role: 'tool', parts: [result(id, [text('r')])] },
    ];
    expect(problemsIn(encoded({ messages, tools: [tool('f')] }).body)).toEqual([]);
    const nine = encoded({ messages }, { toolCallId: (given) => `id${given.length}` });
    expect(messagesOf(nine).slice(1)).toMatchObject([{ tool_calls: [{ id: 'id200' }] }, { tool_call_id: 'id200' }]);
  });

  test('B5 results stand behind their calls in call order, whatever came first', () => {
    const messages: Message[] = [
      user,
      { role: 'assistant', parts: [call('a'), call('b')] },
      { role: 'user', parts: [result('b', [text('2')]), result('a', [text('1')]), text('and now?')] },
    ];
    expect(messagesOf(encoded({ messages })).slice(2)).toEqual([
      { role: 'tool', tool_call_id: 'a', content: '1' },
      { role: 'tool', tool_call_id: 'b', content: '2' },
      { role: 'user', content: 'and now?' },
    ]);
  });

  test('B8 an orphan is dropped, an unanswered call is answered, and the ledger says so', () => {
    const messages: Message[] = [
      { role: 'assistant', parts: [call('a')] },
      { role: 'tool', parts: [result('z', [text('?')])] },
      user,
    ];
    const sent = encoded({ messages });
    expect(problemsIn(sent.body)).toEqual([]);
    expect(JSON.stringify(sent.body)).not.toContain('"z"');
    expect(sent.losses).toMatchObject([
      { field: 'messages.1', action: 'invented' },
      { field: 'messages', action: 'dropped' },
    ]);
  });

  test('B12 images in results follow as the user, behind all results', () => {
    const image: Part = { type: 'media', mediaType: 'image/png', source: { type: 'base64', data: 'aW1n' } };
    const messages: Message[] = [
      user,
      { role: 'assistant', parts: [call('a'), call('b')] },
      { role: 'tool', parts: [result('a', [text('seen'), image]), result('b', [text('2')])] },
    ];
    const sent = encoded({ messages, tools: [tool('f')] });
    expect(problemsIn(sent.body)).toEqual([]);
    expect(messagesOf(sent).slice(2)).toMatchObject([
      { role: 'tool', content: expect.stringMatching(/^seen\n\[1 attachment/) },
      { role: 'tool', content: '2' },
      {
        role: 'user',
        content: [{ type: 'text' }, { type: 'image_url', image_url: { url: 'data:image/png;base64,aW1n' } }],
      },
    ]);
    expect(fieldsOf(sent, 'rewritten')).toEqual(['messages.2.content']);
  });

  test.each<[string, Part, object | undefined]>([
    [
      'a PDF',
      { type: 'media', mediaType: 'application/pdf', source: { type: 'base64', data: 'cGRm' } },
      { type: 'file', file: { filename: 'document.pdf', file_data: 'data:application/pdf;base64,cGRm' } },
    ],
    [
      'a text document',
      { type: 'media', mediaType: 'text/plain', source: { type: 'text', text: 'words' } },
      { type: 'text', text: 'words' },
    ],
    [
      'an image address',
      { type: 'media', mediaType: 'image/*', source: { type: 'url', url: 'https://a.example/i' } },
      { type: 'image_url', image_url: { url: 'https://a.example/i' } },
    ],
    [
      'a sound',
      { type: 'media', mediaType: 'audio/mpeg', source: { type: 'base64', data: 'bXAz' } },
      { type: 'input_audio', input_audio: { data: 'bXAz', format: 'mp3' } },
    ],
    [
      "another provider's file",
      { type: 'media', mediaType: 'image/*', source: { type: 'file', id: 'file_1' } },
      undefined,
    ],
  ])('%s becomes a content part, or an entry in the ledger', (_, part, expected) => {
    const sent = encoded({ messages: [{ role: 'user', parts: [text('look'), part] }] });
    const { content } = messagesOf(sent)[0] ?? {};
    if (expected) expect(content).toEqual([{ type: 'text', text: 'look' }, expected]);
    else expect([content, fieldsOf(sent, 'dropped')]).toEqual(['look', ['messages.0.content.1']]);
  });

  test('an error result keeps its text, and gets one when it has none', () => {
    const messages: Message[] = [
      { role: 'assistant', parts: [call('a'), call('b'), call('c')] },
      { role: 'tool', parts: [result('a', [text('broken')], true), result('b', [], true), result('c', [])] },
    ];
    expect(
      messagesOf(encoded({ messages }))
        .slice(1)
        .map(({ content }) => content),
    ).toEqual(['broken', 'Error', '']);
  });

  test('D6 thinking goes back only where the deployment wants it', () => {
    const thought: Part = {
      type: 'reasoning',
      text: 'hm',
      origin: { codec: 'anthropic-messages', block: { type: 'thinking' } },
    };
    const messages: Message[] = [user, { role: 'assistant', parts: [thought, text('so')] }];
    const sent = encoded({ messages });
    expect(messagesOf(sent)[1]).toEqual({ role: 'assistant', content: 'so' });
    expect(fieldsOf(sent, 'dropped')).toEqual(['messages.1.reasoning']);
    const wanted = encoded({ messages }, { reasoningField: 'reasoning_content' });
    expect(messagesOf(wanted)[1]).toEqual({ role: 'assistant', content: 'so', reasoning_content: 'hm' });
    expect(wanted.losses).toEqual([]);
  });

  test('an answer of the same format goes back as history: thinking, images, speech and signatures of calls', () => {
    const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,aW1n' } };
    const signed = {
      id: 'a',
      type: 'function',
      function: { name: 'f', arguments: '{}' },
      extra_content: { google: {} },
    };
    const message = {
      content: 'so',
      reasoning: 'hm',
      images: [image],
      audio: { id: 'audio_1', data: 'YQ' },
      tool_calls: [signed],
    };
    const { parts } = openaiChat.decodeResponse({ choices: [{ message, finish_reason: 'tool_calls' }] });
    expect(messagesOf(encoded({ messages: [user, { role: 'assistant', parts }] }))[1]).toEqual({
      role: 'assistant',
      content: 'so',
      reasoning: 'hm',
      images: [image],
      audio: { id: 'audio_1' },
      tool_calls: [signed],
    });
  });

  test('blocks and tools that exist only elsewhere are dropped with an entry', () => {
    const origin = { codec: 'anthropic-messages', block: { type: 'web_search_20250305', name: 'web_search' } } as const;
    const search: Tool = { type: 'provider', name: 'web_search', origin };
    const messages: Message[] = [user, { role: 'assistant', parts: [{ type: 'opaque', origin }, text('so')] }];
    const sent = encoded({ messages, tools: [search], toolChoice: { type: 'auto' } });
    expect(sent.body.tools).toBeUndefined();
    expect(sent.body.tool_choice).toBeUndefined();
    expect(fieldsOf(sent, 'dropped')).toEqual(['tools.0', 'tool_choice', 'messages.1.content.0']);
  });

  test.each<[string, Settings, Partial<EncodeTarget>, JsonObject, string[]]>([
    ['E1 the limit has the newer name', { maxOutputTokens: 9 }, {}, { max_completion_tokens: 9 }, []],
    ['E2 or the older one', { maxOutputTokens: 9 }, { maxTokensField: 'max_tokens' }, { max_tokens: 9 }, []],
    [
      "a limit above the model's is lowered",
      { maxOutputTokens: 32_000 },
      { maxOutputTokens: 16_384 },
      { max_completion_tokens: 16_384 },
      ['max_completion_tokens'],
    ],
    ['a long user is dropped', { user: 'u'.repeat(65) }, {}, {}, ['user']],
    ['a short one stays', { user: 'u' }, {}, { user: 'u' }, []],
    ['top_k is dropped', { topK: 5 }, {}, {}, ['top_k']],
    [
      'of five stop sequences four stay',
      { stopSequences: ['1', '2', '3', '4', '5'] },
      {},
      { stop: ['1', '2', '3', '4'] },
      ['stop'],
    ],
    ['D15 reasoning is dropped where it is unknown', { reasoning: { effort: 'high' } }, {}, {}, ['reasoning_effort']],
    [
      'effort is kept where it is known',
      { reasoning: { effort: 'low' } },
      { reasoning: true },
      { reasoning_effort: 'low' },
      [],
    ],
    [
      'D14 max becomes high',
      { reasoning: { effort: 'max' } },
      { reasoning: true },
      { reasoning_effort: 'high' },
      ['reasoning_effort'],
    ],
    [
      'adaptive is medium',
      { reasoning: { adaptive: true } },
      { reasoning: true },
      { reasoning_effort: 'medium' },
      ['reasoning_effort'],
    ],
    [
      'adaptive with effort is that effort',
      { reasoning: { adaptive: true, effort: 'high' } },
      { reasoning: true },
      { reasoning_effort: 'high' },
      ['reasoning_effort'],
    ],
    [
      'a small budget is low',
      { reasoning: { budgetTokens: 2_000 }, maxOutputTokens: 32_000 },
      { reasoning: true },
      { reasoning_effort: 'low', max_completion_tokens: 32_000 },
      ['reasoning_effort'],
    ],
    [
      'a middling one medium',
      { reasoning: { budgetTokens: 16_000 }, maxOutputTokens: 32_000 },
      { reasoning: true },
      { reasoning_effort: 'medium', max_completion_tokens: 32_000 },
      ['reasoning_effort'],
    ],
    [
      'a large one high',
      { reasoning: { budgetTokens: 31_999 }, maxOutputTokens: 32_000 },
      { reasoning: true },
      { reasoning_effort: 'high', max_completion_tokens: 32_000 },
      ['reasoning_effort'],
    ],
    ['parallel_tool_calls needs tools', { parallelToolCalls: false }, {}, {}, []],
    [
      'JSON mode stays, and a message says so',
      { responseFormat: { type: 'json-object' } },
      {},
      {
        response_format: { type: 'json_object' },
        messages: [
          { role: 'system', content: 'Answer with a JSON object.' },
          { role: 'user', content: 'hi' },
        ],
      },
      ['messages'],
    ],
    [
      'a schema too',
      { responseFormat: { type: 'json-schema', name: 'n', schema: {} } },
      {},
      { response_format: { type: 'json_schema', json_schema: { name: 'n', schema: {} } } },
      ['response_format.json_schema.name'],
    ],
    [
      'F1 foreign fields are dropped by name',
      { origin: { codec: 'anthropic-messages', block: { context_management: {}, safeguards: [], thinking: {} } } },
      {},
      {},
      ['context_management', 'safeguards'],
    ],
  ])('%s', (_, settings, target, expected, losses) => {
    const sent = encoded({ settings }, target);
    expect(sent.body).toEqual({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }], ...expected });
    expect(fieldsOf(sent)).toEqual(losses);
  });

  test.each<[ChatRequest['toolChoice'], unknown]>([
    [{ type: 'auto' }, 'auto'],
    [{ type: 'none' }, 'none'],
    [{ type: 'required' }, 'required'],
    [
      { type: 'tool', name: 'f' },
      { type: 'function', function: { name: 'f' } },
    ],
    [{ type: 'tool', name: 'gone' }, undefined],
  ])('E4 tool choice %j is %j', (toolChoice, expected) => {
    expect(encoded({ tools: [tool('f')], toolChoice }).body.tool_choice).toEqual(expected);
  });

  test('the same request gives the same bytes', () => {
    const given = {
      messages: [user, { role: 'assistant', parts: [call('x'.repeat(99), 'odd name')] }] satisfies Message[],
    };
    expect(JSON.stringify(encoded(given))).toBe(JSON.stringify(encoded(given)));
  });
});
