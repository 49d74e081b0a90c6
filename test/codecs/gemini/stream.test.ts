import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gemini } from '../../../src/codecs/gemini/index.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import { type ChatResponse, foldAll } from '../../../src/model/response.ts';
import { chunk, dataOf, decodedStream, encodedStream, fixture, streamOf } from './support.ts';

const fixtures = ['thinking-and-calls.sse', 'partial-args.sse'].map((name) => [name, fixture(name)] as const);
const read = (...chunks: JsonObject[]): ChatResponse => foldAll(decodedStream(streamOf(...chunks)));
const stop = chunk([{ text: '' }], { finishReason: 'STOP' });

describe('a streamed answer', () => {
  test('is thinking, text and calls, each as one part', () => {
    const { parts, reason, usage, id, model } = foldAll(decodedStream(fixture('thinking-and-calls.sse')));
    expect({ id, model }).toEqual({ id: 'abcDEF123', model: 'gemini-3-pro-preview' });
    expect(parts.map(({ origin: _, ...part }) => part)).toEqual([
      { type: 'reasoning', text: 'Zwei Städte, zwei Anfragen.' },
      { type: 'text', text: 'Ich schaue nach 🌤' },
      {
        type: 'tool-call',
        id: expect.stringMatching(/^call_[0-9a-f]{24}_ts_c2lnbmF0dXJlLW9uZQ$/),
        name: 'weather',
        input: '{"city":"Köln"}',
      },
      {
        type: 'tool-call',
        id: expect.stringMatching(/^call_[0-9a-f]{24}$/),
        name: 'weather',
        input: '{"city":"Bern"}',
      },
      { type: 'opaque' },
    ]);
    expect(reason).toEqual({ kind: 'tool-calls', raw: { codec: 'gemini', word: 'STOP' } });
    expect(usage).toEqual({ input: 120, output: 70, cacheRead: 100, cacheWrite: 0, reasoning: 40 });
  });

  test('tells the tokens of the input when it begins', () => {
    const [start] = decodedStream(fixture('thinking-and-calls.sse'));
    expect(start).toMatchObject({ type: 'response-start', usage: { input: 120, cacheRead: 100 } });
    const [unknown] = decodedStream(streamOf(chunk([{ text: 'hm' }]), stop));
    expect(unknown).not.toHaveProperty('usage');
  });

  test('C6 calls without ids get ids that no other call has', () => {
    const ids = (callId: string) =>
      foldAll(decodedStream(fixture('partial-args.sse'), 99, { callId })).parts.map((part) => 'id' in part && part.id);
    expect(new Set([...ids('a'), ...ids('b')]).size).toBe(6);
    expect(ids('a')).toEqual(ids('a'));
  });

  test('grows arguments out of values at paths', () => {
    const { parts } = foldAll(decodedStream(fixture('partial-args.sse')));
    expect(parts.map((part) => part.type === 'tool-call' && [part.name, JSON.parse(part.input)])).toEqual([
      [
        'save',
        {
          path: '/tmp/ä.txt',
          lines: [{ text: 'one', size: 0.5 }, { text: 'two' }],
          'a key': true,
          none: null,
        },
      ],
      ['list', {}],
      ['cut_off', { city: 'Bern' }],
    ]);
    expect(parts[0]?.origin?.block).toEqual({
      functionCall: { name: 'save', args: expect.anything() },
      thoughtSignature: 'c2lnbmF0dXJl',
    });
  });

  test('several parts of one chunk keep their order, and unknown ones survive', () => {
    const { parts } = read(
      chunk([
        { text: 'a' },
        { executableCode: { code: '1' } },
        { text: 'b' },
        { strange: [1] },
        { inlineData: { mimeType: 'image/png', data: 'AA==' } },
      ]),
      stop,
    );
    expect(parts.map(({ type }) => type)).toEqual(['text', 'opaque', 'text', 'opaque', 'media']);
    expect(parts[3]?.origin?.block).toEqual({ strange: [1] });
  });

  test('D4 a signature on an empty text is kept as a part of its own', () => {
    const { parts } = read(
      chunk([{ text: 'done' }]),
      chunk([{ text: '', thoughtSignature: 'c2ln' }], { finishReason: 'STOP' }),
    );
    expect(parts.map(({ origin }) => origin?.block)).toEqual([
      { text: 'done' },
      { text: '', thoughtSignature: 'c2ln' },
    ]);
  });

  test('a signed text is not merged with the text before it', () => {
    const { parts } = read(
      chunk([{ text: 'one ' }]),
      chunk([{ text: 'two', thoughtSignature: 'c2ln' }], { finishReason: 'STOP' }),
    );
    expect(parts.map((part) => part.type === 'text' && part.text)).toEqual(['one ', 'two']);
  });

  test('E7 the last counts stand, and a chunk without counts takes none away', () => {
    const counts = { promptTokenCount: 9, candidatesTokenCount: 3, thoughtsTokenCount: 2, cachedContentTokenCount: 4 };
    const { usage } = read(
      { ...chunk([{ text: 'x' }]), usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 1 } },
      { ...stop, usageMetadata: counts },
      { usageMetadata: { trafficType: 'ON_DEMAND' } },
    );
    expect(usage).toEqual({ input: 9, output: 5, cacheRead: 4, cacheWrite: 0, reasoning: 2 });
  });

  test('of several candidates the first is read', () => {
    const { parts } = read({
      candidates: [
        { index: 1, content: { parts: [{ text: 'no' }] }, finishReason: 'STOP' },
        { index: 0, content: { parts: [{ text: 'yes' }] }, finishReason: 'STOP' },
      ],
    });
    expect(parts.map((part) => part.type === 'text' && part.text)).toEqual(['yes']);
  });

  test.each([
    ['nothing came', ''],
    ['no finish reason came', streamOf(chunk([{ text: 'half' }]))],
  ])('cut off when %s is an error', (_what, sse) => {
    expect(() => decodedStream(sse)).toThrow(expect.objectContaining({ kind: 'network' }));
    expect(gemini.glance(Buffer.from(sse), 'sse').complete).toBe(false);
  });

  test('an error in its midst is thrown, and seen at a glance', () => {
    const error = { error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } };
    const sse = streamOf(chunk([{ text: 'half' }]), error);
    const expected = { kind: 'overloaded', message: 'The model is overloaded.' };
    expect(() => decodedStream(sse)).toThrow(expect.objectContaining(expected));
    expect(gemini.glance(Buffer.from(sse), 'sse')).toMatchObject({ complete: false, error: expected });
  });

  test('an event that is no JSON is an error', () => {
    expect(() => decodedStream('data: <html>\r\n\r\n')).toThrow(expect.objectContaining({ kind: 'bad-response' }));
  });

  test('calls come back under the request’s own names', () => {
    const context = { toolNames: new Map([['long_12345678', 'the long name']]) };
    const sse = streamOf(chunk([{ functionCall: { name: 'long_12345678' } }], { finishReason: 'STOP' }));
    expect(foldAll(decodedStream(sse, 50, context)).parts).toMatchObject([{ name: 'the long name', input: '{}' }]);
  });

  test.each(fixtures)('%s means the same at any chunk boundary', (_name, sse) => {
    const whole = decodedStream(sse, 1_000_000);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), (size) => {
        expect(decodedStream(sse, size)).toEqual(whole);
      }),
      { numRuns: 40 },
    );
  });

  test.each(fixtures)('%s tells usage and outcome at a glance', (_name, sse) => {
    const { usage, reason } = foldAll(decodedStream(sse));
    expect(gemini.glance(Buffer.from(sse), 'sse')).toEqual({ usage, reason, complete: true });
  });

  test.each(fixtures)('%s tells them also where keep-alive comments stand behind it', (_name, sse) => {
    const { usage, reason } = foldAll(decodedStream(sse));
    const glance = gemini.glance(Buffer.from(`${sse}: ping\r\n\r\n: ping\r\n\r\n`), 'sse');
    expect(glance).toEqual({ usage, reason, complete: true });
  });

  test('a last chunk that is too long to be there whole is read from its end', () => {
    const grounding = { groundingMetadata: { text: 'x'.repeat(20_000) } };
    const sse = streamOf({
      ...chunk([{ text: 'x' }], { finishReason: 'STOP', ...grounding }),
      usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2 },
    });
    expect(gemini.glance(Buffer.from(sse.slice(-10_000)), 'sse')).toMatchObject({
      complete: true,
      usage: { input: 3, output: 2 },
    });
  });
});

