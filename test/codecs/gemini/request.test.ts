import { describe, expect, test } from 'vitest';
import { gemini } from '../../../src/codecs/gemini/index.ts';
import type { Message, ToolCallPart, ToolResultPart } from '../../../src/model/content.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import { appended, type ChatRequest, type FunctionTool, type Settings } from '../../../src/model/request.ts';
import { problemsIn } from '../gemini-body.ts';
import { fixture, foreignRequest, objects, requestOf, TARGET } from './support.ts';

const given: JsonObject = JSON.parse(fixture('request.json'));
const user = (text: string): Message => ({ role: 'user', parts: [{ type: 'text', text }] });
const call = (id: string, name = 'f', more: Partial<ToolCallPart> = {}): ToolCallPart => ({
  type: 'tool-call',
  id,
  name,
  input: '{"a":1}',
  ...more,
});
const result = (callId: string, text = 'ok', more: Partial<ToolResultPart> = {}): ToolResultPart => ({
  type: 'tool-result',
  callId,
  content: [{ type: 'text', text }],
  isError: false,
  ...more,
});
const tool = (name: string): FunctionTool => ({
  type: 'function',
  name,
  inputSchema: { type: 'object', properties: { a: { type: 'integer' } } },
  owner: 'client',
});

function sent(messages: readonly Message[], rest: Partial<ChatRequest> = {}, target = {}) {
  const encoded = gemini.encodeRequest(foreignRequest(messages, rest), { ...TARGET, ...target });
  expect(problemsIn(encoded.body)).toEqual([]);
  return { ...encoded, contents: objects(encoded.body.contents) };
}

