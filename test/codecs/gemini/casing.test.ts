import { describe, expect, test } from 'vitest';
import { gemini } from '../../../src/codecs/gemini/index.ts';
import { isObject, type JsonObject, type JsonValue } from '../../../src/model/json.ts';
import { foldAll } from '../../../src/model/response.ts';
import { mayHoldState } from '../../../src/vault/state.ts';
import { cases } from '../../support/recordings.ts';
import { shared } from '../../support/shared.ts';
import { decodedStream, streamOf } from './support.ts';

// Proto's JSON may have the fields' original names: Google's own libraries write it so when asked, and servers that
// only resemble Google's always do.

const OF_THE_USER = new Set(['args', 'response', 'partMetadata']);

const snakeCase = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function snakeCased(value: JsonValue | undefined): JsonValue {
  if (Array.isArray(value)) return value.map(snakeCased);
  if (!isObject(value)) return value ?? null;
  const entries = Object.entries(value).map(([key, inner]) => [
    snakeCase(key),
    OF_THE_USER.has(key) ? inner : snakeCased(inner),
  ]);
  return Object.fromEntries(entries);
}

const inSnakeCase = (sse: string): string =>
  sse.replace(/^data: (.*?)(\r?)$/gm, (_, data, end) => `data: ${JSON.stringify(snakeCased(JSON.parse(data)))}${end}`);

const CALL = { name: 'look_up', args: { city_name: 'Rome', maxRows: 1 } };
const PARTS: JsonObject[] = [
  { text: 'hm', thought: true },
  { text: 'the snake_case "finish_reason": x' },
  { functionCall: CALL, thoughtSignature: 'c2ln' },
  { inlineData: { mimeType: 'image/png', data: 'AAAA' } },
  { executableCode: { language: 'PYTHON', code: 'a_b = 1' } },
];
const USAGE = {
  promptTokenCount: 9,
  candidatesTokenCount: 4,
  thoughtsTokenCount: 3,
  cachedContentTokenCount: 2,
  totalTokenCount: 16,
};
const GROUNDING = {
  groundingChunks: [{ web: { uri: 'https://a.test', title: 'A' } }],
  groundingSupports: [{ segment: { startIndex: 0, endIndex: 3 }, groundingChunkIndices: [0] }],
};
const BODY: JsonObject = {
  candidates: [
    { content: { role: 'model', parts: PARTS }, finishReason: 'STOP', index: 0, groundingMetadata: GROUNDING },
  ],
  usageMetadata: USAGE,
  modelVersion: 'gemini-3-pro',
  responseId: 'r1',
};
const part = (one: JsonObject): JsonObject => ({ candidates: [{ content: { parts: [one] } }], responseId: 'r1' });
const STREAM = streamOf(...PARTS.map(part), {
  candidates: [{ content: { parts: [{ text: '' }] }, finishReason: 'STOP' }],
  usageMetadata: USAGE,
});

