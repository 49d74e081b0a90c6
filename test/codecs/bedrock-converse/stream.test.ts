import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { amazonFrame, createAmazonFrameReader } from '../../../src/codecs/amazon-frames.ts';
import { converseFraming, eventFrame, eventOfFrame } from '../../../src/codecs/bedrock-converse/framing.ts';
import { bedrockConverse } from '../../../src/codecs/bedrock-converse/index.ts';
import { GatewayError } from '../../../src/model/errors.ts';
import type { StreamEvent } from '../../../src/model/event.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import { eventsOf, foldAll } from '../../../src/model/response.ts';
import { streamReadByAws } from './aws.ts';

const usage = {
  inputTokens: 10,
  outputTokens: 20,
  totalTokens: 137,
  cacheReadInputTokens: 100,
  cacheWriteInputTokens: 7,
};
const trace = { guardrail: { inputAssessment: { g1: {} } } };
const delta = (contentBlockIndex: number, given: JsonObject): [string, JsonObject] => [
  'contentBlockDelta',
  { contentBlockIndex, delta: given, p: 'abcdef' },
];
const stop = (contentBlockIndex: number): [string, JsonObject] => ['contentBlockStop', { contentBlockIndex }];

const WIRE: [string, JsonObject][] = [
  ['messageStart', { role: 'assistant', p: 'ab' }],
  delta(0, { reasoningContent: { text: 'Hm' } }),
  delta(0, { reasoningContent: { text: '.' } }),
  delta(0, { reasoningContent: { signature: 'sig' } }),
  stop(0),
  delta(1, { reasoningContent: { redactedContent: 'cmVk' } }),
  stop(1),
  delta(2, { text: 'Köln ' }),
  delta(2, { text: '🌤' }),
  delta(2, { citation: { title: 't', location: { web: { url: 'https://x.test' } } } }),
  stop(2),
  ['contentBlockStart', { contentBlockIndex: 3, start: { toolUse: { toolUseId: 'tooluse_1', name: 'f' } } }],
  delta(3, { toolUse: { input: '{"a":' } }),
  delta(3, { toolUse: { input: '1}' } }),
  stop(3),
  ['contentBlockStart', { contentBlockIndex: 4, start: { image: { format: 'png' } } }],
  delta(4, { image: { source: { bytes: 'iVBORw0=' } } }),
  stop(4),
  ['messageStop', { stopReason: 'tool_use', additionalModelResponseFields: { x: 1 } }],
  ['metadata', { usage, metrics: { latencyMs: 5 }, trace }],
];
const CONTENT = [
  { reasoningContent: { reasoningText: { text: 'Hm.', signature: 'sig' } } },
  { reasoningContent: { redactedContent: 'cmVk' } },
  {
    citationsContent: {
      content: [{ text: 'Köln 🌤' }],
      citations: [{ title: 't', location: { web: { url: 'https://x.test' } } }],
    },
  },
  { toolUse: { toolUseId: 'tooluse_1', name: 'f', input: { a: 1 } } },
  { image: { format: 'png', source: { bytes: 'iVBORw0=' } } },
];
const WHOLE: JsonObject = {
  output: { message: { role: 'assistant', content: CONTENT } },
  stopReason: 'tool_use',
  additionalModelResponseFields: { x: 1 },
  usage,
  metrics: { latencyMs: 5 },
  trace,
};

const bytesOf = (wire: readonly [string, JsonObject][]): Buffer =>
  Buffer.concat(wire.map(([name, data]) => eventFrame(name, JSON.stringify(data))));

/** The events of frames that come in pieces of these sizes. */
function decoded(bytes: Buffer, sizes: readonly number[] = [1_000_000]): StreamEvent[] {
  const reader = createAmazonFrameReader();
  const decoder = bedrockConverse.decodeStream({ callId: 'c' });
  const events: StreamEvent[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    for (const frame of reader.push(bytes.subarray(at, at + size))) events.push(...decoder.push(eventOfFrame(frame)));
    at += size;
  }
  return [...events, ...decoder.end()];
}

const framesOf = (events: readonly StreamEvent[]): Buffer => {
  const write = converseFraming.writer();
  return Buffer.concat(events.map(bedrockConverse.encodeStream({ model: 'm' })).map(write));
};

