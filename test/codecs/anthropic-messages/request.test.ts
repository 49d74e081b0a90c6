import { describe, expect, test } from 'vitest';
import { anthropicMessages } from '../../../src/codecs/anthropic-messages/index.ts';
import { accountForForeign } from '../../../src/codecs/foreign-fields.ts';
import type { Part } from '../../../src/model/content.ts';
import { isObject, type JsonObject } from '../../../src/model/json.ts';
import type { Loss } from '../../../src/model/loss.ts';
import { appended, type ChatRequest, type Settings } from '../../../src/model/request.ts';
import { foreignRequest, requestOf, TARGET } from './support.ts';

const { decodeRequest, encodeRequest } = anthropicMessages;

const text = (value: string): Part => ({ type: 'text', text: value });
const call = (id: string, name = 'look', input = '{}'): Part => ({ type: 'tool-call', id, name, input });
const result = (callId: string, value = 'ok'): Part => ({
  type: 'tool-result',
  callId,
  content: [text(value)],
  isError: false,
});

const HELLO: JsonObject = { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'hello' }] };

describe('reading a request', () => {
  const REFUSED: readonly (readonly [string, JsonObject, string])[] = [
    ['no messages', {}, 'messages: '],
    ['C18 an empty list of messages', { messages: [] }, 'messages: at least one message is required'],
    ['a role nobody has', { messages: [{ role: 'robot', content: 'x' }] }, 'messages.0.role: '],
    ['content that is a number', { messages: [{ role: 'user', content: 7 }] }, 'messages.0.content: '],
    ['a block that is text', { messages: [{ role: 'user', content: ['x'] }] }, 'messages.0.content.0: '],
    [
      'text that is a number',
      { messages: [{ role: 'user', content: [{ type: 'text', text: 7 }] }] },
      'messages.0.content.0.text: ',
    ],
    [
      'a broken block inside a result',
      {
        messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text' }] }] }],
      },
      'messages.0.content.0.content.0.text: ',
    ],
    ['a tool without a schema', { ...HELLO, tools: [{ name: 'a' }] }, 'tools.0.input_schema: '],
    ['a hot temperature in words', { ...HELLO, temperature: 'hot' }, 'temperature: '],
    ['an unknown tool choice', { ...HELLO, tool_choice: { type: 'some' } }, 'tool_choice.type: '],
    ['system as a number', { ...HELLO, system: 7 }, 'system: '],
  ];

  test.each(REFUSED)('%s is refused with its place', (_what, body, place) => {
    expect(() => decodeRequest(body)).toThrow(
      expect.objectContaining({ kind: 'invalid-request', message: expect.stringContaining(place) }),
    );
  });

  test('every part keeps the block it came from', () => {
    const blocks = [
      { type: 'text', text: 'hi', cache_control: { type: 'ephemeral' } },
      { type: 'image', source: { type: 'url', url: 'https://a/b.png' } },
      { type: 'hologram', shape: 'cube' },
    ];
    const { messages } = decodeRequest({ ...HELLO, messages: [{ role: 'user', content: blocks }] });
    expect(messages[0]?.parts.map((part) => part.origin?.block)).toEqual(blocks);
    expect(messages[0]?.parts.map((part) => part.type)).toEqual(['text', 'media', 'opaque']);
  });

  test('results of tools become a message of their own, ahead of what the user says', () => {
    const { messages } = decodeRequest({
      ...HELLO,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'and now?' },
            { type: 'tool_result', tool_use_id: 'a', content: 'one', is_error: true },
            { type: 'tool_result', tool_use_id: 'b' },
          ],
        },
      ],
    });
    expect(messages.map(({ role }) => role)).toEqual(['tool', 'user']);
    expect(messages[0]?.parts).toMatchObject([
      { callId: 'a', isError: true, content: [{ type: 'text', text: 'one' }] },
      { callId: 'b', isError: false, content: [] },
    ]);
  });

  test('F10 a reference to a found tool says in words what it means', () => {
    const { messages } = decodeRequest({
      ...HELLO,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'a', content: [{ type: 'tool_reference', tool_name: 'WebFetch' }] },
          ],
        },
      ],
    });
    expect(messages[0]?.parts[0]).toMatchObject({ content: [{ text: 'Tool WebFetch is now available.' }] });
  });

  test('a search result of the client is text for other models, told in the ledger, and itself for Claude', () => {
    const block = {
      type: 'search_result',
      source: 'https://a.test/b',
      title: 'A page',
      content: [
        { type: 'text', text: 'one' },
        { type: 'text', text: 'two' },
      ],
    };
    const answered = { type: 'tool_result', tool_use_id: 'a', content: [block] };
    const { messages } = decodeRequest({ ...HELLO, messages: [{ role: 'user', content: [answered, block] }] });
    const told = { type: 'text', text: 'A page\nhttps://a.test/b\none\ntwo' };
    const parts = messages.flatMap((message) => message.parts);
    expect(parts).toMatchObject([{ content: [told] }, told]);
    for (const part of parts) {
      const losses: Loss[] = [];
      accountForForeign({ messages: [{ role: 'user', parts: [part] }], tools: [], settings: {} }, 'gemini', losses);
      expect(losses).toContainEqual(
        expect.objectContaining({ action: 'rewritten', field: 'messages.*.content.*.title' }),
      );
    }
    const { body } = encodeRequest(foreignRequest(messages), TARGET);
    expect(body.messages).toEqual([{ role: 'user', content: expect.arrayContaining([block]) }]);
  });

  test('A17 tools are told apart by type, never by name', () => {
    const { tools } = decodeRequest({
      ...HELLO,
      tools: [
        { name: 'computer', input_schema: { type: 'object' } },
        { type: 'custom', name: 'web_search', input_schema: { type: 'object' } },
        { type: 'web_search_20250305', name: 'search' },
        { name: 'DeferredToolPlaceholder', input_schema: { type: 'object' }, defer_loading: true },
        { name: 'WebFetch', input_schema: { type: 'object' }, defer_loading: true },
      ],
    });
    expect(tools.map(({ type, name }) => [type, name])).toEqual([
      ['function', 'computer'],
      ['function', 'web_search'],
      ['provider', 'search'],
      ['provider', 'DeferredToolPlaceholder'],
      ['function', 'WebFetch'],
    ]);
  });

  const SETTINGS: readonly (readonly [JsonObject, Settings])[] = [
    [
      { max_tokens: 5, temperature: 0.5, top_p: 0.9, top_k: 3 },
      { maxOutputTokens: 5, temperature: 0.5, topP: 0.9, topK: 3 },
    ],
    [{ stop_sequences: ['END'] }, { stopSequences: ['END'] }],
    [{ metadata: { user_id: 'u' } }, { user: 'u' }],
    [{ tool_choice: { type: 'auto', disable_parallel_tool_use: true } }, { parallelToolCalls: false }],
    [{ thinking: { type: 'enabled', budget_tokens: 2000 } }, { reasoning: { budgetTokens: 2000 } }],
    [{ thinking: { type: 'disabled' } }, { reasoning: { effort: 'none' } }],
    [
      { thinking: { type: 'adaptive', display: 'omitted' }, output_config: { effort: 'high' } },
      { reasoning: { adaptive: true, effort: 'high' } },
    ],
    [{ output_config: { effort: 'low' } }, { reasoning: { effort: 'low' } }],
    [
      { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } },
      { responseFormat: { type: 'json-schema', name: 'response', schema: { type: 'object' } } },
    ],
    [
      { output_format: { type: 'json_schema', schema: { type: 'object' } } },
      { responseFormat: { type: 'json-schema', name: 'response', schema: { type: 'object' } } },
    ],
  ];

  test.each(SETTINGS)('%j is read', (fields, settings) => {
    const { max_tokens: _, ...rest } = HELLO;
    const { origin: _origin, ...read } = decodeRequest({ ...rest, ...fields }).settings;
    expect(read).toEqual(settings);
  });

  const CHOICES: readonly (readonly [JsonObject, unknown])[] = [
    [{ type: 'auto' }, { type: 'auto' }],
    [{ type: 'any' }, { type: 'required' }],
    [{ type: 'none' }, { type: 'none' }],
    [
      { type: 'tool', name: 'a' },
      { type: 'tool', name: 'a' },
    ],
  ];

  test.each(CHOICES)('E4 tool choice %j both ways', (wire, choice) => {
    const { toolChoice } = decodeRequest({ ...HELLO, tool_choice: wire });
    expect(toolChoice).toEqual(choice);
    const tools = [{ type: 'function', name: 'a', inputSchema: {}, owner: 'client' }] as const;
    const { body } = encodeRequest(
      foreignRequest([{ role: 'user', parts: [text('x')] }], { tools, toolChoice }),
      TARGET,
    );
    expect(body.tool_choice).toEqual(wire);
  });
});