describe('answers in snake_case', () => {
  test('are read as those in camelCase, whole', () => {
    const read = gemini.decodeResponse(snakeCased(BODY) as JsonObject);
    expect(read).toEqual(gemini.decodeResponse(BODY));
    expect(read.parts[2]).toMatchObject({ type: 'tool-call', name: 'look_up', input: JSON.stringify(CALL.args) });
  });

  test('are read as those in camelCase, streamed', () => {
    expect(inSnakeCase(STREAM)).toContain('"function_call":{"name":"look_up","args":{"city_name":"Rome","maxRows":1}}');
    expect(decodedStream(inSnakeCase(STREAM), 37)).toEqual(decodedStream(STREAM));
  });

  test('may mix both spellings', () => {
    const mixed: JsonObject = { ...(snakeCased(BODY) as JsonObject), usageMetadata: USAGE };
    delete mixed.usage_metadata;
    expect(gemini.decodeResponse(mixed)).toEqual(gemini.decodeResponse(BODY));
  });

  test('have calls whose arguments come in pieces', () => {
    const begun = { name: 'look', will_continue: true };
    const piece = (value: string, more: boolean) => ({
      partial_args: [{ json_path: '$.city_name', string_value: value, will_continue: more }],
      will_continue: true,
    });
    const calls = [begun, piece('Ro', true), piece('me', false), {}].map((call) => part({ function_call: call }));
    const end = { candidates: [{ finish_reason: 'STOP' }], usage_metadata: { prompt_token_count: 1 } };
    expect(foldAll(decodedStream(streamOf(...calls, end))).parts).toMatchObject([
      { type: 'tool-call', name: 'look', input: '{"city_name":"Rome"}' },
    ]);
  });

  test('tell their end where they travel as bytes', () => {
    const told = gemini.glance(Buffer.from(STREAM), 'sse');
    expect(told).toMatchObject({ complete: true, reason: { kind: 'tool-calls' }, usage: { input: 9, output: 7 } });
    expect(gemini.glance(Buffer.from(inSnakeCase(STREAM)), 'sse')).toEqual(told);
    const whole = Buffer.from(JSON.stringify(snakeCased(BODY)));
    expect(gemini.glance(whole, 'json')).toEqual(gemini.glance(Buffer.from(JSON.stringify(BODY)), 'json'));
  });

  test('tell their end where only the end of the last chunk is there', () => {
    const cut = inSnakeCase(STREAM).split('"candidates"').at(-1) ?? '';
    expect(gemini.glance(Buffer.from(cut), 'sse')).toMatchObject({ complete: true, usage: { input: 9, output: 7 } });
  });

  test('are known to carry state where they travel as bytes', () => {
    expect(mayHoldState('gemini', Buffer.from(inSnakeCase(STREAM)))).toBe(true);
    expect(mayHoldState('gemini', Buffer.from('{"thought":true}'))).toBe(false);
  });

  test('that refuse the prompt say so', () => {
    const refused = { prompt_feedback: { block_reason: 'SAFETY' }, usage_metadata: { prompt_token_count: 4 } };
    expect(gemini.decodeResponse(refused)).toMatchObject({ reason: { kind: 'refusal' }, usage: { input: 4 } });
  });

  test('that are errors say when to try again', () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retry_delay: '7s' }];
    const error = { code: 429, message: 'slow down', status: 'RESOURCE_EXHAUSTED', details };
    expect(gemini.decodeError(429, JSON.stringify({ error }), {}).details.retryAfterMs).toBe(7_000);
    expect(() => decodedStream(streamOf({ error }))).toThrow('slow down');
  });

  test('what belongs to the user keeps its names', () => {
    const metadata = { my_key: { other_key: 1 } };
    const body = {
      candidates: [
        { content: { parts: [{ text: 'x', part_metadata: metadata, thought_signature: 's' }] }, finish_reason: 'STOP' },
      ],
    };
    expect(gemini.decodeResponse(body).parts[0]?.origin?.block).toEqual({
      text: 'x',
      partMetadata: metadata,
      thoughtSignature: 's',
    });
  });
});

describe.runIf(shared)('recorded answers with their fields in snake_case', () => {
  const answers = cases({ endpoint: 'gemini.generate' }).filter(({ status }) => status === 200);

  test('read the same', () => {
    const differing = answers.flatMap(({ id, response: { sse, body } }) => {
      const pair =
        sse === undefined
          ? [gemini.decodeResponse(body ?? {}), gemini.decodeResponse(snakeCased(body) as JsonObject)]
          : [decodedStream(sse), decodedStream(inSnakeCase(sse))];
      return JSON.stringify(pair[0]) === JSON.stringify(pair[1]) ? [] : [id];
    });
    expect(answers.length).toBeGreaterThan(50);
    expect(differing).toEqual([]);
  });

  test('tell the same at their end', () => {
    const differing = answers.flatMap(({ id, response: { sse, body } }) => {
      const shape = sse === undefined ? 'json' : 'sse';
      const texts =
        sse === undefined ? [body, snakeCased(body)].map((one) => JSON.stringify(one)) : [sse, inSnakeCase(sse)];
      const [camel, snake] = texts.map((text) => JSON.stringify(gemini.glance(Buffer.from(text), shape)));
      return camel === snake ? [] : [id];
    });
    expect(differing).toEqual([]);
  });
});
