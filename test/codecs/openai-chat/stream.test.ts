import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openaiChat } from '../../../src/codecs/openai-chat/index.ts';
import { GatewayError } from '../../../src/model/errors.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import { cut } from '../pieces.ts';
import { callsIn, chunk, decoded, refusalIn, sseOf, streamed, textIn, thinkingIn } from './answers.ts';
import { fixture } from './fixtures.ts';

const parallel = fixture('parallel-calls.sse');
const USAGE = { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14 };

interface CallFragment {
  readonly index?: number;
  readonly id?: string;
  readonly name?: string;
  readonly arguments?: string | JsonObject;
}

/** A chunk with one fragment of a tool call. */
const call = ({ index, id, ...body }: CallFragment): JsonObject =>
  chunk({ tool_calls: [{ ...(index !== undefined && { index }), ...(id !== undefined && { id }), function: body }] });

const callsOf = (...fragments: readonly CallFragment[]) =>
  callsIn(streamed(sseOf(...fragments.map(call), chunk({}, 'tool_calls')))).map(({ name, input }) => [name, input]);

describe('a streamed answer', () => {
  test('folds to thinking, text, calls, reason and usage', () => {
    const response = streamed(parallel);
    expect(response).toMatchObject({ id: 'chatcmpl-fixture1', model: 'fixture-model-2' });
    expect(thinkingIn(response)).toBe('Two cities, two calls.');
    expect(textIn(response)).toBe('Ich schaue nach – für beide Städte 🌤');
    expect(callsIn(response)).toEqual([
      { id: 'call_a', name: 'weather', input: '{"city":"Köln"}' },
      { id: 'call_b', name: 'weather', input: '{"city":"Bern"}' },
    ]);
    expect(response.reason).toEqual({ kind: 'tool-calls', raw: { codec: 'openai-chat', word: 'tool_calls' } });
    expect(response.usage).toEqual({ input: 120, output: 48, cacheRead: 64, cacheWrite: 0, reasoning: 16 });
  });

  test('gives the same events however its bytes are cut', () => {
    const bytes = Buffer.from(parallel);
    const whole = decoded([bytes]);
    const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(sizes, (given) => {
        expect(decoded(cut(bytes, given))).toEqual(whole);
      }),
    );
    expect(decoded([Buffer.from(parallel.replaceAll('\n', '\r\n'))])).toEqual(whole);
  });

  test('C5 fragments of arguments flow on as they come', () => {
    const decoder = openaiChat.decodeStream();
    const push = (data: JsonObject) => decoder.push({ data: JSON.stringify(data) });
    push(call({ index: 0, id: 'a', name: 'f', arguments: '' }));
    expect(push(call({ index: 0, arguments: '{"x' }))).toEqual([{ type: 'part-delta', index: 0, delta: '{"x' }]);
  });

  test('C1 arguments that come whole, with the name or only at the end, are not lost', () => {
    expect(callsOf({ index: 0, id: 'a', name: 'f', arguments: '{"x":1}' })).toEqual([['f', '{"x":1}']]);
    expect(callsOf({ index: 0, id: 'a', name: 'f' }, { index: 0, arguments: '{"x":1}' })).toEqual([['f', '{"x":1}']]);
  });

  test.each<[string, CallFragment[]]>([
    [
      'an index that is always 0',
      [
        { index: 0, id: 'a', name: 'f', arguments: '{"x":1}' },
        { index: 0, id: 'b', name: 'f', arguments: '{"x":2}' },
      ],
    ],
    [
      'no index',
      [
        { id: 'a', name: 'f', arguments: '{"x":1}' },
        { id: 'b', name: 'f', arguments: '{"x":2}' },
      ],
    ],
    [
      'neither index nor id',
      [
        { name: 'f', arguments: '{"x":1}' },
        { name: 'f', arguments: '{"x":2}' },
      ],
    ],
    [
      'one id for both',
      [
        { index: 0, id: 'f', name: 'f', arguments: '{"x":1}' },
        { index: 1, id: 'f', name: 'f', arguments: '{"x":2}' },
      ],
    ],
    [
      'fragments without index',
      [
        { id: 'a', name: 'f', arguments: '{"x"' },
        { arguments: ':1}' },
        { id: 'b', name: 'f', arguments: '{"x"' },
        { arguments: ':2}' },
      ],
    ],
    [
      'repeated names',
      [
        { index: 0, id: 'a', name: 'f', arguments: '{"x"' },
        { index: 0, id: 'a', name: 'f', arguments: ':1}' },
        { index: 1, id: 'b', name: 'f', arguments: '{"x":2}' },
      ],
    ],
    [
      'interleaving',
      [
        { index: 0, id: 'a', name: 'f', arguments: '{"x"' },
        { index: 1, id: 'b', name: 'f', arguments: '{"x"' },
        { index: 0, arguments: ':1}' },
        { index: 1, arguments: ':2}' },
      ],
    ],
  ])('C6 two calls with %s stay two', (_, fragments) => {
    expect(callsOf(...fragments)).toEqual([
      ['f', '{"x":1}'],
      ['f', '{"x":2}'],
    ]);
    const ids = callsIn(streamed(sseOf(...fragments.map(call), chunk({}, 'tool_calls')))).map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
    expect(ids.every((id) => /^[\w-]{1,64}$/.test(id))).toBe(true);
  });

  test('ids that are left out differ from answer to answer', () => {
    const text = sseOf({ ...call({ name: 'f', arguments: '{}' }), id: '' }, chunk({}, 'stop'));
    const idIn = (callId: string) => callsIn(streamed(text, { callId }))[0]?.id;
    expect(idIn('request-1')).toBe(idIn('request-1'));
    expect(idIn('request-1')).not.toBe(idIn('request-2'));
  });

  test('A13 renamed tools come back under the names that the request knows', () => {
    const text = sseOf(call({ id: 'a', name: 'my_tool_1a2b', arguments: '{}' }), chunk({}, 'tool_calls'));
    const toolNames = new Map([['my_tool_1a2b', 'my.tool']]);
    expect(callsIn(streamed(text, { toolNames }))[0]?.name).toBe('my.tool');
  });

  test('a call whose name comes late waits for it, one that never gets a name is an error', () => {
    expect(callsOf({ index: 0, id: 'a' }, { index: 0, name: 'f', arguments: '{}' })).toEqual([['f', '{}']]);
    expect(() => callsOf({ index: 0, id: 'a', arguments: '{}' })).toThrow('without a name');
  });

  test('arguments as an object are written as text', () => {
    expect(callsOf({ id: 'a', name: 'f', arguments: { x: 1 } })).toEqual([['f', '{"x":1}']]);
  });

  test('E6 "stop" with calls means calls, "tool_calls" without calls means stop', () => {
    expect(streamed(sseOf(call({ id: 'a', name: 'f' }), chunk({}, 'stop'))).reason.kind).toBe('tool-calls');
    expect(streamed(sseOf(chunk({ content: 'x' }, 'tool_calls'))).reason.kind).toBe('stop');
  });

  test.each([
    ['stop', 'stop'],
    ['eos', 'stop'],
    ['length', 'length'],
    ['content_filter', 'refusal'],
    ['something_new', 'other'],
  ])('finish_reason %s means %s', (word, kind) => {
    expect(streamed(sseOf(chunk({ content: 'x' }, word))).reason).toEqual({
      kind,
      raw: { codec: 'openai-chat', word },
    });
  });

  test.each(['error', 'insufficient_system_resource'])('C9 finish_reason %s is an error, not an end', (word) => {
    expect(() => streamed(sseOf(chunk({ content: 'x' }, word)))).toThrow(GatewayError);
  });

  test('a stream without finish_reason ends by [DONE]; without either it was cut', () => {
    const open = `data: ${JSON.stringify(chunk({ content: '4' }))}\n\n`;
    expect(streamed(`${open}data: [DONE]\n\n`)).toMatchObject({ reason: { kind: 'stop' } });
    expect(() => streamed(open)).toThrow(expect.objectContaining({ kind: 'network' }));
    expect(streamed(open + open.replace('"finish_reason":null', '"finish_reason":"stop"')).reason.kind).toBe('stop');
  });

  test.each<[string, JsonObject[]]>([
    ['a last chunk without choices', [chunk({}, 'stop'), { choices: [], usage: USAGE }]],
    ['the chunk that ends', [chunk({}, 'stop', { usage: USAGE })]],
    ['x_groq', [chunk({}, 'stop', { x_groq: { usage: USAGE } })]],
    [
      'every chunk',
      [
        chunk({ content: 'y' }, null, { usage: { ...USAGE, completion_tokens: null } }),
        chunk({}, 'stop', { usage: USAGE }),
      ],
    ],
  ])('usage in %s counts', (_, chunks) => {
    expect(streamed(sseOf(chunk({ content: 'x' }), ...chunks)).usage).toMatchObject({ input: 10, output: 4 });
  });

  test('an error object in mid-stream ends the answer with its words and its status', () => {
    const text = sseOf(chunk({ content: 'x' }), { error: { message: 'Provider is down', code: 502 } });
    expect(() => streamed(text)).toThrow(
      expect.objectContaining({
        message: 'Provider is down',
        kind: 'overloaded',
        details: expect.objectContaining({ status: 502 }),
      }),
    );
  });

  test('an event that is not JSON is a bad response', () => {
    expect(() => streamed('data: {"choices"\n\n')).toThrow(expect.objectContaining({ kind: 'bad-response' }));
  });

  test('a first chunk without choices and id (Azure) does not name the answer', () => {
    const filter = { id: '', model: '', choices: [], prompt_filter_results: [{ prompt_index: 0 }] };
    const response = streamed(sseOf(filter, chunk({ content: 'x' }, 'stop')));
    expect(response.id).toBe('chatcmpl-1');
    expect(response.origin?.block.prompt_filter_results).toEqual([{ prompt_index: 0 }]);
  });

  test('a refusal is text that ends as a refusal', () => {
    const response = streamed(sseOf(chunk({ refusal: 'I ' }), chunk({ refusal: 'cannot' }, 'stop')));
    expect(refusalIn(response)).toBe('I cannot');
    expect(response.reason.kind).toBe('refusal');
  });

  test('D6 reasoning keeps its fields for the next turn, in details grown together', () => {
    const detail = (text: string) => ({ type: 'reasoning.text', index: 0, text });
    const response = streamed(
      sseOf(
        chunk({ reasoning: 'a', reasoning_details: [detail('a')] }),
        chunk({ reasoning: 'b', reasoning_details: [{ ...detail('b'), signature: 's' }] }),
        chunk({ content: 'x' }, 'stop'),
      ),
    );
    expect(response.parts[0]).toEqual({
      type: 'reasoning',
      text: 'ab',
      origin: {
        codec: 'openai-chat',
        block: { reasoning: 'ab', reasoning_details: [{ ...detail('ab'), signature: 's' }] },
      },
    });
  });

  test('content as a list (Mistral) is read part by part', () => {
    const thinking = (text: string) => chunk({ content: [{ type: 'thinking', thinking: [{ type: 'text', text }] }] });
    const response = streamed(
      sseOf(thinking('a'), thinking('b'), chunk({ content: [{ type: 'text', text: 'x' }] }, 'stop')),
    );
    expect(thinkingIn(response)).toBe('ab');
    expect(textIn(response)).toBe('x');
  });

  test('images become media, audio and other things stay opaque', () => {
    const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,aW1n' } };
    const audio = (data: string) => chunk({ audio: { id: 'audio_1', data } });
    const { parts } = streamed(sseOf(chunk({ images: [image] }), audio('YQ'), audio('=='), chunk({}, 'stop')));
    expect(parts).toMatchObject([
      { type: 'media', mediaType: 'image/png', source: { type: 'base64', data: 'aW1n' } },
      { type: 'opaque', origin: { block: { audio: { id: 'audio_1', data: 'YQ==' } } } },
    ]);
  });

  test('the older function_call is a call with an id of its own', () => {
    const text = sseOf(
      chunk({ function_call: { name: 'f', arguments: '' } }),
      chunk({ function_call: { arguments: '{"x":1}' } }, 'function_call'),
    );
    expect(callsIn(streamed(text))).toEqual([{ id: expect.stringMatching(/^call_/), name: 'f', input: '{"x":1}' }]);
  });

  test('calls with free text come as one argument', () => {
    const custom = (body: JsonObject) => chunk({ tool_calls: [{ index: 0, id: 'a', type: 'custom', custom: body }] });
    const response = streamed(
      sseOf(custom({ name: 'sql', input: 'select ' }), custom({ input: '"1"' }), chunk({}, 'tool_calls')),
    );
    expect(callsIn(response)).toEqual([{ id: 'a', name: 'sql', input: '{"input":"select \\"1\\""}' }]);
    const { choices } = openaiChat.encodeResponse(response);
    expect(choices).toMatchObject([
      { message: { tool_calls: [{ id: 'a', type: 'custom', custom: { name: 'sql', input: 'select "1"' } }] } },
    ]);
  });

  test('of several choices the first is read', () => {
    const second = { ...chunk({}), choices: [{ index: 1, delta: { content: 'other' } }] };
    expect(textIn(streamed(sseOf(chunk({ content: 'x' }), second, chunk({}, 'stop'))))).toBe('x');
  });
});