describe('a client’s request', () => {
  const { messages, tools, toolChoice, settings } = gemini.decodeRequest(given);

  test('is messages made of parts', () => {
    const shown = messages.map(({ role, parts }) => [role, ...parts.map(({ type }) => type)]);
    expect(shown).toEqual([
      ['system', 'text'],
      ['user', 'text', 'media', 'media'],
      ['assistant', 'reasoning', 'tool-call', 'tool-call', 'opaque'],
      ['tool', 'tool-result', 'tool-result'],
      ['user', 'text'],
    ]);
    expect(messages[1]?.parts).toMatchObject([
      {},
      { mediaType: 'image/png', source: { type: 'base64', data: 'iVBORw0KGgo=' } },
      { mediaType: 'application/pdf', source: { type: 'url', url: 'https://example.com/a.pdf' } },
    ]);
  });

  test('ties calls and results without ids together, in order', () => {
    const ids = messages.flatMap(({ parts }) => parts.flatMap((part) => (part.type === 'tool-call' ? [part.id] : [])));
    const answered = messages[3]?.parts.map((part) => part.type === 'tool-result' && [part.callId, part.isError]);
    expect(new Set(ids).size).toBe(2);
    expect(answered).toEqual([
      [ids[0], false],
      [ids[1], true],
    ]);
    expect(messages[3]?.parts).toMatchObject([{ content: [{ text: 'rain' }] }, { content: [{ text: 'no station' }] }]);
    expect(ids).toEqual(
      gemini.decodeRequest(given).messages[2]?.parts.flatMap((part) => (part.type === 'tool-call' ? [part.id] : [])),
    );
  });

  test('is one turn of the model, though a chat of the SDK keeps it as the chunks in which it came', () => {
    const call = (name: string) => ({ functionCall: { name, args: {} } });
    const result = (name: string) => ({ functionResponse: { name, response: { output: name } } });
    const of = (role: string, ...parts: JsonObject[]) => ({ role, parts });
    const contents = [
      of('user', { text: 'Hello' }),
      of('model', { text: 'Let me ', thought: true }),
      of('model', { text: 'I ' }),
      of('model'),
      of('model', { text: 'look.' }),
      of('model', call('time')),
      of('model', call('weather')),
      of('user', result('time'), result('weather')),
      of('model', { text: 'Noon.' }),
    ];
    const { messages } = gemini.decodeRequest({ contents });
    const said = messages.map(({ role, parts }) => [
      role,
      parts.map((part) => ('text' in part ? part.text : part.type)),
    ]);
    expect(said).toEqual([
      ['user', ['Hello']],
      ['assistant', ['Let me ', 'I look.', 'tool-call', 'tool-call']],
      ['tool', ['tool-result', 'tool-result']],
      ['assistant', ['Noon.']],
    ]);
  });

  test('offers functions and hosted tools', () => {
    expect(tools.map(({ type, name }) => [type, name])).toEqual([
      ['provider', 'googleSearch'],
      ['function', 'weather'],
    ]);
    expect(gemini.decodeRequest({ ...given, toolConfig: undefined }).tools.map(({ name }) => name)).toEqual([
      'googleSearch',
      'weather',
      'today',
      'now',
    ]);
    expect(toolChoice).toEqual({ type: 'tool', name: 'weather' });
  });

  test('has settings', () => {
    expect(settings).toMatchObject({
      maxOutputTokens: 1_000,
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      stopSequences: ['END'],
      seed: 7,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      reasoning: { budgetTokens: 2_048 },
    });
  });

  test.each<[JsonObject, object]>([
    [{ thinkingBudget: 0 }, { effort: 'none' }],
    [{ thinkingBudget: -1 }, { adaptive: true }],
    [{ thinkingBudget: 500 }, { budgetTokens: 500 }],
    [{ thinkingLevel: 'HIGH' }, { effort: 'high' }],
  ])('that asks with %o to think', (thinkingConfig, reasoning) => {
    const body = { contents: [{ parts: [{ text: 'x' }] }], generationConfig: { thinkingConfig } };
    expect(gemini.decodeRequest(body).settings.reasoning).toEqual(reasoning);
  });

  test.each<[JsonObject, object]>([
    [{}, { type: 'json-object' }],
    [
      { responseSchema: { type: 'OBJECT', title: 'city' } },
      { type: 'json-schema', name: 'city', schema: { type: 'object', title: 'city' } },
    ],
    [{ responseJsonSchema: { type: 'object' } }, { type: 'json-schema', name: 'response', schema: { type: 'object' } }],
  ])('that wants JSON by %o', (config, responseFormat) => {
    const generationConfig = { responseMimeType: 'application/json', ...config };
    const body = { contents: [{ parts: [{ text: 'x' }] }], generationConfig };
    expect(gemini.decodeRequest(body).settings.responseFormat).toEqual(responseFormat);
  });

  test('may be written in snake_case, but for what is the user’s own', () => {
    const decoded = gemini.decodeRequest({
      system_instruction: 'Be brief.',
      contents: [
        { parts: [{ inline_data: { mime_type: 'image/png', data: 'AA==' } }] },
        { role: 'model', parts: [{ function_call: { name: 'f', args: { file_path: 'x' } } }] },
        { parts: [{ function_response: { name: 'f', response: { my_result: 1 } } }] },
      ],
      tools: {
        function_declarations: [
          { name: 'f', parameters: { type: 'OBJECT', properties: { file_path: { type: 'STRING' } } } },
        ],
      },
      tool_config: { function_calling_config: { mode: 'none' } },
      generation_config: { max_output_tokens: '9' },
    });
    expect(decoded).toMatchObject({
      messages: [
        { role: 'system', parts: [{ text: 'Be brief.' }] },
        { parts: [{ mediaType: 'image/png' }] },
        { parts: [{ input: '{"file_path":"x"}' }] },
        { parts: [{ content: [{ text: '{"my_result":1}' }] }] },
      ],
      tools: [{ inputSchema: { properties: { file_path: { type: 'string' } } } }],
      toolChoice: { type: 'none' },
      settings: { maxOutputTokens: 9 },
    });
  });

  test.each<[JsonObject, string]>([
    [{}, 'contents'],
    [{ contents: [] }, 'contents'],
    [{ contents: [{ role: 'assistant', parts: [] }] }, 'contents.0.role'],
    [{ contents: [{ parts: [{ text: 1 }] }] }, 'contents.0.parts.0.text'],
    [{ contents: [{ parts: [{ functionCall: { args: {} } }] }] }, 'contents.0.parts.0.functionCall.name'],
    [
      { contents: [{ parts: [{ text: 'x' }] }], tools: [{ functionDeclarations: [{}] }] },
      'tools.0.functionDeclarations.0.name',
    ],
    [
      { contents: [{ parts: [{ text: 'x' }] }], generationConfig: { temperature: 'hot' } },
      'generationConfig.temperature',
    ],
  ])('%j is refused with its place', (body, param) => {
    expect(() => gemini.decodeRequest(body)).toThrow(
      expect.objectContaining({ kind: 'invalid-request', details: expect.objectContaining({ param }) }),
    );
  });
});

