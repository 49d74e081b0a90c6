import { describe, expect, test } from 'vitest';
import { anthropicMessages } from '../../../src/codecs/anthropic-messages/index.ts';
import { accountForForeign } from '../../../src/codecs/foreign-fields.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import type { Loss } from '../../../src/model/loss.ts';
import { appended, type Settings } from '../../../src/model/request.ts';
import { call, foreignRequest, requestOf, result, TARGET, text } from './support.ts';

const { decodeRequest, encodeRequest } = anthropicMessages;

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
