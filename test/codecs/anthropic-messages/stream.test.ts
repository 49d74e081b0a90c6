import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anthropicMessages } from '../../../src/codecs/anthropic-messages/index.ts';
import type { Part } from '../../../src/model/content.ts';
import type { FinishReason, StreamEvent } from '../../../src/model/event.ts';
import { isObject, type JsonObject } from '../../../src/model/json.ts';
import { eventsOf, foldAll } from '../../../src/model/response.ts';
import { NO_USAGE } from '../../../src/model/usage.ts';
import { dataOf, decodedStream, encodedStream, seenByClient } from './support.ts';

const fixture = (name: string): string =>
  readFileSync(resolve(import.meta.dirname, '../../fixtures/anthropic-messages', name), 'utf8');

const TOOLS = fixture('thinking-and-parallel-tools.sse');
const SERVER_TOOLS = fixture('server-tools-and-unknown-blocks.sse');
const WHOLE: JsonObject = JSON.parse(fixture('whole-message.json'));

const sse = (...events: readonly JsonObject[]): string =>
  events.map((event) => `event: ${String(event.type)}\ndata: ${JSON.stringify(event)}\n\n`).join('');

const START: JsonObject = { type: 'message_start', message: { id: 'msg_1', model: 'm', usage: { input_tokens: 1 } } };
const STOP: JsonObject = { type: 'message_stop' };