describe('the client’s own body', () => {
  test('goes out as it came, without what only the gateway reads', () => {
    const { body, losses } = gemini.encodeRequest(requestOf({ ...given, fallbacks: ['a/b'] }), TARGET);
    expect(JSON.stringify(body)).toBe(JSON.stringify(given));
    expect(losses).toEqual([]);
  });

  test('D5 gets what a round of tools adds behind its own, natively', () => {
    const answer = gemini.decodeResponse({
      candidates: [
        {
          content: { parts: [{ functionCall: { name: 'f', args: {} }, thoughtSignature: 'c2ln' }] },
          finishReason: 'STOP',
        },
      ],
    });
    const [made] = answer.parts;
    const round: Message[] = [
      { role: 'assistant', parts: answer.parts },
      { role: 'tool', parts: [result(made?.type === 'tool-call' ? made.id : '')] },
    ];
    const request = appended(requestOf(given), { messages: round, tools: [tool('files-read')] });
    const { body } = gemini.encodeRequest(request, TARGET);
    expect(objects(body.contents).slice(4)).toEqual([
      { role: 'model', parts: [{ functionCall: { name: 'f', args: {} }, thoughtSignature: 'c2ln' }] },
      { role: 'user', parts: [{ functionResponse: { name: 'f', response: { output: 'ok' } } }] },
    ]);
    expect(objects(body.tools).at(-1)).toMatchObject({ functionDeclarations: [{ name: 'files-read' }] });
    expect(body.contents).toEqual([...objects(given.contents), ...objects(body.contents).slice(4)]);
    expect(body.safetySettings).toEqual(given.safetySettings);
  });

  test('allows added functions too, where it allows several by name', () => {
    const config = { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['weather', 'today'] } };
    const request = appended(requestOf({ ...given, toolConfig: config }), { tools: [tool('g')] });
    expect(gemini.encodeRequest(request, TARGET).body.toolConfig).toEqual({
      functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['weather', 'today', 'g'] },
    });
  });

  test('gets another tool choice when a round changes it', () => {
    const request = appended(requestOf(given), { toolChoice: { type: 'auto' } });
    expect(gemini.encodeRequest(request, TARGET).body.toolConfig).toEqual({ functionCallingConfig: { mode: 'AUTO' } });
  });
});