describe('E6 why an answer ended', () => {
  const call = { functionCall: { name: 'f', args: {} } };
  test.each([
    ['STOP', 'stop', 'tool-calls'],
    ['MAX_TOKENS', 'length', 'length'],
    ['SAFETY', 'refusal', 'refusal'],
    ['RECITATION', 'refusal', 'refusal'],
    ['LANGUAGE', 'refusal', 'refusal'],
    ['BLOCKLIST', 'refusal', 'refusal'],
    ['PROHIBITED_CONTENT', 'refusal', 'refusal'],
    ['SPII', 'refusal', 'refusal'],
    ['IMAGE_SAFETY', 'refusal', 'refusal'],
    ['OTHER', 'other', 'other'],
    ['MALFORMED_FUNCTION_CALL', 'other', 'other'],
    ['A_NEW_WORD', 'other', 'other'],
  ])('%s is %s, and %s with a call', (word, kind, withCall) => {
    expect(read(chunk([{ text: 'x' }], { finishReason: word })).reason).toEqual({
      kind,
      raw: { codec: 'gemini', word },
    });
    expect(read(chunk([call], { finishReason: word })).reason.kind).toBe(withCall);
    const written = gemini.encodeResponse(read(chunk([{ text: 'x' }], { finishReason: word })));
    expect(written.candidates).toMatchObject([{ finishReason: word }]);
  });

  test('an answer that is nothing but a malformed call is an error, so that it is asked for again', () => {
    const broken = chunk([], { finishReason: 'MALFORMED_FUNCTION_CALL', finishMessage: 'print(f(' });
    expect(() => read(broken)).toThrow(expect.objectContaining({ kind: 'bad-response' }));
  });

  test('a refused prompt is a refusal without a candidate', () => {
    const body = {
      promptFeedback: { blockReason: 'SAFETY' },
      usageMetadata: { promptTokenCount: 4 },
      modelVersion: 'm',
      responseId: 'r',
    };
    const response = gemini.decodeResponse(body);
    expect(response).toMatchObject({ parts: [], reason: { kind: 'refusal', raw: { word: 'SAFETY' } } });
    expect(gemini.encodeResponse(response)).toEqual(body);
    expect(gemini.glance(Buffer.from(JSON.stringify(body)), 'json')).toMatchObject({
      complete: true,
      reason: { kind: 'refusal' },
    });
  });

  test.each([
    ['stop', 'STOP'],
    ['stop-sequence', 'STOP'],
    ['tool-calls', 'STOP'],
    ['pause', 'STOP'],
    ['length', 'MAX_TOKENS'],
    ['context-exceeded', 'MAX_TOKENS'],
    ['refusal', 'SAFETY'],
    ['other', 'OTHER'],
  ] as const)('%s of another format is told as %s', (kind, word) => {
    const usage = { input: 1, output: 1, cacheRead: 0, cacheWrite: 0, reasoning: 0 };
    const written = gemini.encodeResponse({ id: '', model: '', parts: [], reason: { kind }, usage });
    expect(written.candidates).toMatchObject([{ finishReason: word }]);
  });
});