describe("appending to the client's own body", () => {
  const BODY: JsonObject = {
    model: 'anthropic/claude-x',
    max_tokens: 100,
    stream: true,
    fallbacks: ['openai/gpt-4o'],
    tools: [{ name: 'Bash', input_schema: { type: 'object' }, cache_control: { type: 'ephemeral' } }],
    messages: [{ role: 'user', content: 'hello', novelty: 1 }],
    something_new: { deep: [1, null] },
  };

  test('E10 the gateway-only field is taken out, everything else stays', () => {
    const { fallbacks: _, ...rest } = BODY;
    const { body, losses } = encodeRequest(requestOf(BODY), { model: 'claude-x', stream: true });
    expect(body).toEqual({ ...rest, model: 'claude-x' });
    expect(losses).toEqual([]);
  });

  test("A15 injected tools and the loop's messages stand behind the client's own", () => {
    const request = appended(requestOf(BODY), {
      tools: [{ type: 'function', name: 'time-now', inputSchema: {}, owner: 'gateway' }],
      messages: [
        { role: 'assistant', parts: [call('toolu_1', 'time-now')] },
        { role: 'tool', parts: [result('toolu_1', 'noon')] },
      ],
    });
    const { body } = encodeRequest(request, { model: 'claude-x', stream: true });
    expect(body.tools).toEqual([
      { name: 'Bash', input_schema: { type: 'object' }, cache_control: { type: 'ephemeral' } },
      { name: 'time-now', input_schema: { type: 'object' } },
    ]);
    expect(body.messages).toEqual([
      { role: 'user', content: 'hello', novelty: 1 },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'time-now', input: {} }] },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'noon' }] }],
      },
    ]);
    expect(body.something_new).toEqual({ deep: [1, null] });
  });

  test('E5 a tool choice that the gateway changed goes out changed, its parallel flag kept', () => {
    const given = { ...BODY, tool_choice: { type: 'any', disable_parallel_tool_use: true } };
    const request = appended(requestOf(given), { toolChoice: { type: 'auto' } });
    expect(encodeRequest(request, TARGET).body.tool_choice).toEqual({ type: 'auto', disable_parallel_tool_use: true });
    expect(encodeRequest(requestOf(given), TARGET).body.tool_choice).toEqual(given.tool_choice);
  });

  test('a limit above what the model gives is lowered, and the thinking budget with it', () => {
    const thinking = { type: 'enabled', budget_tokens: 31_999 };
    const { body, losses } = encodeRequest(requestOf({ ...BODY, max_tokens: 32_000, thinking }), {
      ...TARGET,
      maxOutputTokens: 8_000,
    });
    expect(body).toMatchObject({ max_tokens: 8_000, thinking: { type: 'enabled', budget_tokens: 7_999 } });
    expect(losses.map(({ field }) => field)).toEqual(['max_tokens', 'thinking.budget_tokens']);
  });

  test('A16 the model inside a server tool loses the name of its provider too', () => {
    const tools = [{ type: 'advisor_20260301', name: 'advisor', model: 'anthropic/claude-opus' }];
    const { body } = encodeRequest(requestOf({ ...BODY, tools }), TARGET);
    expect(body.tools).toEqual([{ ...tools[0], model: 'claude-opus' }]);
  });

  test("the client's body is not changed", () => {
    const before = structuredClone(BODY);
    const request = appended(requestOf(BODY), {
      tools: [{ type: 'function', name: 'a', inputSchema: {}, owner: 'gateway' }],
      messages: [{ role: 'user', parts: [text('x')] }],
    });
    encodeRequest(request, { ...TARGET, maxOutputTokens: 1 });
    expect(BODY).toEqual(before);
  });

  test('D7 a turn of another model, appended after a fallback, makes a thinking budget impossible', () => {
    const thinking = { type: 'enabled', budget_tokens: 2_000 };
    const request = appended(requestOf({ ...BODY, max_tokens: 4_000, thinking }), {
      messages: [
        { role: 'assistant', parts: [{ type: 'reasoning', text: 'hm' }, call('a')] },
        { role: 'tool', parts: [result('a')] },
      ],
    });
    const { body, losses } = encodeRequest(request, TARGET);
    expect(body.thinking).toBeUndefined();
    expect(losses.map(({ field, action }) => [field, action])).toEqual([
      ['messages.1.content.0', 'dropped'],
      ['thinking', 'dropped'],
    ]);
  });
});