describe('a conversation of another format', () => {
  test('has all results of a turn in one content, by name, and what else is said behind them', () => {
    const { contents } = sent([
      user('go'),
      { role: 'assistant', parts: [{ type: 'text', text: 'I look.' }, call('c1', 'read'), call('c2', 'list')] },
      { role: 'tool', parts: [result('c2', 'two', { isError: true })] },
      { role: 'tool', parts: [result('c1', 'one')] },
      user('and now?'),
    ]);
    expect(contents.map(({ role }) => role)).toEqual(['user', 'model', 'user', 'user']);
    expect(contents[2]?.parts).toEqual([
      { functionResponse: { id: 'c1', name: 'read', response: { output: 'one' } } },
      { functionResponse: { id: 'c2', name: 'list', response: { error: 'two' } } },
    ]);
    expect(contents[3]?.parts).toEqual([{ text: 'and now?' }]);
  });

  test('answers calls that nobody answered, and leaves out results of no call', () => {
    const { contents, losses } = sent([
      user('go'),
      { role: 'assistant', parts: [call('c1')] },
      { role: 'tool', parts: [result('other')] },
    ]);
    expect(contents[2]?.parts).toMatchObject([
      { functionResponse: { response: { error: expect.stringContaining('interrupted') } } },
    ]);
    expect(losses.map(({ action }) => action)).toEqual(['invented', 'dropped', 'invented']);
  });

  test('folds system messages from its midst into the system instruction', () => {
    const { body, losses } = sent([
      { role: 'system', parts: [{ type: 'text', text: 'first' }] },
      user('go'),
      { role: 'system', parts: [{ type: 'text', text: 'second' }] },
    ]);
    expect(body.systemInstruction).toEqual({ parts: [{ text: 'first' }, { text: 'second' }] });
    expect(losses).toMatchObject([{ field: 'contents.2.role', action: 'rewritten' }]);
  });

  test('D7 leaves out thinking of other models, and says so', () => {
    const origin = { codec: 'anthropic-messages', block: { type: 'thinking', signature: 's' } } as const;
    const { contents, losses } = sent([
      user('go'),
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', text: 'hm', origin },
          { type: 'text', text: 'done' },
        ],
      },
      user('thanks'),
    ]);
    expect(contents[1]?.parts).toEqual([{ text: 'done' }]);
    expect(losses.map(({ action, field }) => `${action} ${field}`)).toEqual([
      'dropped messages.*.content.*.signature',
      'dropped contents.1.parts.0',
    ]);
  });

  test('begins with the user, and is never empty', () => {
    expect(sent([{ role: 'system', parts: [{ type: 'text', text: 'only' }] }]).contents).toEqual([
      { role: 'user', parts: [{ text: 'only' }] },
    ]);
    const { contents, losses } = sent([{ role: 'assistant', parts: [{ type: 'text', text: 'Hi' }] }, user('x')]);
    expect(contents[0]?.role).toBe('user');
    expect(losses).toMatchObject([{ field: 'contents.0', action: 'invented' }]);
  });

  test('has media inside results for models that take it, behind them for others', () => {
    const image = { type: 'media', mediaType: 'image/*', source: { type: 'base64', data: '/9j/AA==' } } as const;
    const messages: Message[] = [
      user('go'),
      { role: 'assistant', parts: [call('c1', 'shot')] },
      { role: 'tool', parts: [result('c1', 'see', { content: [{ type: 'text', text: 'see' }, image] })] },
    ];
    const inlineData = { mimeType: 'image/jpeg', data: '/9j/AA==' };
    expect(sent(messages).contents[2]?.parts).toMatchObject([{ functionResponse: { parts: [{ inlineData }] } }]);
    expect(sent(messages, {}, { model: 'gemini-2.5-pro' }).contents[3]?.parts).toEqual([
      { text: 'Attachment(s) of the result of shot:' },
      { inlineData },
    ]);
  });

  test('A13 names that the API refuses are changed everywhere, the same way each time', () => {
    const name = `1 mcp/${'long '.repeat(20)}`;
    const messages: Message[] = [
      user('go'),
      { role: 'assistant', parts: [call('c', name)] },
      { role: 'tool', parts: [result('c')] },
    ];
    const { body, toolNames } = sent(messages, { tools: [tool(name)], toolChoice: { type: 'tool', name } });
    const [wire] = [...(toolNames?.keys() ?? [])];
    expect(toolNames?.get(wire ?? '')).toBe(name);
    expect(JSON.stringify(body).split(`"${wire}"`).length - 1).toBe(4);
    expect(sent(messages, { tools: [tool(name)] }).toolNames).toEqual(toolNames);
  });

  test.each([
    [{ type: 'auto' }, { mode: 'AUTO' }],
    [{ type: 'none' }, { mode: 'NONE' }],
    [{ type: 'required' }, { mode: 'ANY' }],
    [
      { type: 'tool', name: 'f' },
      { mode: 'ANY', allowedFunctionNames: ['f'] },
    ],
  ] as const)('E4 the choice %o is %o', (toolChoice, functionCallingConfig) => {
    expect(sent([user('x')], { tools: [tool('f')], toolChoice }).body.toolConfig).toEqual({ functionCallingConfig });
  });

  test('E4 a choice without functions is left out, and said so', () => {
    const { body, losses } = sent([user('x')], { toolChoice: { type: 'required' } });
    expect(body.toolConfig).toBeUndefined();
    expect(losses).toMatchObject([{ field: 'toolConfig', action: 'dropped' }]);
  });
});