describe('an answer for a client', () => {
  test('is written again as it came', () => {
    const body = JSON.parse(fixture('answer.json'));
    expect(gemini.encodeResponse(gemini.decodeResponse(body))).toEqual(body);
  });

  test.each(fixtures)('%s streamed on means the same', (_name, sse) => {
    const response = foldAll(decodedStream(sse));
    const again = foldAll(decodedStream(encodedStream(decodedStream(sse))));
    const shown = ({ parts, reason, usage, id, model }: ChatResponse) => ({
      reason,
      usage,
      id,
      model,
      parts: parts.map(({ origin: _, ...part }) => part),
    });
    expect(shown(again)).toEqual(shown(response));
    expect(again.endOrigin).toEqual(response.endOrigin);
  });

  test('has the counts in its last chunk only, and calls whole', () => {
    const chunks = dataOf(encodedStream(decodedStream(fixture('partial-args.sse'))));
    expect(chunks.map((one) => 'usageMetadata' in one)).toEqual([false, false, false, true]);
    expect(chunks[0]).toMatchObject({
      candidates: [{ content: { parts: [{ functionCall: { name: 'save', args: { none: null } } }] } }],
    });
    expect(chunks.every((one) => one.modelVersion === 'gemini-3-pro-preview' && one.responseId === 'abcDEF123')).toBe(
      true,
    );
  });

  test('shows no call that the gateway or a provider ran', () => {
    const usage = { input: 1, output: 1, cacheRead: 0, cacheWrite: 0, reasoning: 0 };
    const written = gemini.encodeResponse(
      {
        id: 'x',
        model: '',
        parts: [
          { type: 'tool-call', id: '1', name: 'files-read', input: '{}', owner: 'gateway' },
          { type: 'tool-result', callId: '1', content: [], isError: false, owner: 'gateway' },
          { type: 'tool-call', id: '2', name: 'web_search', input: '{}', owner: 'provider' },
          { type: 'text', text: 'found' },
        ],
        reason: { kind: 'stop' },
        usage,
      },
      { model: 'openai/gpt-4o' },
    );
    expect(written).toMatchObject({
      modelVersion: 'openai/gpt-4o',
      candidates: [{ content: { parts: [{ text: 'found' }] } }],
    });
  });

  test('gives arguments that are no object as text', () => {
    const text = encodedStream([
      { type: 'response-start', id: '1', model: 'gpt' },
      { type: 'part-start', index: 0, part: { type: 'tool-call', id: 'c', name: 'f', input: '' } },
      { type: 'part-delta', index: 0, delta: '{"cut' },
      { type: 'part-end', index: 0 },
    ]);
    expect(dataOf(text)).toMatchObject([
      {
        candidates: [{ content: { parts: [{ functionCall: { id: 'c', name: 'f', args: { arguments: '{"cut' } } }] } }],
      },
    ]);
  });
});
