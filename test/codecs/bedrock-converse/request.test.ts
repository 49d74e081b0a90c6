import { describe, expect, test } from 'vitest';
import { anthropicMessages } from '../../../src/codecs/anthropic-messages/index.ts';
import { bedrockConverse } from '../../../src/codecs/bedrock-converse/index.ts';
import { openaiChat } from '../../../src/codecs/openai-chat/index.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import { appended } from '../../../src/model/request.ts';
import { requestOf } from '../requests.ts';
import { writtenByAws } from './aws.ts';

const NOVA = { model: 'us.amazon.nova-pro-v1:0', stream: false };
const CLAUDE = { model: 'anthropic.claude-sonnet-4-5-20250929-v1:0', stream: false, reasoning: true };

const fromChat = (body: JsonObject, target = NOVA) =>
  bedrockConverse.encodeRequest(requestOf(openaiChat, { model: 'm', ...body }), target);
const fromMessages = (body: JsonObject, target = NOVA) =>
  bedrockConverse.encodeRequest(requestOf(anthropicMessages, { model: 'm', max_tokens: 4_000, ...body }), target);
const fromConverse = (body: JsonObject) => requestOf(bedrockConverse, { model: 'm', ...body });

const USER = { role: 'user', content: 'x' };
const call = (id: string, name = 'f', input = '{"a":1}') => ({
  id,
  type: 'function',
  function: { name, arguments: input },
});
const calling = (...calls: JsonObject[]): JsonObject => ({ role: 'assistant', content: null, tool_calls: calls });
const result = (id: string, content: string): JsonObject => ({ role: 'tool', tool_call_id: id, content });
const tool = (name: string, parameters: JsonObject = { type: 'object', properties: {} }): JsonObject => ({
  type: 'function',
  function: { name, description: 'does it', parameters },
});