describe('reading a stream', () => {
  test('thinking, text and parallel calls', () => {
    const response = foldAll(decodedStream(TOOLS));
    expect(response).toMatchObject({
      id: 'msg_01Fixture',
      model: 'claude-sonnet-4-5',
      reason: { kind: 'tool-calls', raw: { codec: 'anthropic-messages', word: 'tool_use' } },
      usage: { input: 2_125, cacheRead: 2_000, cacheWrite: 100, output: 89, reasoning: 12 },
    });
    expect(response.parts).toMatchObject([
      {
        type: 'reasoning',
        text: 'Two cities, two calls.',
        origin: {
          block: { type: 'thinking', thinking: 'Two cities, two calls.', signature: 'RXhhbXBsZVNpZ25hdHVyZQ==' },
        },
      },
      { type: 'reasoning', text: '', origin: { block: { type: 'redacted_thinking', data: 'RXhhbXBsZURhdGE=' } } },
      { type: 'text', text: 'Grüße! I look up both. 🌦' },
      { type: 'tool-call', id: 'toolu_01A', name: 'weather', input: '{"city": "Berlin"}' },
      { type: 'tool-call', id: 'toolu_01B', name: 'now', input: '' },
    ]);
    expect(response.parts[3]?.origin?.block).toEqual({
      type: 'tool_use',
      id: 'toolu_01A',
      name: 'weather',
      input: { city: 'Berlin' },
      caller: { type: 'direct' },
    });
  });

  test('counts known before the first token come with the start', () => {
    const [start] = decodedStream(TOOLS);
    expect(start).toMatchObject({ type: 'response-start', usage: { input: 2_125, output: 3 } });
  });

  test('unknown blocks survive, whatever they grew by; unknown events say nothing', () => {
    const { parts } = foldAll(decodedStream(SERVER_TOOLS));
    expect(parts.map((part) => part.type)).toEqual(['opaque', 'opaque', 'text', 'opaque', 'opaque', 'opaque']);
    expect(parts[0]?.origin?.block).toMatchObject({ type: 'server_tool_use', input: { query: 'time' } });
    expect(parts[3]?.origin?.block).toEqual({ type: 'hologram', shape: 'cube', caption: 'a cube', faces: 6 });
    expect(parts[2]?.origin?.block).toMatchObject({ text: 'It is noon.', citations: [{ cited_text: 'It is noon.' }] });
  });

  test('starts and ends pair', () => {
    for (const text of [TOOLS, SERVER_TOOLS]) {
      const open = new Set<number>();
      for (const event of decodedStream(text)) {
        if (event.type === 'part-start') open.add(event.index);
        if (event.type === 'part-delta') expect(open).toContain(event.index);
        if (event.type === 'part-end') expect(open.delete(event.index)).toBe(true);
      }
      expect(open.size).toBe(0);
    }
  });

  test('any chunk boundary gives the same events', () => {
    const whole = decodedStream(TOOLS, 1_000_000);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), (pieceSize) => {
        expect(decodedStream(TOOLS, pieceSize)).toEqual(whole);
      }),
      { numRuns: 25 },
    );
  });

  test('C10 a block that was never stopped is stopped at the end', () => {
    const block = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } };
    const delta = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'a' } };
    expect(decodedStream(sse(START, block, delta, STOP)).map((event) => event.type)).toEqual([
      'response-start',
      'part-start',
      'part-delta',
      'part-end',
      'response-end',
    ]);
  });

  test('a call whose input a server wrote whole keeps it', () => {
    const block = { type: 'tool_use', id: 'a', name: 'n', input: { b: 1 } };
    const events = decodedStream(
      sse(
        START,
        { type: 'content_block_start', index: 0, content_block: block },
        { type: 'content_block_stop', index: 0 },
        STOP,
      ),
    );
    expect(foldAll(events).parts).toMatchObject([{ input: '{"b":1}' }]);
  });

  test('a call without an id gets one that no other call has', () => {
    const block = (index: number) => ({
      type: 'content_block_start',
      index,
      content_block: { type: 'tool_use', name: 'n', input: {} },
    });
    const { parts } = foldAll(decodedStream(sse(START, block(0), block(1), STOP), 1_000, { callId: 'req/7' }));
    expect(parts).toMatchObject([{ id: 'toolu_req_7_0' }, { id: 'toolu_req_7_1' }]);
  });

  const REASONS: readonly (readonly [string, FinishReason['kind']])[] = [
    ['end_turn', 'stop'],
    ['max_tokens', 'length'],
    ['stop_sequence', 'stop-sequence'],
    ['tool_use', 'tool-calls'],
    ['refusal', 'refusal'],
    ['pause_turn', 'pause'],
    ['model_context_window_exceeded', 'context-exceeded'],
    ['something_new', 'other'],
  ];

  test.each(REASONS)('E6 stop reason %s means %s, and back', (word, kind) => {
    const end = { type: 'message_delta', delta: { stop_reason: word, stop_sequence: null }, usage: {} };
    const block = {
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'tool_use', id: 'a', name: 'n', input: {} },
    };
    const response = foldAll(decodedStream(sse(START, ...(word === 'tool_use' ? [block] : []), end, STOP)));
    expect(response.reason).toEqual({ kind, raw: { codec: 'anthropic-messages', word } });
    expect(anthropicMessages.encodeResponse(response).stop_reason).toBe(word);
  });

  test('the stop sequence that was met is kept', () => {
    const end = { type: 'message_delta', delta: { stop_reason: 'stop_sequence', stop_sequence: 'END' }, usage: {} };
    const response = foldAll(decodedStream(sse(START, end, STOP)));
    expect(response.reason.stopSequence).toBe('END');
    expect(anthropicMessages.encodeResponse(response).stop_sequence).toBe('END');
  });

  const ERRORS: readonly (readonly [JsonObject, string])[] = [
    [{ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }, 'overloaded'],
    [{ type: 'error', error: { type: 'api_error', message: 'x' } }, 'overloaded'],
    [{ type: 'error', error: { type: 'rate_limit_error', message: 'x' } }, 'rate-limit'],
    [{ type: 'error', error: { type: 'invalid_request_error', message: 'x' } }, 'invalid-request'],
    [{ type: 'error', error: { type: 'brand_new_error', message: 'x' } }, 'overloaded'],
    [{ error: { message: 'x', code: 500 } }, 'overloaded'],
  ];

  test.each(ERRORS)('C9 the error event %j is thrown as %s', (event, kind) => {
    expect(() => decodedStream(sse(START, event))).toThrow(expect.objectContaining({ kind }));
  });

  const BROKEN: readonly (readonly [string, string, string])[] = [
    ['nothing at all', '', 'network'],
    ['a stream cut in the middle', TOOLS.slice(0, 900), 'network'],
    ['a stream without message_stop', TOOLS.slice(0, TOOLS.lastIndexOf('event:')), 'network'],
    ['data that is not JSON', `${sse(START)}data: {oops\n\n`, 'bad-response'],
    ['data that is no object', `${sse(START)}data: 7\n\n`, 'bad-response'],
    ['a block before its message', sse({ type: 'content_block_start', index: 0, content_block: {} }), 'bad-response'],
    ['a delta without its block', sse(START, { type: 'content_block_delta', index: 3, delta: {} }), 'bad-response'],
  ];

  test.each(BROKEN)('%s is an error', (_what, text, kind) => {
    expect(() => decodedStream(text)).toThrow(expect.objectContaining({ kind }));
  });

  test('what comes behind the end is not read', () => {
    expect(decodedStream(`${sse(START, STOP)}data: [DONE]\n\ndata: x\n\n`)).toHaveLength(2);
  });
});