describe('a whole answer', () => {
  test('an error in a 200 answer is an error', () => {
    expect(() => openaiChat.decodeResponse({ error: { message: 'no', code: 429 } })).toThrow(
      expect.objectContaining({ kind: 'rate-limit', message: 'no' }),
    );
  });

  test('an answer without choices is a bad response', () => {
    expect(() => openaiChat.decodeResponse({ choices: [] })).toThrow(expect.objectContaining({ kind: 'bad-response' }));
  });

  test('calls without ids, or with the same one, get ids of their own', () => {
    const calls = [{ function: { name: 'f', arguments: '{}' } }, { function: { name: 'f', arguments: '' } }];
    const body = { id: 'x', choices: [{ message: { content: null, tool_calls: calls }, finish_reason: 'stop' }] };
    const ids = callsIn(openaiChat.decodeResponse(body)).map(({ id }) => id);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(2);
  });

  test.each<[string, JsonObject, object]>([
    [
      'reasoning counted apart (xAI)',
      {
        prompt_tokens: 12,
        completion_tokens: 1,
        total_tokens: 241,
        completion_tokens_details: { reasoning_tokens: 228 },
      },
      { input: 12, output: 229, reasoning: 228 },
    ],
    [
      'cache hits of DeepSeek',
      { prompt_tokens: 12, completion_tokens: 1, prompt_cache_hit_tokens: 8 },
      { input: 12, cacheRead: 8 },
    ],
    [
      'cached tokens counted apart',
      { prompt_tokens: 12, completion_tokens: 1, total_tokens: 113, cache_read_input_tokens: 100 },
      { input: 112, cacheRead: 100 },
    ],
    [
      'more cached tokens than there are',
      { prompt_tokens: 12, completion_tokens: 1, total_tokens: 13, prompt_tokens_details: { cached_tokens: 50 } },
      { input: 12, cacheRead: 12 },
    ],
    [
      'written to a cache',
      { prompt_tokens: 12, completion_tokens: 1, prompt_tokens_details: { cache_write_tokens: 9 } },
      { input: 12, cacheWrite: 9 },
    ],
  ])('E7 usage with %s', (_, usage, expected) => {
    const body = { choices: [{ message: { content: 'x' }, finish_reason: 'stop' }], usage };
    expect(openaiChat.decodeResponse(body).usage).toMatchObject(expected);
  });
});