describe('a conversation of another format', () => {
  test('B6 consecutive tool messages become one user message, results before any text', () => {
    const { body } = fromChat({
      messages: [
        USER,
        calling(call('a'), call('b')),
        result('b', 'two'),
        result('a', 'one'),
        { role: 'user', content: 'go on' },
      ],
      tools: [tool('f')],
    });
    expect(body.messages).toMatchObject([
      { role: 'user' },
      {
        role: 'assistant',
        content: [{ toolUse: { toolUseId: 'a', input: { a: 1 } } }, { toolUse: { toolUseId: 'b' } }],
      },
      {
        role: 'user',
        content: [
          { toolResult: { toolUseId: 'a', content: [{ text: 'one' }] } },
          { toolResult: { toolUseId: 'b', content: [{ text: 'two' }] } },
          { text: 'go on' },
        ],
      },
    ]);
  });

  test('B7 neighbours of one role become one message', () => {
    const { body } = fromChat({
      messages: [USER, USER, { role: 'assistant', content: 'y' }, { role: 'assistant', content: 'z' }, USER],
    });
    expect(body.messages).toEqual([
      { role: 'user', content: [{ text: 'x' }, { text: 'x' }] },
      { role: 'assistant', content: [{ text: 'y' }, { text: 'z' }] },
      { role: 'user', content: [{ text: 'x' }] },
    ]);
  });

  test('B8 a call without a result gets one that says so, a result without a call is left out', () => {
    const { body, losses } = fromChat({
      messages: [USER, calling(call('a')), result('other', 'lost'), USER],
      tools: [tool('f')],
    });
    expect(body.messages).toMatchObject([
      {},
      {},
      {
        content: [
          {
            toolResult: { toolUseId: 'a', status: 'error', content: [{ text: expect.stringContaining('no result') }] },
          },
          { text: 'x' },
        ],
      },
    ]);
    expect(losses.map(({ action }) => action)).toEqual(expect.arrayContaining(['invented', 'dropped']));
  });

  test('B9 B10 texts that Bedrock calls empty are left out and told', () => {
    const { body, losses } = fromChat({
      messages: [USER, { role: 'assistant', content: ' \u200b\n' }, { role: 'user', content: 'y' }],
    });
    expect(body.messages).toEqual([{ role: 'user', content: [{ text: 'x' }, { text: 'y' }] }]);
    expect(losses).toMatchObject([{ field: 'messages.1.content.0', action: 'dropped' }]);
  });

  test('B11 null content beside calls is no block', () => {
    const { body } = fromChat({ messages: [USER, calling(call('a')), result('a', 'ok')], tools: [tool('f')] });
    expect(body.messages).toMatchObject([{}, { content: [{ toolUse: { name: 'f' } }] }, {}]);
  });

  test('B15 empty keys in arguments and schemas are renamed and told', () => {
    const { body, losses } = fromChat({
      messages: [USER, calling(call('a', 'f', '{"":1,"b":[{"":2}]}')), result('a', 'ok')],
      tools: [tool('f', { type: 'object', properties: { '': { type: 'string' } } })],
    });
    expect(body.messages).toMatchObject([{}, { content: [{ toolUse: { input: { _: 1, b: [{ _: 2 }] } } }] }, {}]);
    expect(JSON.stringify(body)).not.toContain('"":');
    const places = losses.map(({ field }) => field).join();
    expect(places).toContain('toolUse.input');
    expect(places).toContain('inputSchema');
  });

  test('B1 B3 ids and names that Bedrock refuses are changed alike in calls, results and tools', () => {
    const id = `call:${'x'.repeat(90)}`;
    const name = `mcp.server/${'tool'.repeat(20)}`;
    const { body, toolNames } = fromChat({
      messages: [USER, calling(call(id, name)), result(id, 'ok')],
      tools: [tool(name)],
    });
    const text = JSON.stringify(body);
    const [, wireId = ''] = /"toolUse":\{"toolUseId":"([^"]+)"/.exec(text) ?? [];
    expect(wireId).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(text).toContain(`"toolResult":{"toolUseId":"${wireId}"`);
    const [[wireName, original] = []] = [...(toolNames ?? [])];
    expect(wireName).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(original).toBe(name);
    expect(text.split(`"name":"${wireName}"`)).toHaveLength(3);
  });

  test('D10 unsigned thinking is left out, signed thinking goes back to Claude', () => {
    const thinking = (signature: string) => ({
      messages: [
        USER,
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.', signature },
            { type: 'text', text: 'y' },
          ],
        },
        USER,
      ],
    });
    expect(fromMessages(thinking(''), CLAUDE).body.messages).toMatchObject([{}, { content: [{ text: 'y' }] }, {}]);
    expect(fromMessages(thinking('sig'), NOVA).body.messages).toMatchObject([{}, { content: [{ text: 'y' }] }, {}]);
    expect(fromMessages(thinking('sig'), CLAUDE).body.messages).toMatchObject([
      {},
      { content: [{ reasoningContent: { reasoningText: { text: 'Hm.', signature: 'sig' } } }, { text: 'y' }] },
      {},
    ]);
  });

  test('a history with calls has a tool config even where the request offers no tools', () => {
    const { body, losses } = fromChat({ messages: [USER, calling(call('a')), result('a', 'ok'), USER] });
    expect(body.toolConfig).toEqual({
      tools: [{ toolSpec: { name: 'f', inputSchema: { json: { type: 'object', properties: {} } } } }],
    });
    expect(losses).toMatchObject([{ field: 'toolConfig.tools', action: 'invented' }]);
  });

  test('begins with the user, and system messages stand apart', () => {
    const { body } = fromChat({
      messages: [{ role: 'system', content: 's' }, { role: 'assistant', content: 'y' }, USER],
    });
    expect(body.system).toEqual([{ text: 's' }]);
    expect(body.messages).toMatchObject([
      { role: 'user', content: [{ text: '(start of conversation)' }] },
      { role: 'assistant' },
      { role: 'user' },
    ]);
  });

  test('F5 cache marks become cache points where the model takes them, and are told where it does not', () => {
    const marked = {
      system: [{ type: 'text', text: 's', cache_control: { type: 'ephemeral', ttl: '1h' } }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }] }],
    };
    const nova = fromMessages(marked).body;
    expect(nova.system).toEqual([{ text: 's' }, { cachePoint: { type: 'default', ttl: '1h' } }]);
    expect(nova.messages).toEqual([{ role: 'user', content: [{ text: 'x' }, { cachePoint: { type: 'default' } }] }]);
    const llama = fromMessages(marked, { model: 'meta.llama3-1-70b-instruct-v1:0', stream: false });
    expect(JSON.stringify(llama.body)).not.toContain('cachePoint');
    expect(llama.losses.every(({ field }) => field.endsWith('.cache_control'))).toBe(true);
  });

  test('F5 marks on calls and on results, or inside of them, become cache points behind those', () => {
    const mark = { cache_control: { type: 'ephemeral' } };
    const use = (id: string, more: JsonObject = {}) => ({ type: 'tool_use', id, name: 'f', input: {}, ...more });
    const { body, losses } = fromMessages({
      tools: [{ name: 'f', input_schema: { type: 'object', properties: {} } }],
      messages: [
        USER,
        { role: 'assistant', content: [use('a', mark), use('b')] },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'a', content: 'one' },
            { type: 'tool_result', tool_use_id: 'b', content: [{ type: 'text', text: 'two', ...mark }] },
          ],
        },
      ],
    });
    const point = { cachePoint: { type: 'default' } };
    expect(body.messages).toMatchObject([
      { role: 'user' },
      { role: 'assistant', content: [{ toolUse: { toolUseId: 'a' } }, point, { toolUse: { toolUseId: 'b' } }] },
      { role: 'user', content: [{ toolResult: { toolUseId: 'a' } }, { toolResult: { toolUseId: 'b' } }, point] },
    ]);
    expect(losses).toEqual([]);
  });

  test('images and documents travel as bytes, each document under a name of its own beside a text', async () => {
    const pdf = (title: string) => ({
      type: 'document',
      title,
      source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' },
    });
    const { body } = fromMessages({ messages: [{ role: 'user', content: [pdf('a/b.pdf'), pdf('a/b.pdf')] }] });
    expect(body.messages).toEqual([
      {
        role: 'user',
        content: [
          { document: { format: 'pdf', name: 'a-b-pdf', source: { bytes: 'JVBERi0=' } } },
          { document: { format: 'pdf', name: 'a-b-pdf (2)', source: { bytes: 'JVBERi0=' } } },
          { text: '.' },
        ],
      },
    ]);
    expect(await writtenByAws(body)).toEqual(body);
  });

  test('an image at a web address is refused with what to do, one in S3 is not', () => {
    const image = (url: string) => ({
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
    });
    expect(() => fromChat(image('https://x.test/a.png'))).toThrow(/send the bytes in base64, or an s3:\/\/ address/);
    expect(fromChat(image('s3://bucket/a.jpeg')).body.messages).toEqual([
      { role: 'user', content: [{ image: { format: 'jpeg', source: { s3Location: { uri: 's3://bucket/a.jpeg' } } } }] },
    ]);
  });
});

