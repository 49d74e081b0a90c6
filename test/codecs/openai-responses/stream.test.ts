import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openaiResponses } from '../../../src/codecs/openai-responses/index.ts';
import { GatewayError } from '../../../src/model/errors.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import { foldAll } from '../../../src/model/response.ts';
import { cut } from '../pieces.ts';
import { dataOf, decoded, encodedStream, fixture, sseOf, streamed } from './support.ts';

const turn = fixture('turn.sse');
const start: JsonObject = { type: 'response.created', response: { id: 'resp_1', model: 'm', status: 'in_progress' } };
const end = (response: JsonObject = {}): JsonObject => ({
  type: 'response.completed',
  response: { id: 'resp_1', model: 'm', status: 'completed', output: [], ...response },
});
const added = (item: JsonObject, output_index = 0): JsonObject => ({
  type: 'response.output_item.added',
  output_index,
  item,
});
const done = (item: JsonObject, output_index = 0): JsonObject => ({
  type: 'response.output_item.done',
  output_index,
  item,
});
const call = (more: JsonObject = {}): JsonObject => ({
  id: 'fc_1',
  type: 'function_call',
  call_id: 'call_1',
  name: 'weather',
  arguments: '',
  ...more,
});
const thrownBy = (text: string): GatewayError => {
  try {
    streamed(text);
  } catch (error) {
    if (error instanceof GatewayError) return error;
  }
  throw new Error('nothing was thrown');
};

