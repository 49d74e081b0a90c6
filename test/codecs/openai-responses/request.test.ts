import { describe, expect, test } from 'vitest';
import { codecs } from '../../../src/codecs/index.ts';
import { openaiResponses } from '../../../src/codecs/openai-responses/index.ts';
import { refuseStoredState } from '../../../src/codecs/openai-responses/stored-state.ts';
import type { Message } from '../../../src/model/content.ts';
import { GatewayError } from '../../../src/model/errors.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import { appended, type ChatRequest } from '../../../src/model/request.ts';
import { requestOf } from '../requests.ts';

const target = { model: 'upstream', stream: false } as const;
const decode = (body: JsonObject) => openaiResponses.decodeRequest({ model: 'm', ...body });
const anew = (body: JsonObject): ChatRequest => ({
  ...appended(requestOf(openaiResponses, { model: 'm', ...body }), {}),
  raw: undefined,
});
/** A request that came in another format. */
const foreign = (messages: readonly Message[], rest: Partial<ChatRequest> = {}): ChatRequest => ({
  model: 'm',
  stream: false,
  fallbacks: [],
  messages,
  tools: [],
  settings: {},
  untouched: false,
  ...rest,
});
const user: Message = { role: 'user', parts: [{ type: 'text', text: 'x' }] };

describe("a client's input", () => {
  test('may be a text', () => {
    expect(decode({ input: 'Hi', instructions: 'Be brief.' }).messages).toMatchObject([
      { role: 'system', parts: [{ text: 'Be brief.' }] },
      { role: 'user', parts: [{ text: 'Hi' }] },
    ]);
  });

  test('D11 thinking, text and parallel calls are one turn, their outputs the next message', () => {
    const { messages } = decode({
      input: [
        { role: 'developer', content: 'Rules' },
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'look' },
            { type: 'input_image', image_url: 'data:image/png;base64,AAAA' },
          ],
        },
        { id: 'rs_1', type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm' }], encrypted_content: 'e' },
        {
          id: 'msg_1',
          type: 'message',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'ok', annotations: [] }],
        },
        { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' },
        { type: 'custom_tool_call', call_id: 'b', name: 'patch', input: 'p' },
        { type: 'custom_tool_call_output', call_id: 'b', output: 'done' },
        { type: 'function_call_output', call_id: 'a', output: [{ type: 'input_text', text: 'one' }] },
        { id: 'ws_1', type: 'web_search_call' },
      ],
    });
    expect(messages).toMatchObject([
      { role: 'system', parts: [{ text: 'Rules' }] },
      { role: 'user', parts: [{ text: 'look' }, { type: 'media', mediaType: 'image/png', source: { data: 'AAAA' } }] },
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', text: 'Hm' },
          { type: 'text', text: 'ok' },
          { type: 'tool-call', id: 'a', name: 'f' },
          { type: 'tool-call', id: 'b', name: '::patch', input: '{"input":"p"}' },
        ],
      },
      { role: 'tool', parts: [{ callId: 'b' }, { callId: 'a', content: [{ text: 'one' }] }] },
      { role: 'assistant', parts: [{ type: 'opaque' }] },
    ]);
  });

  test.each<[string, JsonObject, string]>([
    ['no input', {}, 'input'],
    ['a number as input', { input: 5 }, 'input'],
    ['an output without a call', { input: [{ type: 'function_call_output', output: 'x' }] }, 'input.0.call_id'],
    [
      'a text part without text',
      { input: [{ role: 'user', content: [{ type: 'input_text' }] }] },
      'input.0.content.0.text',
    ],
    ['a function without a name', { input: 'x', tools: [{ type: 'function' }] }, 'tools.0.name'],
    ['a namespace without tools', { input: 'x', tools: [{ type: 'namespace', name: 'n' }] }, 'tools.0.tools'],
    ['words as a limit', { input: 'x', max_output_tokens: 'many' }, 'max_output_tokens'],
  ])('with %s is refused, and the place is named', (_, body, param) => {
    expect(() => decode(body)).toThrow(GatewayError);
    expect(() => decode(body)).toThrow(expect.objectContaining({ kind: 'invalid-request', details: { param } }));
  });

  test('settings are read where other formats have them', () => {
    const { settings } = decode({
      input: 'x',
      max_output_tokens: 100,
      temperature: 0.5,
      reasoning: { effort: 'high', summary: 'auto' },
      text: { format: { type: 'json_schema', name: 'n', schema: { type: 'object' }, strict: true }, verbosity: 'low' },
      parallel_tool_calls: false,
      user: 'u',
    });
    expect(settings).toMatchObject({
      maxOutputTokens: 100,
      temperature: 0.5,
      reasoning: { effort: 'high' },
      responseFormat: { type: 'json-schema', name: 'n', strict: true },
      parallelToolCalls: false,
      user: 'u',
    });
  });

  test.each<[JsonObject[string], unknown]>([
    ['auto', { type: 'auto' }],
    ['required', { type: 'required' }],
    [
      { type: 'function', name: 'f' },
      { type: 'tool', name: 'f' },
    ],
    [
      { type: 'custom', name: 'patch' },
      { type: 'tool', name: '::patch' },
    ],
    [{ type: 'file_search' }, undefined],
  ])('tool choice %j', (tool_choice, expected) => {
    const body = {
      input: 'x',
      tools: [
        { type: 'function', name: 'f' },
        { type: 'custom', name: 'patch' },
      ],
      tool_choice,
    };
    expect(decode(body).toolChoice).toEqual(expected);
    expect(openaiResponses.encodeRequest(anew(body), target).body.tool_choice).toEqual(tool_choice);
  });

  test('allowed tools are the tools that others are offered; one of ours is allowed too', () => {
    const tools = ['f', 'g'].map((name) => ({ type: 'function', name, parameters: {} }));
    const tool_choice = { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'g' }] };
    const request = requestOf(openaiResponses, { model: 'm', input: 'x', tools, tool_choice });
    expect(request.tools.map(({ name }) => name)).toEqual(['g']);
    const more = appended(request, { tools: [{ type: 'function', name: 'h', inputSchema: {}, owner: 'gateway' }] });
    const { body } = openaiResponses.encodeRequest(more, target);
    expect(body.tools).toMatchObject([{ name: 'f' }, { name: 'g' }, { name: 'h' }]);
    expect(body.tool_choice).toMatchObject({
      mode: 'required',
      tools: [{ name: 'g' }, { type: 'function', name: 'h' }],
    });
  });
});