describe('a stream', () => {
  test('folds to the whole answer', () => {
    const folded = foldAll(decoded(bytesOf(WIRE)));
    const whole = bedrockConverse.decodeResponse(WHOLE, { callId: 'c' });
    expect(folded.parts.map(({ origin }) => origin)).toEqual(whole.parts.map(({ origin }) => origin));
    expect({ ...folded, parts: [] }).toEqual({ ...whole, parts: [] });
    expect(folded.usage).toEqual({ input: 117, output: 20, cacheRead: 100, cacheWrite: 7, reasoning: 0 });
    expect(bedrockConverse.encodeResponse(folded)).toEqual(WHOLE);
  });

  test('gives the same events at any chunk boundary', () => {
    const bytes = bytesOf(WIRE);
    const expected = decoded(bytes);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 10 }), (sizes) => {
        expect(decoded(bytes, sizes)).toEqual(expected);
      }),
    );
  });

  test('written again says the same, one block after the other', async () => {
    const events = decoded(bytesOf(WIRE));
    expect(foldAll(decoded(framesOf(events)))).toEqual(foldAll(events));
    const byAws = await streamReadByAws(events, 7);
    expect(byAws).toEqual({
      text: 'Köln 🌤',
      reasoning: 'Hm.',
      calls: [{ id: 'tooluse_1', name: 'f', arguments: { a: 1 } }],
      finish: 'tool_use',
      outputTokens: 20,
    });
    expect(foldAll(decoded(framesOf(eventsOf(foldAll(events))))).parts).toEqual(foldAll(events).parts);
  });

  test('C2 interleaved parts are written one block at a time', async () => {
    const call = (id: string) => ({ type: 'tool-call' as const, id, name: id, input: '' });
    const events: StreamEvent[] = [
      { type: 'response-start', id: 'r', model: 'm' },
      { type: 'part-start', index: 0, part: call('a') },
      { type: 'part-start', index: 1, part: call('b') },
      { type: 'part-delta', index: 1, delta: '{"b":' },
      { type: 'part-delta', index: 0, delta: '{"a":1}' },
      { type: 'part-end', index: 0 },
      { type: 'part-delta', index: 1, delta: '2}' },
      { type: 'part-end', index: 1 },
      {
        type: 'response-end',
        reason: { kind: 'tool-calls' },
        usage: { input: 1, output: 2, cacheRead: 0, cacheWrite: 0, reasoning: 0 },
      },
    ];
    expect((await streamReadByAws(events)).calls).toEqual([
      { id: 'a', name: 'a', arguments: { a: 1 } },
      { id: 'b', name: 'b', arguments: { b: 2 } },
    ]);
  });

  test('C10 that is cut is an error, before messageStop and inside of a frame alike', () => {
    for (const count of [0, 1, 5, WIRE.length - 2]) {
      expect(() => decoded(bytesOf(WIRE.slice(0, count)))).toThrow(/closed the stream/);
    }
  });

  test('that lacks only its counts is complete', () => {
    expect(foldAll(decoded(bytesOf(WIRE.slice(0, -1)))).reason.kind).toBe('tool-calls');
  });

  test('C6 blocks of different kinds under one index stay apart', () => {
    const events = decoded(
      bytesOf([
        delta(0, { reasoningContent: { text: 'Hm' } }),
        delta(0, { text: 'Yes' }),
        ['messageStop', { stopReason: 'end_turn' }],
      ]),
    );
    expect(foldAll(events).parts).toMatchObject([
      { type: 'reasoning', text: 'Hm' },
      { type: 'text', text: 'Yes' },
    ]);
  });

  const exceptions: [string, string][] = [
    ['throttlingException', 'rate-limit'],
    ['validationException', 'invalid-request'],
    ['internalServerException', 'overloaded'],
    ['modelStreamErrorException', 'overloaded'],
    ['serviceUnavailableException', 'overloaded'],
    ['modelTimeoutException', 'timeout'],
  ];
  test.each(exceptions)('that ends in %s throws %s', (type, kind) => {
    const frame = amazonFrame({ ':exception-type': type, ':message-type': 'exception' }, '{"message":"why"}');
    expect(() => decoded(Buffer.concat([bytesOf(WIRE.slice(0, 3)), frame]))).toThrow(
      expect.objectContaining({ kind, message: 'why' }),
    );
  });

  test('ends for a client in an exception that AWS’s SDK throws', () => {
    const write = converseFraming.writer();
    const frames = createAmazonFrameReader().push(
      Buffer.from(write(bedrockConverse.encodeStreamError(new GatewayError('rate-limit', 'slow down')))),
    );
    expect(frames.map(({ headers, payload }) => [headers[':exception-type'], JSON.parse(payload.toString())])).toEqual([
      ['throttlingException', { message: 'slow down' }],
    ]);
  });
});

describe('endings', () => {
  const words: [string, string][] = [
    ['end_turn', 'stop'],
    ['tool_use', 'tool-calls'],
    ['max_tokens', 'length'],
    ['stop_sequence', 'stop-sequence'],
    ['guardrail_intervened', 'refusal'],
    ['content_filtered', 'refusal'],
    ['model_context_window_exceeded', 'context-exceeded'],
    ['malformed_tool_use', 'other'],
    ['of_the_future', 'other'],
  ];
  test.each(words)('E6 %s means %s, in a stream and in a glance alike', (stopReason, kind) => {
    const body = { ...WHOLE, stopReason };
    expect(bedrockConverse.decodeResponse(body).reason.kind).toBe(kind);
    const told = bedrockConverse.glance(Buffer.from(JSON.stringify(body)), 'json');
    expect([told.complete, told.reason?.kind, told.usage?.input]).toEqual([true, kind, 117]);
    const text = `event: messageStop\ndata: ${JSON.stringify({ stopReason })}\n\nevent: metadata\ndata: ${JSON.stringify({ usage })}\n\n`;
    const seen = bedrockConverse.glance(Buffer.from(text), 'sse');
    expect([seen.complete, seen.reason?.kind, seen.usage?.output]).toEqual([true, kind, 20]);
  });

  test('a last event that is longer than what is left of the stream still tells its counts', () => {
    const long = JSON.stringify({ metrics: {}, trace: { a: 'x'.repeat(9_000) }, usage });
    const told = bedrockConverse.glance(Buffer.from(`${long.slice(1_000)}\n\n`), 'sse');
    expect([told.complete, told.usage?.output]).toEqual([true, 20]);
  });
});
