import { describe, expect, test } from 'vitest';
import { anthropicMessages } from '../../../src/codecs/anthropic-messages/index.ts';
import type { Part } from '../../../src/model/content.ts';
import { isObject, type JsonObject } from '../../../src/model/json.ts';
import { ask, call, foreignRequest, requestOf, result, sent, text } from './support.ts';

const HELLO: JsonObject = { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'hello' }] };

describe('the conversation of a request of another format', () => {
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
});

const asList = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