describe('settings of another format', () => {
  const choices: [unknown, unknown][] = [
    ['auto', { auto: {} }],
    ['required', { any: {} }],
    [{ type: 'function', function: { name: 'f' } }, { tool: { name: 'f' } }],
  ];

  test.each(choices)('E4 tool choice %j is %j', (tool_choice, toolChoice) => {
    const { body } = fromChat({ messages: [USER], tools: [tool('f')], tool_choice: tool_choice as JsonObject });
    expect(body.toolConfig).toMatchObject({ toolChoice });
  });

  test('E4 without a word for "none", no tools are offered', () => {
    const { body, losses } = fromChat({ messages: [USER], tools: [tool('f')], tool_choice: 'none' });
    expect(body.toolConfig).toBeUndefined();
    expect(losses.map(({ reason }) => reason)).toContain('without a word for "none", no tools are offered');
  });

  test('limits and sampling have fields of their own, top_k by family', () => {
    const settings = { messages: [USER], temperature: 0.5, top_p: 0.9, top_k: 7, stop_sequences: ['END', ''] };
    expect(fromMessages(settings).body).toMatchObject({
      inferenceConfig: { maxTokens: 4_000, temperature: 0.5, topP: 0.9, stopSequences: ['END'] },
      additionalModelRequestFields: { inferenceConfig: { topK: 7 } },
    });
    expect(fromMessages(settings, CLAUDE).body.additionalModelRequestFields).toEqual({ top_k: 7 });
  });

  test('D12 Claude’s budget stays between its bounds, D16 and nothing forces a tool while it thinks', () => {
    const thinking = { type: 'enabled', budget_tokens: 9_000 };
    const { body } = fromMessages(
      {
        messages: [USER],
        thinking,
        temperature: 1,
        tools: [{ name: 'f', input_schema: { type: 'object' } }],
        tool_choice: { type: 'any' },
      },
      CLAUDE,
    );
    expect(body.additionalModelRequestFields).toEqual({ thinking: { type: 'enabled', budget_tokens: 3_999 } });
    expect(body.toolConfig).toMatchObject({ toolChoice: { auto: {} } });
  });

  test('D15 Nova reasons by effort from its second generation on; a model that cannot is not asked', () => {
    const nova2 = fromChat(
      { messages: [USER], reasoning_effort: 'high', temperature: 0.3 },
      { model: 'us.amazon.nova-2-lite-v1:0', stream: false },
    );
    expect(nova2.body.additionalModelRequestFields).toEqual({
      reasoningConfig: { type: 'enabled', maxReasoningEffort: 'high' },
    });
    expect(nova2.body.inferenceConfig).toBeUndefined();
    const nova1 = fromChat({ messages: [USER], reasoning_effort: 'high' });
    expect(nova1.body.additionalModelRequestFields).toBeUndefined();
    expect(nova1.losses).toContainEqual(
      expect.objectContaining({ field: 'additionalModelRequestFields', action: 'dropped' }),
    );
  });

  test('a schema for the answer is JSON text', async () => {
    const schema = { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false };
    const { body } = fromChat({
      messages: [USER],
      response_format: { type: 'json_schema', json_schema: { name: 'n', schema } },
    });
    expect(body.outputConfig).toEqual({
      textFormat: { type: 'json_schema', structure: { jsonSchema: { name: 'n', schema: JSON.stringify(schema) } } },
    });
    expect(await writtenByAws(body)).toEqual(body);
  });
});