describe('writing a stream', () => {
  test.each([
    ['thinking and parallel calls', TOOLS],
    ['server tools and unknown blocks', SERVER_TOOLS],
  ])('%s come out as they went in', (_what, text) => {
    const events = decodedStream(text);
    const response = foldAll(events);
    const again = seenByClient(events);
    expect(again.parts).toEqual(response.parts);
    expect(again.reason).toEqual(response.reason);
    expect(again.usage).toEqual(response.usage);
    expect(again.endOrigin?.block).toMatchObject({ delta: response.endOrigin?.block.delta });
  });

  test('a whole message survives, unknown fields and blocks with it, whole and streamed', () => {
    const response = anthropicMessages.decodeResponse(WHOLE);
    expect(anthropicMessages.encodeResponse(response)).toEqual(WHOLE);
    expect(foldAll(eventsOf(response))).toEqual(response);
    expect(seenByClient(eventsOf(response)).parts).toEqual(response.parts);
  });

  test('the model is the one that the client asked for', () => {
    const [start] = dataOf(encodedStream(decodedStream(TOOLS), 'anthropic/claude-sonnet-4-5'));
    expect(start).toMatchObject({ message: { model: 'anthropic/claude-sonnet-4-5', content: [], stop_reason: null } });
  });

  test('cached tokens are taken out of the input, and the output of the start stays small', () => {
    const data = dataOf(encodedStream(decodedStream(TOOLS)));
    const counts = { input_tokens: 25, cache_creation_input_tokens: 100, cache_read_input_tokens: 2_000 };
    expect(data[0]).toMatchObject({ message: { usage: { ...counts, output_tokens: 1, service_tier: 'standard' } } });
    expect(data.at(-2)).toMatchObject({
      usage: { ...counts, output_tokens: 89, output_tokens_details: { thinking_tokens: 12 } },
    });
  });

  const START_EVENT: StreamEvent = { type: 'response-start', id: 'chatcmpl-1', model: 'gpt-4o' };
  const end = (kind: FinishReason['kind']): StreamEvent => ({
    type: 'response-end',
    reason: { kind },
    usage: NO_USAGE,
  });
  const whole = (index: number, part: Part): StreamEvent[] => [
    { type: 'part-start', index, part },
    { type: 'part-end', index },
  ];
  const call = (id: string, input = ''): Part => ({ type: 'tool-call', id, name: `n_${id}`, input });
  const grow = (index: number, delta: string): StreamEvent => ({ type: 'part-delta', index, delta });
  const stopReason = (events: readonly StreamEvent[]) =>
    dataOf(encodedStream(events)).find((data) => data.type === 'message_delta')?.delta;

  test('C6 parallel calls that interleave come out one after the other', () => {
    const events: StreamEvent[] = [
      START_EVENT,
      { type: 'part-start', index: 0, part: { type: 'text', text: '' } },
      grow(0, 'both'),
      { type: 'part-start', index: 1, part: call('a') },
      { type: 'part-start', index: 2, part: call('b') },
      grow(2, '{"b"'),
      grow(1, '{"a"'),
      grow(2, ':2}'),
      { type: 'part-end', index: 2 },
      grow(1, ':1}'),
      { type: 'part-end', index: 0 },
      ...whole(3, call('c', '{"c":3}')),
      { type: 'part-end', index: 1 },
      end('tool-calls'),
    ];
    const data = dataOf(encodedStream(events));
    const blocks = data
      .filter(({ index }) => index !== undefined)
      .map(({ type, index }) => `${String(type)} ${String(index)}`);
    expect(blocks).toEqual([0, 1, 2, 3].flatMap((at) => blocks.filter((block) => block.endsWith(` ${at}`))));
    expect(blocks.filter((block) => block.startsWith('content_block_start'))).toHaveLength(4);
    expect(blocks.filter((block) => block.startsWith('content_block_stop'))).toHaveLength(4);
    expect(seenByClient(events).parts).toMatchObject([
      { type: 'text', text: 'both' },
      { type: 'tool-call', id: 'a', input: '{"a":1}' },
      { type: 'tool-call', id: 'b', input: '{"b":2}' },
      { type: 'tool-call', id: 'c', input: '{"c":3}' },
    ]);
  });

  test('any interleaving of parts is one block at a time, and loses nothing', () => {
    const script = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.string({ minLength: 1 }), fc.boolean()));
    fc.assert(
      fc.property(script, (steps) => {
        const texts = new Map<number, string>();
        const ended = new Set<number>();
        const events: StreamEvent[] = [START_EVENT];
        for (const [index, delta, ends] of steps) {
          if (ended.has(index)) continue;
          if (!texts.has(index)) events.push({ type: 'part-start', index, part: { type: 'text', text: '' } });
          events.push(grow(index, delta));
          texts.set(index, (texts.get(index) ?? '') + delta);
          if (ends) {
            events.push({ type: 'part-end', index });
            ended.add(index);
          }
        }
        events.push(end('stop'));
        expect(seenByClient(events).parts.map((part) => (part.type === 'text' ? part.text : ''))).toEqual([
          ...texts.values(),
        ]);
        const data = dataOf(encodedStream(events)).filter(({ index }) => index !== undefined);
        let open: unknown;
        for (const { type, index } of data) {
          if (type === 'content_block_start') {
            expect(open).toBeUndefined();
            open = index;
          }
          expect(index).toBe(open);
          if (type === 'content_block_stop') open = undefined;
        }
      }),
      { numRuns: 50 },
    );
  });

  test('C5 fragments of arguments pass untouched, behind an empty input', () => {
    const events = [
      START_EVENT,
      { type: 'part-start', index: 0, part: call('a') } as const,
      grow(0, '{"x'),
      grow(0, '":1}'),
    ];
    const data = dataOf(encodedStream(events));
    expect(data[1]).toMatchObject({ content_block: { type: 'tool_use', id: 'a', name: 'n_a', input: {} } });
    expect(data.slice(2).map(({ delta }) => isObject(delta) && delta.partial_json)).toEqual(['{"x', '":1}']);
  });

  test('C1 a call that came whole brings its arguments in one delta', () => {
    const data = dataOf(encodedStream([START_EVENT, ...whole(0, call('a', '{"x":1}'))]));
    expect(data.slice(1)).toMatchObject([
      { content_block: { input: {} } },
      { delta: { type: 'input_json_delta', partial_json: '{"x":1}' } },
      { type: 'content_block_stop' },
    ]);
  });

  test('B1 ids are made of what the format allows, and are unique', () => {
    const parts = ['call_a.b:1/|x', 'call_a.b:1/|x', ''].map((id) => call(id));
    const data = dataOf(encodedStream([START_EVENT, ...parts.flatMap((part, index) => whole(index, part))]));
    const ids = data.flatMap(({ content_block: block }) => (isObject(block) ? [block.id] : []));
    expect(ids).toEqual(['call_a_b_1__x', 'call_a_b_1__x_2', 'toolu']);
  });

  test("another model's thinking is shown, but unsigned", () => {
    const part: Part = { type: 'reasoning', text: 'hm' };
    const data = dataOf(encodedStream([START_EVENT, ...whole(0, part), end('stop')]));
    expect(data.slice(1, 4)).toEqual([
      { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'hm' } },
      { type: 'content_block_stop', index: 0 },
    ]);
  });

  const ENDINGS: readonly (readonly [FinishReason['kind'], boolean, string])[] = [
    ['stop', false, 'end_turn'],
    ['stop', true, 'tool_use'],
    ['tool-calls', true, 'tool_use'],
    ['tool-calls', false, 'end_turn'],
    ['other', false, 'end_turn'],
    ['other', true, 'tool_use'],
    ['length', false, 'max_tokens'],
    ['length', true, 'max_tokens'],
    ['refusal', false, 'refusal'],
    ['pause', false, 'pause_turn'],
    ['context-exceeded', false, 'model_context_window_exceeded'],
    ['stop-sequence', false, 'stop_sequence'],
  ];

  test.each(ENDINGS)('E6 %s with a call for the client: %s, is %s', (kind, hasCall, word) => {
    const events = [START_EVENT, ...(hasCall ? whole(0, call('a', '{}')) : []), end(kind)];
    expect(stopReason(events)).toEqual({ stop_reason: word, stop_sequence: null });
    expect(anthropicMessages.encodeResponse(foldAll(events)).stop_reason).toBe(word);
  });

  const ran: Part = {
    type: 'tool-call',
    id: 'call_1',
    name: 'files-read-all',
    input: '{"path":"a"}',
    owner: 'gateway',
    turn: { round: 2, mixed: true },
  };
  const got: Part = {
    type: 'tool-result',
    callId: 'call_1',
    isError: false,
    owner: 'gateway',
    turn: { round: 2, mixed: true },
    content: [
      { type: 'text', text: 'found' },
      { type: 'media', mediaType: 'image/png', source: { type: 'base64', data: 'aa' } },
      { type: 'media', mediaType: 'application/pdf', source: { type: 'base64', data: 'aa' }, name: 'a.pdf' },
    ],
  };

  test('I5 what the gateway ran comes whole in its start, and is no call for the client', () => {
    const events = [START_EVENT, ...whole(0, ran), ...whole(1, got), end('stop')];
    const data = dataOf(encodedStream(events));
    const blocks = [
      {
        type: 'mcp_tool_use',
        id: 'mcptoolu_bf2m_call_1',
        name: 'read-all',
        server_name: 'files',
        input: { path: 'a' },
      },
      {
        type: 'mcp_tool_result',
        tool_use_id: 'mcptoolu_bf2m_call_1',
        is_error: false,
        content: [
          { type: 'text', text: 'found' },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aa' } },
          { type: 'text', text: '[a.pdf]' },
        ],
      },
    ];
    expect(data.slice(1, 5)).toEqual(
      blocks.flatMap((block, index) => [
        { type: 'content_block_start', index, content_block: block },
        { type: 'content_block_stop', index },
      ]),
    );
    expect(stopReason(events)).toMatchObject({ stop_reason: 'end_turn' });
    expect(anthropicMessages.encodeResponse(foldAll(events)).content).toEqual(blocks);
  });

  test("a call that another provider ran is never given to the client, and Anthropic's own blocks are", () => {
    const theirs: Part = { type: 'tool-call', id: 'ws_1', name: 'web_search', input: '{}', owner: 'provider' };
    const foreign: Part = { type: 'opaque', origin: { codec: 'openai-chat', block: { type: 'x' } } };
    const events = [
      START_EVENT,
      ...whole(0, theirs),
      ...whole(1, foreign),
      ...whole(2, { type: 'text', text: 'a' }),
      end('stop'),
    ];
    expect(dataOf(encodedStream(events)).filter(({ type }) => type === 'content_block_start')).toHaveLength(1);
    expect(anthropicMessages.encodeResponse(foldAll(events)).content).toEqual([{ type: 'text', text: 'a' }]);
  });

  test('the address of an image in an answer stays; there is no place for its bytes', () => {
    const image = (source: Extract<Part, { type: 'media' }>['source']): Part => ({
      type: 'media',
      mediaType: 'image/png',
      source,
    });
    const parts = [image({ type: 'url', url: 'https://a/b.png' }), image({ type: 'base64', data: 'aa' })];
    const events = [START_EVENT, ...parts.flatMap((part, index) => whole(index, part)), end('stop')];
    expect(seenByClient(events).parts).toMatchObject([{ text: '![image/png](https://a/b.png)' }]);
    expect(seenByClient(events).parts).toHaveLength(1);
  });

  test('an id of another format becomes one of this, or the one the gateway gives', () => {
    expect(dataOf(encodedStream([START_EVENT]))[0]).toMatchObject({
      message: { id: 'msg_chatcmpl-1', type: 'message' },
    });
    const encode = anthropicMessages.encodeStream({ model: 'm', id: 'req-9' });
    expect(dataOf(encode({ type: 'response-start', id: '', model: '' }))[0]).toMatchObject({
      message: { id: 'msg_req-9' },
    });
  });

  test('E8 a whole answer of another format has every field that clients require', () => {
    const answer = anthropicMessages.encodeResponse(
      foldAll([START_EVENT, ...whole(0, { type: 'text', text: 'a' }), end('stop')]),
      { model: 'openai/gpt-4o' },
    );
    expect(answer).toEqual({
      id: 'msg_chatcmpl-1',
      type: 'message',
      role: 'assistant',
      model: 'openai/gpt-4o',
      content: [{ type: 'text', text: 'a' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 },
    });
  });

  test('a keep-alive is a ping', () => {
    expect(anthropicMessages.keepAlive).toBe('event: ping\ndata: {"type":"ping"}\n\n');
  });
});