describe('thought signatures', () => {
  const marker = 'skip_thought_signature_validator';
  const signatures = (contents: readonly JsonObject[]) =>
    contents.flatMap(({ parts }) =>
      objects(parts).flatMap((part) => (part.functionCall ? [part.thoughtSignature] : [])),
    );

  test('D1 ride on the call’s id through other formats, and come back to Gemini', () => {
    const signature = 'ab+/cd==';
    const parts = [{ functionCall: { name: 'f', args: {} }, thoughtSignature: signature }];
    const answer = gemini.decodeResponse(
      { candidates: [{ content: { parts }, finishReason: 'STOP' }] },
      { callId: 'x' },
    );
    const id = answer.parts[0]?.type === 'tool-call' ? answer.parts[0].id : '';
    expect(id).toMatch(/^call_[0-9a-f]{24}_ts_ab-_cd$/);
    const { contents } = sent([
      user('x'),
      { role: 'assistant', parts: [call(id)] },
      { role: 'tool', parts: [result(id)] },
    ]);
    expect(contents[1]?.parts).toMatchObject([{ functionCall: { id: id.slice(0, 29) }, thoughtSignature: signature }]);
    expect(contents[2]?.parts).toMatchObject([{ functionResponse: { id: id.slice(0, 29) } }]);
  });

  test('D1 that are too long for an id stay behind', () => {
    const parts = [{ functionCall: { id: 'c', name: 'f' }, thoughtSignature: 'A'.repeat(5_000) }];
    const answer = gemini.decodeResponse({ candidates: [{ content: { parts }, finishReason: 'STOP' }] });
    expect(answer.parts).toMatchObject([{ id: 'c' }]);
  });

  test('D1 are read from the field of Google’s OpenAI-compatible API', () => {
    const block = { extra_content: { google: { thought_signature: 'c2ln' } } };
    const signed = call('c', 'f', { origin: { codec: 'openai-chat', block } });
    const { contents } = sent([
      user('x'),
      { role: 'assistant', parts: [signed] },
      { role: 'tool', parts: [result('c')] },
    ]);
    expect(signatures(contents)).toEqual(['c2ln']);
  });

  test('D1 an id that only looks like it is left alone', () => {
    const { contents } = sent([
      user('x'),
      { role: 'assistant', parts: [call('get_ts_data:0')] },
      { role: 'tool', parts: [result('get_ts_data:0')] },
    ]);
    expect(contents[1]?.parts).toMatchObject([{ functionCall: { id: 'get_ts_data:0' }, thoughtSignature: marker }]);
  });

  test('D2 only the first of parallel calls is signed', () => {
    const messages: Message[] = [
      user('x'),
      { role: 'assistant', parts: [call('a_ts_c2ln'), call('b_ts_c2ln', 'g'), call('c', 'h')] },
      { role: 'tool', parts: [result('a_ts_c2ln'), result('b_ts_c2ln'), result('c')] },
    ];
    expect(signatures(sent(messages).contents)).toEqual(['c2ln', undefined, undefined]);
  });

  test('D3 calls of other models get the skip marker, in the turn under way and on the first call only', () => {
    const step = (...ids: string[]): Message[] => [
      { role: 'assistant', parts: ids.map((id) => call(id)) },
      { role: 'tool', parts: ids.map((id) => result(id)) },
    ];
    const { contents } = sent([user('x'), ...step('a'), user('y'), ...step('b', 'c'), ...step('d')]);
    expect(signatures(contents)).toEqual([undefined, marker, undefined, marker]);
  });

  test('D3 not when a signature is known', () => {
    const messages: Message[] = [
      user('x'),
      { role: 'assistant', parts: [call('a_ts_c2ln')] },
      { role: 'tool', parts: [result('a_ts_c2ln')] },
    ];
    expect(signatures(sent(messages).contents)).toEqual(['c2ln']);
  });

  test('D4 a part that holds nothing else survives', () => {
    const { body } = gemini.encodeRequest(requestOf(given, { raw: false }), TARGET);
    expect(objects(objects(body.contents)[1]?.parts).at(-1)).toEqual({ text: '', thoughtSignature: 'bGFzdA==' });
  });
});