describe('a request of this format', () => {
  const BODY: JsonObject = {
    system: [{ text: 's' }, { cachePoint: { type: 'default' } }],
    messages: [
      {
        role: 'user',
        content: [
          { text: 'x' },
          { guardContent: { text: { text: 'g', qualifiers: ['query'] } } },
          { novelty: { a: 1 } },
        ],
      },
      {
        role: 'assistant',
        content: [
          { reasoningContent: { reasoningText: { text: 'Hm.', signature: 'sig' } } },
          { reasoningContent: { redactedContent: 'cmVk' } },
          { toolUse: { toolUseId: 't1', name: 'f', input: { a: 1 } } },
        ],
      },
      {
        role: 'user',
        content: [
          {
            toolResult: {
              toolUseId: 't1',
              content: [{ json: { b: 2 } }, { image: { format: 'png', source: { bytes: 'iVBORw0=' } } }],
              status: 'error',
            },
          },
          { video: { format: 'mp4', source: { s3Location: { uri: 's3://b/v.mp4' } } } },
        ],
      },
    ],
    inferenceConfig: { maxTokens: 10, temperature: 0.5 },
    toolConfig: {
      tools: [
        { toolSpec: { name: 'f', inputSchema: { json: { type: 'object' } } } },
        { cachePoint: { type: 'default' } },
      ],
      toolChoice: { auto: {} },
    },
    additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 2_000 } },
    guardrailConfig: { guardrailIdentifier: 'g', guardrailVersion: '1', trace: 'enabled' },
    novelField: 1,
  };

  test('keeps every field and block, known or not, when ours is appended', () => {
    const ours = [
      {
        role: 'assistant' as const,
        parts: [{ type: 'tool-call' as const, id: 'z', name: 'ref-echo', input: '{}', owner: 'gateway' as const }],
      },
      {
        role: 'tool' as const,
        parts: [
          {
            type: 'tool-result' as const,
            callId: 'z',
            content: [{ type: 'text' as const, text: 'hey' }],
            isError: false,
          },
        ],
      },
    ];
    const { body, losses } = bedrockConverse.encodeRequest(appended(fromConverse(BODY), { messages: ours }), CLAUDE);
    expect(body).toEqual({
      ...BODY,
      messages: [...(BODY.messages as JsonObject[]), ...(body.messages as JsonObject[]).slice(3)],
    });
    expect(losses).toEqual([]);
  });

  test('is written again the same without its raw body', () => {
    const { messages, tools, toolChoice, settings } = bedrockConverse.decodeRequest(BODY);
    const request = {
      model: 'm',
      stream: false,
      fallbacks: [],
      untouched: false,
      messages,
      tools,
      toolChoice,
      settings,
    };
    expect(bedrockConverse.encodeRequest(request, CLAUDE).body).toEqual(BODY);
  });

  test('is understood by the others', () => {
    const { body } = openaiChat.encodeRequest(fromConverse(BODY), { model: 'gpt-4o', stream: false });
    expect(body.messages).toMatchObject([
      { role: 'system' },
      { role: 'user', content: [{ text: 'x' }, { text: 'g' }] },
      { role: 'assistant', tool_calls: [{ id: 't1', function: { name: 'f', arguments: '{"a":1}' } }] },
      { role: 'tool', tool_call_id: 't1', content: expect.stringContaining('{"b":2}') },
      { role: 'user', content: [{ type: 'text' }, { type: 'image_url' }] },
      { role: 'user' },
    ]);
  });

  const wrong: [string, JsonObject, string][] = [
    ['no messages', { messages: [] }, 'messages'],
    ['a role', { messages: [{ role: 'robot', content: [] }] }, 'messages.0.role'],
    [
      'a call without a name',
      { messages: [{ role: 'assistant', content: [{ toolUse: { toolUseId: 'a' } }] }] },
      'messages.0.content.0.toolUse.name',
    ],
    [
      'a tool without a schema',
      { messages: [userTurn()], toolConfig: { tools: [{ toolSpec: { name: 'f' } }] } },
      'toolConfig.tools.0.toolSpec.inputSchema',
    ],
  ];
  test.each(wrong)('is refused for %s by the place', (_what, body, place) => {
    expect(() => bedrockConverse.decodeRequest(body)).toThrow(new RegExp(`^${place.replaceAll('.', '\\.')}`));
  });
});

test('pictures and documents are words where the model reads text only, also in what a tool gave', () => {
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } };
  const read = {
    messages: [
      { role: 'user', content: [image] },
      { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'Read', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: [image] }] },
    ],
  };
  const blind = { model: 'openai.gpt-oss-120b-1:0', stream: false, vision: false };
  const { body, losses } = fromMessages(read, blind);
  const words = { text: '[image/png left out: this model reads text only]' };
  expect(body.messages).toMatchObject([
    { content: [words] },
    {},
    { content: [{ toolResult: { toolUseId: 't1', content: [words] } }] },
  ]);
  expect(losses).toContainEqual(expect.objectContaining({ action: 'dropped', reason: 'this model reads text only' }));
});

function userTurn(): JsonObject {
  return { role: 'user', content: [{ text: 'x' }] };
}