describe('reading a whole answer', () => {
  test('an error under status 200 is thrown', () => {
    expect(() =>
      anthropicMessages.decodeResponse({ type: 'error', error: { type: 'overloaded_error', message: 'x' } }),
    ).toThrow(expect.objectContaining({ kind: 'overloaded' }));
  });

  test('something that is no message is a bad response', () => {
    expect(() => anthropicMessages.decodeResponse({ hello: 1 })).toThrow(
      expect.objectContaining({ kind: 'bad-response' }),
    );
  });
});

describe('a glance', () => {
  test('reads usage and end from the first and the last event', () => {
    const { usage, reason } = foldAll(decodedStream(TOOLS));
    expect(anthropicMessages.glance(Buffer.from(TOOLS), 'sse')).toEqual({ usage, reason, complete: true });
  });

  test.each([': ping\n\n', 'data: [DONE]\n\n', ': ping\n\ndata: [DONE]\n\n: over\n\n'])(
    'reads them in front of %j',
    (behind) => {
      const { usage, reason } = foldAll(decodedStream(TOOLS));
      const glance = anthropicMessages.glance(Buffer.from(TOOLS + behind), 'sse');
      expect(glance).toEqual({ usage, reason, complete: true });
    },
  );

  test('words inside texts deceive nobody', () => {
    const said = 'data: {"type":"message_delta"} "message_stop" {"error":{"type":"x"}} \ndata: {"type":"message_stop"}';
    const delta = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: said } };
    expect(anthropicMessages.glance(Buffer.from(sse(START, delta)), 'sse')).toEqual({
      usage: { ...NO_USAGE, input: 1 },
      complete: false,
    });
  });

  test('reads a whole answer', () => {
    const { usage, reason } = anthropicMessages.decodeResponse(WHOLE);
    expect(anthropicMessages.glance(Buffer.from(JSON.stringify(WHOLE)), 'json')).toEqual({
      usage,
      reason,
      complete: true,
    });
    expect(anthropicMessages.glance(Buffer.from('{"id":'), 'json')).toEqual({ complete: false });
  });

  test('sees an error at the end', () => {
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    expect(anthropicMessages.glance(Buffer.from(sse(START, error)), 'sse')).toMatchObject({
      complete: false,
      error: { kind: 'overloaded' },
    });
  });
});
