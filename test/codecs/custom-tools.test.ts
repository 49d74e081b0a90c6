import { describe, expect, test } from 'vitest';
import { anthropicMessages } from '../../src/codecs/anthropic-messages/index.ts';
import { bedrockConverse } from '../../src/codecs/bedrock-converse/index.ts';
import type { Codec } from '../../src/codecs/codec.ts';
import { gemini } from '../../src/codecs/gemini/index.ts';
import { openaiChat } from '../../src/codecs/openai-chat/index.ts';
import { openaiResponses } from '../../src/codecs/openai-responses/index.ts';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { appended } from '../../src/model/request.ts';
import { eventsOf } from '../../src/model/response.ts';
import { requestOf } from './requests.ts';

const GRAMMAR = 'start: "x"';

const asked: JsonObject = {
  model: 'm',
  messages: [
    { role: 'user', content: 'Mend it.' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'call_1', type: 'custom', custom: { name: 'patch', input: '*** Begin' } }],
    },
    { role: 'tool', tool_call_id: 'call_1', content: 'mended' },
  ],
  tools: [
    {
      type: 'custom',
      custom: {
        name: 'patch',
        description: 'Patches.',
        format: { type: 'grammar', grammar: { syntax: 'lark', definition: GRAMMAR } },
      },
    },
  ],
  tool_choice: { type: 'custom', custom: { name: 'patch' } },
};

const encoded = (codec: Codec) => codec.encodeRequest(requestOf(openaiChat, asked), { model: 'm', stream: false });

describe("a custom tool of Chat Completions, at other formats' providers", () => {
  test.each([anthropicMessages, bedrockConverse, gemini])('$id: is a function of one text', (codec) => {
    const { body, losses, toolNames } = encoded(codec);
    const [name = ''] = [...(toolNames ?? new Map<string, string>()).keys()];
    expect(toolNames?.get(name)).toBe('::patch');
    const text = JSON.stringify(body);
    // offered, chosen and called
    expect(text.split(JSON.stringify(name)).length - 1).toBeGreaterThanOrEqual(3);
    for (const said of ['Patches.', 'start: ', '*** Begin', 'mended']) expect(text).toContain(said);
    expect(losses.filter(({ action }) => action === 'rewritten').map(({ field }) => field)).toContain('tools.0.format');
  });

  test('openai-responses: stays a custom tool', () => {
    const { body } = encoded(openaiResponses);
    expect(body).toMatchObject({
      tools: [{ type: 'custom', name: 'patch', description: expect.stringContaining(GRAMMAR) }],
      tool_choice: { type: 'custom', name: 'patch' },
      input: [
        { role: 'user' },
        { type: 'custom_tool_call', call_id: 'call_1', name: 'patch', input: '*** Begin' },
        { type: 'custom_tool_call_output', call_id: 'call_1', output: 'mended' },
      ],
    });
  });

  test('openai-chat: is built anew as it was', () => {
    const read = { model: 'm', stream: false, fallbacks: [], untouched: false, ...openaiChat.decodeRequest(asked) };
    const { body } = openaiChat.encodeRequest(read, { model: 'm', stream: false });
    const { messages, tools, tool_choice: choice } = asked;
    expect(body).toMatchObject({ messages, tools, tool_choice: choice });
  });
});

describe('a call of a custom tool by a model that knows functions', () => {
  const answer = {
    id: 'a',
    model: 'm',
    parts: [{ type: 'tool-call' as const, id: 'call_2', name: '::patch', input: '{"input":"*** End"}' }],
    reason: { kind: 'tool-calls' as const },
    usage: { input: 1, output: 1, cacheRead: 0, cacheWrite: 0, reasoning: 0 },
  };
  const call = { id: 'call_2', type: 'custom', custom: { name: 'patch', input: '*** End' } };
  const head = { model: 'm', asked: { body: asked } };

  test('has its text for who offered the tool', () => {
    expect(openaiChat.encodeResponse(answer, head)).toMatchObject({ choices: [{ message: { tool_calls: [call] } }] });
  });

  test('comes whole in a stream', () => {
    const write = openaiChat.encodeStream(head);
    const calls = eventsOf(answer)
      .map(write)
      .join('')
      .split('\n\n')
      .flatMap((event) => callsIn(event));
    expect(calls).toEqual([{ index: 0, ...call }]);
  });

  test("stays a function's for a client that did not: OpenAI's SDK takes no other from a stream", () => {
    const told = { choices: [{ message: { tool_calls: [{ type: 'function' }] } }] };
    expect(openaiChat.encodeResponse(answer, { model: 'm' })).toMatchObject(told);
  });
});

function callsIn(event: string): unknown[] {
  const data: unknown = event.startsWith('data: {') ? JSON.parse(event.slice('data: '.length)) : undefined;
  const [choice]: unknown[] = isObject(data) && Array.isArray(data.choices) ? data.choices : [];
  const delta = isObject(choice) && isObject(choice.delta) ? choice.delta : {};
  return Array.isArray(delta.tool_calls) ? delta.tool_calls : [];
}

describe('tools of the older form, whose answers hold one call', () => {
  const older: JsonObject = {
    model: 'm',
    messages: [{ role: 'user', content: 'Weather in Oslo and Rome?' }],
    functions: [{ name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } }],
  };
  const sent = (codec: Codec) =>
    codec.encodeRequest(
      { ...appended(requestOf(openaiChat, older), {}), raw: undefined },
      { model: 'm', stream: false },
    );
  const entries = (codec: Codec) => sent(codec).losses.map(({ field, action }) => `${action} ${field}`);

  test('openai-chat, openai-responses: no calls side by side are asked for', () => {
    for (const codec of [openaiChat, openaiResponses]) {
      expect(sent(codec).body.parallel_tool_calls).toBe(false);
      expect(entries(codec)).toContain('invented parallel_tool_calls');
    }
  });

  test('anthropic-messages: likewise, in its words', () => {
    expect(sent(anthropicMessages).body.tool_choice).toEqual({ type: 'auto', disable_parallel_tool_use: true });
    expect(entries(anthropicMessages)).toContain('invented parallel_tool_calls');
  });

  test.each([gemini, bedrockConverse])('$id: the ledger tells that this cannot be asked for', (codec) => {
    expect(entries(codec)).toContain('dropped parallel_tool_calls');
  });

  test('goes on as it came where the form is known', () => {
    const { body, losses } = openaiChat.encodeRequest(requestOf(openaiChat, older), { model: 'm', stream: false });
    expect(body).toEqual(older);
    expect(losses).toEqual([]);
  });
});