describe('what goes to a provider', () => {
  const call = { type: 'tool-call', id: 'call_1', name: 'f', input: '{"a":1}' } as const;
  const result = {
    type: 'tool-result',
    callId: 'call_1',
    content: [{ type: 'text', text: 'ok' }],
    isError: false,
  } as const;

  test('leading system messages become instructions, and nothing is stored', () => {
    const system: Message = { role: 'system', parts: [{ type: 'text', text: 'Rules' }] };
    const { body } = openaiResponses.encodeRequest(foreign([system, user]), target);
    expect(body).toEqual({
      model: 'upstream',
      store: false,
      instructions: 'Rules',
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'x' }] }],
    });
  });

  test('B16 items hold the fields of their kind only', () => {
    const messages: Message[] = [
      user,
      { role: 'assistant', parts: [{ type: 'text', text: 'I look.' }, call] },
      { role: 'tool', parts: [result] },
    ];
    expect(openaiResponses.encodeRequest(foreign(messages), target).body.input).toEqual([
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'x' }] },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'I look.', annotations: [] }] },
      { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{"a":1}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'ok' },
    ]);
  });

  test('B2 a call id longer than 64 is cut to one that fits, the same for call and output', () => {
    const id = `call_${'x'.repeat(80)}`;
    const messages: Message[] = [
      user,
      { role: 'assistant', parts: [{ ...call, id }] },
      { role: 'tool', parts: [{ ...result, callId: id }] },
    ];
    const { body, losses } = openaiResponses.encodeRequest(foreign(messages), target);
    const [, made, answered] = Array.isArray(body.input) ? body.input : [];
    expect(made).toMatchObject({ call_id: expect.stringMatching(/^.{64}$/) });
    expect((answered as JsonObject).call_id).toBe((made as JsonObject).call_id);
    expect(losses).toContainEqual(expect.objectContaining({ field: 'input.1.call_id', action: 'rewritten' }));
  });

  test('B12 an image in a result stays in the output', () => {
    const image = { type: 'media', mediaType: 'image/png', source: { type: 'base64', data: 'AAAA' } } as const;
    const messages: Message[] = [
      user,
      { role: 'assistant', parts: [call] },
      { role: 'tool', parts: [{ ...result, content: [{ type: 'text', text: 'see' }, image] }] },
    ];
    const { body } = openaiResponses.encodeRequest(foreign(messages), target);
    expect(Array.isArray(body.input) && body.input[2]).toEqual({
      type: 'function_call_output',
      call_id: 'call_1',
      output: [
        { type: 'input_text', text: 'see' },
        { type: 'input_image', detail: 'auto', image_url: 'data:image/png;base64,AAAA' },
      ],
    });
  });

  test('an unanswered call gets an output that says so, an output without a call is left out', () => {
    const messages: Message[] = [
      { role: 'tool', parts: [{ ...result, callId: 'stray' }] },
      { role: 'assistant', parts: [call] },
      user,
    ];
    const { body, losses } = openaiResponses.encodeRequest(foreign(messages), target);
    expect(body.input).toMatchObject([{ type: 'function_call' }, { type: 'function_call_output' }, { role: 'user' }]);
    expect(losses.map(({ action }) => action)).toEqual(['invented', 'dropped', 'invented']);
  });

  test('E1 the limit has its own name, at least 16, and at most what the model gives', () => {
    const limited = (maxOutputTokens: number) =>
      openaiResponses.encodeRequest(foreign([user], { settings: { maxOutputTokens } }), {
        ...target,
        maxOutputTokens: 500,
      }).body;
    expect(limited(1)).toMatchObject({ max_output_tokens: 16 });
    expect(limited(100)).toMatchObject({ max_output_tokens: 100 });
    expect(limited(9_000)).toMatchObject({ max_output_tokens: 500 });
  });

  test('settings without a counterpart stand in the ledger', () => {
    const settings = { topK: 5, stopSequences: ['x'], seed: 1, reasoning: { effort: 'low' } } as const;
    const { body, losses } = openaiResponses.encodeRequest(foreign([user], { settings }), {
      ...target,
      reasoning: true,
    });
    expect(losses.map(({ field }) => field)).toEqual([
      'top_k',
      'stop',
      'seed',
      'store',
      'reasoning.summary',
      'include',
    ]);
    expect(body).toMatchObject({
      reasoning: { effort: 'low', summary: 'auto' },
      include: ['reasoning.encrypted_content'],
    });
  });

  test('D11 thinking of its own goes back as it came and in its place, that of others does not', () => {
    const item = { id: 'rs_1', type: 'reasoning', encrypted_content: 'e', extra: 1 };
    const own = { type: 'reasoning', text: '', origin: { codec: 'openai-responses', block: item } } as const;
    const other = {
      type: 'reasoning',
      text: 'Hm',
      origin: { codec: 'anthropic-messages', block: { signature: 's' } },
    } as const;
    const messages: Message[] = [
      user,
      { role: 'assistant', parts: [own, other, call] },
      { role: 'tool', parts: [result] },
    ];
    const { body, losses } = openaiResponses.encodeRequest(foreign(messages), target);
    expect(Array.isArray(body.input) && body.input.slice(1, 3)).toMatchObject([
      { ...item, summary: [] },
      { type: 'function_call' },
    ]);
    expect(losses).toContainEqual(
      expect.objectContaining({ action: 'dropped', reason: expect.stringContaining('made it') }),
    );
  });

  test('D11 where nothing is stored, a loop asks for encrypted thinking and leaves out what is not', () => {
    const request = appended(requestOf(openaiResponses, { model: 'm', input: 'x', store: false }), {
      tools: [{ type: 'function', name: 't', inputSchema: {}, owner: 'gateway' }],
      messages: [
        {
          role: 'assistant',
          parts: [
            {
              type: 'reasoning',
              text: '',
              origin: { codec: 'openai-responses', block: { id: 'rs_1', type: 'reasoning' } },
            },
            call,
          ],
        },
        { role: 'tool', parts: [result] },
      ],
    });
    const { body, losses } = openaiResponses.encodeRequest(request, { ...target, reasoning: true });
    expect(body.include).toEqual(['reasoning.encrypted_content']);
    expect(JSON.stringify(body.input)).not.toContain('rs_1');
    expect(losses.map(({ field, action }) => [field, action])).toEqual(
      expect.arrayContaining([
        ['input.1', 'dropped'],
        ['include', 'invented'],
      ]),
    );
  });

  test('B17 a compacted conversation goes on as it is', () => {
    const compaction = { type: 'compaction', id: 'cmp_1', encrypted_content: 'e' };
    const { body } = openaiResponses.encodeRequest(
      anew({ input: [compaction, { role: 'user', content: 'x' }] }),
      target,
    );
    expect(Array.isArray(body.input) && body.input[0]).toEqual(compaction);
  });

  test('outputs whose calls the provider has stay where they are', () => {
    const output = { type: 'function_call_output', call_id: 'c', output: 'x' };
    const { body } = openaiResponses.encodeRequest(anew({ previous_response_id: 'resp_1', input: [output] }), target);
    expect(body).toMatchObject({ previous_response_id: 'resp_1', input: [output] });
  });
});

describe('what a provider has stored', () => {
  test.each<[string, JsonObject]>([
    ['previous_response_id', { input: 'x', previous_response_id: 'resp_1' }],
    ['conversation', { input: 'x', conversation: 'conv_1' }],
    ['item_reference', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
    ['compaction', { input: [{ type: 'compaction', encrypted_content: 'e' }] }],
  ])('%s is refused by name where another format is spoken', (name, body) => {
    const request = anew(body);
    for (const id of ['openai-chat', 'anthropic-messages'] as const) {
      expect(() => refuseStoredState(request, codecs[id].id)).toThrow(GatewayError);
      expect(() => refuseStoredState(request, id)).toThrow(name);
    }
    expect(() => refuseStoredState(request, 'openai-responses')).not.toThrow();
  });
});