describe('a stream', () => {
  test('becomes parts, each with the wire block that it came from', () => {
    const response = streamed(turn);
    expect(response).toMatchObject({
      id: 'resp_01',
      model: 'gpt-5-mini-2025-08-07',
      reason: { kind: 'tool-calls', raw: { word: 'completed' } },
      usage: { input: 100, output: 40, cacheRead: 64, cacheWrite: 0, reasoning: 16 },
      parts: [
        { type: 'reasoning', text: 'Both cities at once.', origin: { block: { encrypted_content: 'gAAA-last' } } },
        {
          type: 'text',
          text: 'Ich schaue – für beide 🌤',
          origin: { block: { message: { id: 'msg_01', phase: 'commentary' } } },
        },
        { type: 'tool-call', id: 'call_a', name: 'weather', input: '{"city":"Köln"}' },
        { type: 'tool-call', id: 'call_b', name: 'mcp__demo::echo', input: '{"text":"hallo"}' },
        { type: 'tool-call', id: 'call_c', name: '::apply_patch', input: '{"input":"*** Begin Patch"}' },
        { type: 'opaque', origin: { block: { type: 'web_search_call', action: { query: 'Wetter' } } } },
      ],
    });
  });

  test('means the same at any chunk boundary', () => {
    const bytes = Buffer.from(turn);
    const whole = decoded([bytes]);
    const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(sizes, (pieces) => {
        expect(decoded(cut(bytes, pieces))).toEqual(whole);
      }),
      { numRuns: 40 },
    );
  });

  test('goes out as it came in: the same items, the same fields of the response', () => {
    const ours = dataOf(encodedStream(decoded([Buffer.from(turn)])));
    const items = (events: readonly JsonObject[]) =>
      events.flatMap(({ type, item, output_index }) =>
        type === 'response.output_item.done' ? [[output_index, item]] : [],
      );
    expect(items(ours).sort()).toEqual(items(dataOf(turn)).sort());
    const last = ours.at(-1)?.response;
    expect(last).toMatchObject({ instructions: 'Be brief.', completed_at: 1760000003, unheard_of: { kept: true } });
    expect(foldAll(decoded([Buffer.from(encodedStream(decoded([Buffer.from(turn)])))])).parts).toEqual(
      streamed(turn).parts,
    );
  });

  test('C1 arguments that come only when they are done are not lost', () => {
    const onlyDone = { type: 'response.function_call_arguments.done', output_index: 0, arguments: '{"a":1}' };
    expect(streamed(sseOf(start, added(call()), onlyDone, end())).parts).toMatchObject([{ input: '{"a":1}' }]);
    const onlyItem = done(call({ arguments: '{"a":1}' }));
    expect(streamed(sseOf(start, added(call()), onlyItem, end())).parts).toMatchObject([{ input: '{"a":1}' }]);
    expect(streamed(sseOf(start, onlyItem, end())).parts).toMatchObject([{ input: '{"a":1}' }]);
    expect(streamed(sseOf(start, end({ output: [call({ arguments: '{"a":1}' })] }))).parts).toMatchObject([
      { input: '{"a":1}' },
    ]);
  });

  test('C9 a failed response is an error, never an end', () => {
    const error = { code: 'rate_limit_exceeded', message: 'slow down' };
    const failed = { type: 'response.failed', response: { id: 'resp_1', status: 'failed', error } };
    const thrown = thrownBy(sseOf(start, failed));
    expect(thrown).toMatchObject({
      kind: 'rate-limit',
      message: 'slow down',
      details: { code: 'rate_limit_exceeded' },
    });
    expect(() => openaiResponses.decodeResponse({ id: 'r', status: 'failed', error, output: [] })).toThrow('slow down');
    const glance = openaiResponses.glance(Buffer.from(sseOf(start, failed)), 'sse');
    expect(glance).toMatchObject({ complete: false, error: { kind: 'rate-limit' } });
  });

  test.each<[string, JsonObject, string]>([
    ['error with its members at the top', { type: 'error', code: 'server_error', message: 'broke' }, 'broke'],
    ['error with an error object', { type: 'error', error: { message: 'broke', type: 'x' } }, 'broke'],
    ['response.cancelled', { type: 'response.cancelled', response: { status: 'cancelled' } }, 'cancelled'],
  ])('C12 an event %s ends the stream as an error', (_, event, message) => {
    expect(thrownBy(sseOf(start, event)).message).toContain(message);
    expect(thrownBy(sseOf(event)).message).toContain(message);
  });

  test.each([
    ['max_output_tokens', 'length'],
    ['content_filter', 'refusal'],
    ['something_new', 'other'],
  ])('C12 response.incomplete because of %s is an end of kind %s', (reason, kind) => {
    const event = { type: 'response.incomplete', response: { status: 'incomplete', incomplete_details: { reason } } };
    const response = streamed(sseOf(start, event));
    expect(response.reason).toEqual({ kind, raw: { codec: 'openai-responses', word: reason } });
    const body = openaiResponses.encodeResponse(response);
    expect(body).toMatchObject({ status: 'incomplete', incomplete_details: { reason } });
  });

  test.each([[': ping\n\n'], ['data: [DONE]\n\n'], [': ping\r\n\r\ndata:[DONE]\r\n\r\n: over\r\n']])(
    'F14 with %j behind its last event it is complete, and its end is seen at a glance',
    (behind) => {
      const usage = { input_tokens: 7, output_tokens: 3, total_tokens: 10 };
      const text = sseOf(start, end({ usage })) + behind;
      const seen = { usage: { input: 7, output: 3 }, reason: { kind: 'stop' } };
      expect(streamed(text)).toMatchObject(seen);
      for (const kept of [text, `t of a response that begins elsewhere"}${text.slice(-220)}`]) {
        expect(openaiResponses.glance(Buffer.from(kept), 'sse')).toMatchObject({ complete: true, usage: seen.usage });
      }
      expect(openaiResponses.glance(Buffer.from(`: ping\n${behind}`), 'sse')).toEqual({ complete: false });
    },
  );

  test('F15 a stream that ends without a terminal event was cut', () => {
    expect(thrownBy(sseOf(start))).toMatchObject({ kind: 'network' });
    expect(thrownBy('')).toMatchObject({ kind: 'network' });
  });

  test('what is no JSON is a bad response', () => {
    expect(thrownBy('data: <html>\n\n')).toMatchObject({ kind: 'bad-response' });
    expect(thrownBy('data: []\n\n')).toMatchObject({ kind: 'bad-response' });
    expect(() => openaiResponses.decodeResponse({ hello: 'world' })).toThrow('no output');
  });

  test('a refusal is text whose origin tells', () => {
    const item = { id: 'msg_1', type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] };
    const delta = { type: 'response.refusal.delta', output_index: 0, content_index: 0, delta: 'No.' };
    const response = streamed(sseOf(start, added({ ...item, content: [] }), delta, done(item), end()));
    expect(response).toMatchObject({ reason: { kind: 'refusal' }, parts: [{ type: 'text', text: 'No.' }] });
    const body = openaiResponses.encodeResponse(response);
    expect(body).toMatchObject({ status: 'completed', output: [{ content: [{ type: 'refusal', refusal: 'No.' }] }] });
  });

  test('a call without an id gets one, the same each time', () => {
    const text = sseOf(start, added(call({ call_id: undefined, arguments: '{}' })), end());
    const [first] = streamed(text, { callId: 'request-1' }).parts;
    const [again] = streamed(text, { callId: 'request-1' }).parts;
    const [other] = streamed(text, { callId: 'request-2' }).parts;
    expect(first).toMatchObject({ id: expect.stringMatching(/^call_\w{24}$/) });
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  test('a renamed tool comes back under its own name', () => {
    const toolNames = new Map([['weather', 'weather.of/the day']]);
    expect(streamed(sseOf(start, added(call()), end()), { toolNames }).parts).toMatchObject([
      { name: 'weather.of/the day' },
    ]);
  });

  test('an item that nobody knows survives whole', () => {
    const item = { id: 'x_1', type: 'hologram', beams: [1, 2] };
    const response = streamed(sseOf(start, added({ id: 'x_1', type: 'hologram' }), done(item), end()));
    expect(response.parts).toEqual([{ type: 'opaque', origin: { codec: 'openai-responses', block: item } }]);
    expect(openaiResponses.encodeResponse(response).output).toEqual([item]);
  });

  test('a response that runs in the background is not finished', () => {
    const body = { id: 'resp_1', model: 'm', status: 'queued', output: [], usage: null };
    const response = openaiResponses.decodeResponse(body);
    expect(response.reason).toEqual({ kind: 'other', raw: { codec: 'openai-responses', word: 'queued' } });
    expect(openaiResponses.encodeResponse(response)).toMatchObject({ id: 'resp_1', status: 'queued', output: [] });
  });
});