describe('settings of another format', () => {
  const config = (settings: Settings, target = {}, rest: Partial<ChatRequest> = {}) => {
    const { body, losses } = sent([user('x')], { settings, ...rest }, target);
    return {
      ...(body.generationConfig as JsonObject | undefined),
      losses: losses.map(({ field, action }) => `${action} ${field}`),
    };
  };

  test('become generationConfig', () => {
    const settings = {
      maxOutputTokens: 9,
      temperature: 2,
      topP: 0.1,
      topK: 3,
      seed: 1,
      presencePenalty: 1,
      frequencyPenalty: 2,
    };
    expect(config({ ...settings, stopSequences: ['a', 'b', 'c', 'd', 'e', 'f'] })).toEqual({
      ...settings,
      stopSequences: ['a', 'b', 'c', 'd', 'e'],
      losses: ['rewritten generationConfig.stopSequences'],
    });
  });

  test('ask for no more than the model gives', () => {
    expect(config({ maxOutputTokens: 99 }, { maxOutputTokens: 9 })).toMatchObject({ maxOutputTokens: 9 });
  });

  test('ask for JSON after a schema', () => {
    const responseFormat = {
      type: 'json-schema',
      name: 'x',
      schema: { type: 'object', properties: { a: { const: 1 } } },
    } as const;
    expect(config({ responseFormat })).toMatchObject({
      responseMimeType: 'application/json',
      responseJsonSchema: { type: 'object', properties: { a: { enum: [1] } } },
    });
    const beside = config({ responseFormat }, { model: 'gemini-2.5-flash' }, { tools: [tool('f')] });
    expect(beside).toEqual({ losses: ['dropped generationConfig.responseMimeType'] });
  });

  test.each<[string, Settings['reasoning'], JsonObject | undefined]>([
    ['gemini-3-pro', { effort: 'minimal' }, { includeThoughts: true, thinkingLevel: 'low' }],
    ['gemini-3-pro', { effort: 'medium' }, { includeThoughts: true, thinkingLevel: 'high' }],
    ['gemini-3-flash', { effort: 'medium' }, { includeThoughts: true, thinkingLevel: 'medium' }],
    ['gemini-3-flash', { effort: 'max', adaptive: true }, { includeThoughts: true, thinkingLevel: 'high' }],
    ['gemini-3-flash', { adaptive: true }, { includeThoughts: true }],
    ['gemini-3-flash', { effort: 'none' }, { thinkingLevel: 'minimal' }],
    ['gemini-3-flash', { effort: 'low', budgetTokens: 99_999 }, { includeThoughts: true, thinkingBudget: 24_576 }],
    ['gemini-2.5-pro', { effort: 'high' }, { includeThoughts: true, thinkingBudget: 26_240 }],
    ['gemini-2.5-pro', { effort: 'none' }, undefined],
    ['gemini-2.5-flash', { effort: 'none' }, { thinkingBudget: 0 }],
    ['gemini-2.5-flash', { adaptive: true }, { includeThoughts: true, thinkingBudget: -1 }],
    ['gemini-2.0-flash', { effort: 'high' }, undefined],
  ])('D15 %s thinks for %o with %o', (model, reasoning, thinkingConfig) => {
    expect(config(reasoning ? { reasoning } : {}, { model })).toEqual({
      ...(thinkingConfig && { thinkingConfig }),
      losses: expect.anything(),
    });
  });

  test('F1 that have no place stand in the ledger', () => {
    const origin = { codec: 'openai-chat', block: { logit_bias: {}, metadata: { user_id: 'x', run: 1 } } } as const;
    expect(config({ user: 'u', parallelToolCalls: false, origin }).losses).toEqual([
      'dropped logit_bias',
      'dropped metadata',
      'dropped user',
      'dropped parallel_tool_calls',
    ]);
  });
});