const CLOSED: JsonObject = { type: 'object', properties: {}, additionalProperties: false };

describe('building a body of its own', () => {
  const sent = (request: ChatRequest, target: Partial<Parameters<typeof encodeRequest>[1]> = {}) => {
    const { body, losses, toolNames } = encodeRequest(request, { ...TARGET, ...target });
    return {
      body,
      messages: body.messages,
      losses: losses.map(({ field, action }) => `${action} ${field}`),
      toolNames,
    };
  };
  const ask = (settings: Settings, rest: Partial<ChatRequest> = {}) =>
    foreignRequest([{ role: 'user', parts: [text('x')] }], { settings, ...rest });

  test('leading system messages become the top-level field, later ones are told by the user', () => {
    const { body, losses } = sent(
      foreignRequest([
        { role: 'system', parts: [text('a')] },
        { role: 'system', parts: [text('b')] },
        { role: 'user', parts: [text('c')] },
        { role: 'system', parts: [text('d')] },
      ]),
    );
    expect(body.system).toEqual([
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ]);
    expect(body.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'c' },
          { type: 'text', text: '<system-reminder>\nd\n</system-reminder>' },
        ],
      },
    ]);
    expect(losses).toEqual(['rewritten messages.3.role']);
  });

  test("a system message that the client's own format put in mid-conversation stays there", () => {
    const messages = [
      { role: 'user', content: [{ type: 'text', text: 'a' }] },
      { role: 'system', content: [{ type: 'text', text: 'b' }] },
    ];
    expect(sent(requestOf({ ...HELLO, messages }, { raw: false })).messages).toEqual(messages);
  });

  test('B6 consecutive tool messages become one user message, ahead of the text', () => {
    const { messages } = sent(
      foreignRequest([
        { role: 'user', parts: [text('go')] },
        { role: 'assistant', parts: [call('a'), call('b')] },
        { role: 'tool', parts: [result('a')] },
        { role: 'user', parts: [text('hurry')] },
        { role: 'tool', parts: [result('b')] },
      ]),
    );
    expect(messages).toMatchObject([
      { role: 'user' },
      { role: 'assistant', content: [{ id: 'a' }, { id: 'b' }] },
      { role: 'user', content: [{ tool_use_id: 'a' }, { tool_use_id: 'b' }, { text: 'hurry' }] },
    ]);
  });

  test('B5 results stand in call order, whatever came first', () => {
    const { messages } = sent(
      foreignRequest([
        { role: 'user', parts: [text('go')] },
        { role: 'assistant', parts: [call('a'), call('b')] },
        { role: 'tool', parts: [result('b'), result('a')] },
      ]),
    );
    expect(messages).toMatchObject([{}, {}, { content: [{ tool_use_id: 'a' }, { tool_use_id: 'b' }] }]);
  });

  test('B7 neighbours of one role become one message', () => {
    const { messages } = sent(
      foreignRequest([
        { role: 'user', parts: [text('a')] },
        { role: 'user', parts: [text('b')] },
        { role: 'assistant', parts: [text('c')] },
        { role: 'assistant', parts: [call('d')] },
        { role: 'tool', parts: [result('d')] },
      ]),
    );
    expect(messages).toMatchObject([
      { role: 'user', content: [{ text: 'a' }, { text: 'b' }] },
      { role: 'assistant', content: [{ text: 'c' }, { id: 'd' }] },
      { role: 'user', content: [{ tool_use_id: 'd' }] },
    ]);
  });

  test('B8 an unanswered call gets an error as its result, an orphan result is dropped, and both are told', () => {
    const { messages, losses } = sent(
      foreignRequest([
        { role: 'user', parts: [text('go')] },
        { role: 'assistant', parts: [call('a')] },
        { role: 'tool', parts: [result('lost')] },
        { role: 'assistant', parts: [text('hm')] },
        { role: 'user', parts: [text('go on')] },
      ]),
    );
    expect(messages).toMatchObject([
      {},
      {},
      { content: [{ tool_use_id: 'a', is_error: true }] },
      { content: [{ text: 'hm' }] },
      {},
    ]);
    expect(losses).toEqual(['invented messages', 'dropped messages.2.content.0']);
  });

  const BLANKS = ['', ' ', '\n\t', '\u200b', '\ufeff \u00ad', '\u200d'];
  test.each(BLANKS)('B9 B10 the empty text %j is left out, without a placeholder', (blank) => {
    const { messages, losses } = sent(
      foreignRequest([
        { role: 'user', parts: [text('go')] },
        { role: 'assistant', parts: [text(blank), call('a')] },
        { role: 'tool', parts: [result('a', blank)] },
      ]),
    );
    expect(messages).toMatchObject([{}, { content: [{ type: 'tool_use' }] }, { content: [{ content: [] }] }]);
    expect(losses).toEqual(['dropped messages.1.content.0', 'dropped messages.2.content.0.content.0']);
  });

  test('B1 B3 odd ids are rewritten in the call and in its result alike', () => {
    const odd = 'call_abc.def:1/|x';
    const request = foreignRequest([
      { role: 'user', parts: [text('go')] },
      { role: 'assistant', parts: [call(odd)] },
      { role: 'tool', parts: [result(odd)] },
    ]);
    expect(sent(request).messages).toMatchObject([
      {},
      { content: [{ id: 'call_abc_def_1__x' }] },
      { content: [{ tool_use_id: 'call_abc_def_1__x' }] },
    ]);
    expect(sent(request)).toEqual(sent(request));
    expect(sent(request, { toolCallId: () => 'nine' }).messages).toMatchObject([
      {},
      { content: [{ id: 'nine' }] },
      { content: [{ tool_use_id: 'nine' }] },
    ]);
  });

  test('two calls with one id stay two calls', () => {
    const { messages } = sent(
      foreignRequest([
        { role: 'user', parts: [text('go')] },
        { role: 'assistant', parts: [call('look'), call('look')] },
        { role: 'tool', parts: [result('look', '1'), result('look', '2')] },
      ]),
    );
    expect(messages).toMatchObject([
      {},
      { content: [{ id: 'look' }, { id: 'look_2' }] },
      {
        content: [
          { tool_use_id: 'look', content: [{ text: '1' }] },
          { tool_use_id: 'look_2', content: [{ text: '2' }] },
        ],
      },
    ]);
  });

  test('D7 D9 thinking of another model and unsigned thinking are dropped, and that is told', () => {
    const unsigned = { type: 'thinking', thinking: 'a', signature: '' };
    const { messages, losses } = sent(
      foreignRequest([
        { role: 'user', parts: [text('go')] },
        {
          role: 'assistant',
          parts: [
            { type: 'reasoning', text: 'b' },
            { type: 'reasoning', text: 'a', origin: { codec: 'anthropic-messages', block: unsigned } },
            text('c'),
          ],
        },
        { role: 'user', parts: [text('on')] },
      ]),
    );
    expect(messages).toMatchObject([{}, { content: [{ text: 'c' }] }, {}]);
    expect(losses).toEqual(['dropped messages.*.content.*']);
  });

  test('D8 D10 signed and redacted thinking goes back exactly as it came', () => {
    const content = [
      { signature: 'c2ln', thinking: ' spaced \n', type: 'thinking', extra: 1 },
      { type: 'redacted_thinking', data: 'eA==' },
      { type: 'thinking', thinking: '', signature: 'b25seQ==' },
      { type: 'text', text: 'x' },
    ];
    const body = { ...HELLO, messages: [...asList(HELLO.messages), { role: 'assistant', content }] };
    const { messages, losses } = sent(requestOf(body, { raw: false }));
    expect(JSON.stringify(asList(messages)[1])).toBe(JSON.stringify({ role: 'assistant', content }));
    expect(losses).toEqual([]);
  });

  test('A13 A14 a name that this format does not take is changed everywhere, and can be changed back', () => {
    const long = `files.${'x'.repeat(150)}`;
    const { body, toolNames } = sent(
      foreignRequest(
        [
          { role: 'user', parts: [text('go')] },
          { role: 'assistant', parts: [call('a', long)] },
          { role: 'tool', parts: [result('a')] },
        ],
        {
          tools: [{ type: 'function', name: long, inputSchema: {}, owner: 'client' }],
          toolChoice: { type: 'tool', name: long },
        },
      ),
    );
    const [[short, original] = []] = [...(toolNames ?? [])];
    expect(original).toBe(long);
    expect(short).toMatch(/^[a-zA-Z0-9_-]{1,128}$/);
    expect(body).toMatchObject({
      tools: [{ name: short }],
      tool_choice: { name: short },
      messages: [{}, { content: [{ name: short }] }, {}],
    });
    const answer = anthropicMessages.decodeResponse(
      { id: 'msg_1', content: [{ type: 'tool_use', id: 'a', name: short, input: {} }] },
      { ...(toolNames && { toolNames }) },
    );
    expect(answer.parts).toMatchObject([{ name: long }]);
  });

  test('arguments that are no JSON stay readable, and that is told', () => {
    const { messages, losses } = sent(
      foreignRequest([
        { role: 'user', parts: [text('go')] },
        { role: 'assistant', parts: [call('a', 'look', '{"path": ')] },
        { role: 'tool', parts: [result('a')] },
      ]),
    );
    expect(messages).toMatchObject([{}, { content: [{ input: { arguments: '{"path": ' } }] }, {}]);
    expect(losses).toEqual(['rewritten messages.1.content.0.input']);
  });

  const MEDIA: readonly (readonly [Part, unknown])[] = [
    [
      { type: 'media', mediaType: 'image/jpg', source: { type: 'base64', data: 'aa' } },
      { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: 'aa' } },
    ],
    [
      { type: 'media', mediaType: 'image/*', source: { type: 'url', url: 'https://a/b' } },
      { type: 'image', source: { type: 'url', url: 'https://a/b' } },
    ],
    [
      { type: 'media', mediaType: 'application/pdf', source: { type: 'base64', data: 'aa' }, name: 'a.pdf' },
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'aa' }, title: 'a.pdf' },
    ],
    [
      { type: 'media', mediaType: 'text/csv', source: { type: 'base64', data: 'YSxi' } },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a,b' } },
    ],
    [
      { type: 'media', mediaType: 'text/plain', source: { type: 'text', text: 'a' } },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a' } },
    ],
    [
      { type: 'media', mediaType: 'image/*', source: { type: 'file', id: 'f' } },
      { type: 'image', source: { type: 'file', file_id: 'f' } },
    ],
  ];

  test.each(MEDIA)('%j is written', (part, block) => {
    expect(sent(foreignRequest([{ role: 'user', parts: [part] }])).messages).toEqual([
      { role: 'user', content: [block] },
    ]);
  });

  test('sound is dropped, and that is told', () => {
    const part: Part = { type: 'media', mediaType: 'audio/wav', source: { type: 'base64', data: 'aa' } };
    expect(sent(foreignRequest([{ role: 'user', parts: [text('x'), part] }])).losses).toEqual([
      'dropped messages.0.content.1',
    ]);
  });

  test('B14 an address that only another provider can read is refused in clear words', () => {
    const part: Part = { type: 'media', mediaType: 'image/*', source: { type: 'url', url: 'gs://bucket/a.png' } };
    expect(() => sent(foreignRequest([{ role: 'user', parts: [part] }]))).toThrow(
      expect.objectContaining({ kind: 'invalid-request', message: expect.stringContaining('gs address') }),
    );
  });

  test('A8 a tool without arguments gets an object schema', () => {
    const tools = [{ type: 'function', name: 'a', description: 'd', inputSchema: {}, owner: 'client' }] as const;
    expect(sent(ask({ maxOutputTokens: 9 }, { tools })).body.tools).toEqual([
      { name: 'a', description: 'd', input_schema: { type: 'object' } },
    ]);
  });

  test('A20 calls one at a time', () => {
    const tools = [{ type: 'function', name: 'a', inputSchema: {}, owner: 'client' }] as const;
    const { body } = sent(ask({ maxOutputTokens: 9, parallelToolCalls: false }, { tools }));
    expect(body.tool_choice).toEqual({ type: 'auto', disable_parallel_tool_use: true });
  });

  test("a tool or a block of another format's own is dropped, and that is told", () => {
    const origin = { codec: 'openai-chat', block: { type: 'refusal' } } as const;
    const { body, losses } = sent(
      foreignRequest([{ role: 'user', parts: [text('x'), { type: 'opaque', origin }] }], {
        tools: [{ type: 'provider', name: 'web', origin }],
      }),
    );
    expect(body.tools).toBeUndefined();
    expect(losses).toEqual(['dropped messages.0.content.1', 'dropped tools.0']);
  });

  test('a conversation of nothing but system messages is asked by the user', () => {
    const { body, losses } = sent(foreignRequest([{ role: 'system', parts: [text('a')] }]));
    expect(body).toMatchObject({ messages: [{ role: 'user', content: [{ text: 'a' }] }] });
    expect(body.system).toBeUndefined();
    expect(losses).toEqual(['rewritten system']);
  });

  test('a conversation that the assistant began gets a beginning', () => {
    const { messages, losses } = sent(foreignRequest([{ role: 'assistant', parts: [text('hi ')] }]));
    expect(messages).toMatchObject([{ role: 'user' }, { role: 'assistant', content: [{ text: 'hi' }] }]);
    expect(losses).toEqual(['invented messages.0', 'rewritten messages.1.content.0.text']);
  });

  type Row = readonly [string, Settings, Partial<Parameters<typeof encodeRequest>[1]>, JsonObject, readonly string[]];
  const thinks = { reasoning: true };
  const PARAMETERS: readonly Row[] = [
    ['no limit: 4096', {}, {}, { max_tokens: 4_096 }, ['invented max_tokens']],
    ['no limit: the model’s', {}, { maxOutputTokens: 64_000 }, { max_tokens: 64_000 }, ['invented max_tokens']],
    [
      'too high a limit',
      { maxOutputTokens: 9_000 },
      { maxOutputTokens: 8_000 },
      { max_tokens: 8_000 },
      ['rewritten max_tokens'],
    ],
    [
      'temperature above 1',
      { maxOutputTokens: 9, temperature: 1.5 },
      {},
      { max_tokens: 9, temperature: 1 },
      ['rewritten temperature'],
    ],
    [
      'temperature beside top_p',
      { maxOutputTokens: 9, temperature: 1, topP: 0.5 },
      {},
      { max_tokens: 9, temperature: 1 },
      ['dropped top_p'],
    ],
    [
      'stop sequences',
      { maxOutputTokens: 9, stopSequences: ['END', '\n'] },
      {},
      { max_tokens: 9, stop_sequences: ['END'] },
      ['dropped stop_sequences'],
    ],
    ['a user', { maxOutputTokens: 9, user: 'u' }, {}, { max_tokens: 9, metadata: { user_id: 'u' } }, []],
    [
      'what does not exist here',
      { maxOutputTokens: 9, seed: 1, presencePenalty: 1, frequencyPenalty: 1 },
      {},
      { max_tokens: 9 },
      ['dropped seed', 'dropped presence_penalty', 'dropped frequency_penalty'],
    ],
    [
      'a schema',
      { maxOutputTokens: 9, responseFormat: { type: 'json-schema', name: 'n', schema: CLOSED } },
      {},
      { max_tokens: 9, output_config: { format: { type: 'json_schema', schema: CLOSED } } },
      [],
    ],
    [
      'JSON without a schema',
      { maxOutputTokens: 9, responseFormat: { type: 'json-object' } },
      {},
      { max_tokens: 9 },
      ['dropped response_format'],
    ],
    [
      'D15 effort, for a model not known to think',
      { maxOutputTokens: 9_000, reasoning: { effort: 'high' } },
      {},
      { max_tokens: 9_000 },
      ['dropped thinking'],
    ],
    ['effort none', { maxOutputTokens: 9, reasoning: { effort: 'none' } }, thinks, { max_tokens: 9 }, []],
    [
      'effort as a budget',
      { maxOutputTokens: 11_024, reasoning: { effort: 'high' } },
      thinks,
      { max_tokens: 11_024, thinking: { type: 'enabled', budget_tokens: 9_024 } },
      ['rewritten thinking'],
    ],
    [
      'a budget without a limit',
      { reasoning: { budgetTokens: 10_000 } },
      thinks,
      { max_tokens: 14_096, thinking: { type: 'enabled', budget_tokens: 10_000 } },
      ['invented max_tokens'],
    ],
    [
      'adaptive with effort',
      { maxOutputTokens: 9, reasoning: { adaptive: true, effort: 'max' } },
      thinks,
      { max_tokens: 9, thinking: { type: 'adaptive' }, output_config: { effort: 'max' } },
      ['rewritten thinking'],
    ],
    [
      'D14 an effort below the least',
      { maxOutputTokens: 9, reasoning: { adaptive: true, effort: 'minimal' } },
      thinks,
      { max_tokens: 9, thinking: { type: 'adaptive' }, output_config: { effort: 'low' } },
      ['rewritten thinking', 'rewritten output_config.effort'],
    ],
    [
      'D12 a budget above the limit',
      { maxOutputTokens: 2_000, reasoning: { budgetTokens: 5_000 } },
      thinks,
      { max_tokens: 2_000, thinking: { type: 'enabled', budget_tokens: 1_999 } },
      ['rewritten thinking.budget_tokens'],
    ],
    [
      'D12 a budget below the least',
      { maxOutputTokens: 2_000, reasoning: { budgetTokens: 10 } },
      thinks,
      { max_tokens: 2_000, thinking: { type: 'enabled', budget_tokens: 1_024 } },
      ['rewritten thinking.budget_tokens'],
    ],
    [
      'D12 no room to think',
      { maxOutputTokens: 512, reasoning: { budgetTokens: 1_024 } },
      thinks,
      { max_tokens: 512 },
      ['dropped thinking'],
    ],
    [
      'temperature beside thinking',
      { maxOutputTokens: 2_000, temperature: 0, topK: 3, reasoning: { budgetTokens: 1_024 } },
      thinks,
      { max_tokens: 2_000, thinking: { type: 'enabled', budget_tokens: 1_024 } },
      ['dropped temperature', 'dropped top_k'],
    ],
  ];

  test.each(PARAMETERS)('settings: %s', (_what, settings, target, fields, entries) => {
    const { body, losses } = sent(ask(settings), target);
    const { model: _model, messages: _messages, ...rest } = body;
    expect(rest).toEqual(fields);
    expect(losses).toEqual(entries);
  });

  test('D16 a forced tool choice gives way to thinking', () => {
    const { body, losses } = sent(
      ask(
        { maxOutputTokens: 4_000, reasoning: { budgetTokens: 2_000 } },
        {
          tools: [{ type: 'function', name: 'a', inputSchema: { type: 'object' }, owner: 'client' }],
          toolChoice: { type: 'tool', name: 'a' },
        },
      ),
      thinks,
    );
    expect(body).toMatchObject({ tool_choice: { type: 'auto' }, thinking: { type: 'enabled' } });
    expect(losses).toEqual(['rewritten tool_choice']);
  });
});

const asList = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
