import { describe, expect, test } from 'vitest';
import { codecs } from '../../src/codecs/index.ts';
import { StreamEnds } from '../../src/providers/stream-ends.ts';

const LONG = 'x'.repeat(40_000);
const USAGE = { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 };

/** The ends of a stream that came in pieces of a size. */
function endsOf(text: string, size: number): Buffer {
  const ends = new StreamEnds();
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) ends.push(bytes.subarray(at, at + size));
  return ends.bytes;
}

const data = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
const deltas = (count: number): string =>
  Array.from({ length: count }, (_, at) =>
    data({ choices: [{ index: 0, delta: { content: `word ${at}` }, finish_reason: null }] }),
  ).join('');

describe.each([512, 1_400, 16_384])('what is kept of a stream that comes in pieces of %i bytes', (size) => {
  test('is little, however long it is', () => {
    expect(endsOf(deltas(5_000), size).length).toBeLessThan(8_192 * 2 + 3 * 16_384);
  });

  test('holds the last event of a Responses stream whole, with finish and usage', () => {
    const response = {
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      instructions: LONG,
      output: [],
      usage: { input_tokens: 10, output_tokens: 5 },
      tools: [],
    };
    const words = Array.from({ length: 900 }, (_, at) => `event: d\n${data({ type: 'd', delta: `${at}` })}`).join('');
    const last = `event: response.incomplete\n${data({ type: 'response.incomplete', response })}`;
    expect(codecs['openai-responses'].glance(endsOf(words + last, size), 'sse')).toMatchObject({
      complete: true,
      reason: { kind: 'length' },
      usage: { input: 10, output: 5 },
    });
  });

  test("holds Gemini's last chunk whole, though it carries what was searched", () => {
    const word = { candidates: [{ content: { role: 'model', parts: [{ text: 'word' }] }, index: 0 }] };
    const last = {
      candidates: [{ content: { parts: [{ text: '.' }] }, finishReason: 'STOP', groundingMetadata: { page: LONG } }],
      usageMetadata: { promptTokenCount: 7, candidatesTokenCount: 2 },
    };
    const ends = endsOf(data(word).repeat(900) + data(last), size);
    expect(codecs.gemini.glance(ends, 'sse')).toMatchObject({
      complete: true,
      reason: { kind: 'stop' },
      usage: { input: 7, output: 2 },
    });
  });

  test("holds a chat stream's finish and usage, though both carry what was searched", () => {
    const finish = data({ choices: [{ index: 0, delta: {}, finish_reason: 'length' }], citations: [LONG] });
    const usage = data({ choices: [], usage: USAGE, citations: [LONG] });
    const ends = endsOf(`${deltas(900)}${finish}${usage}data: [DONE]\n\n`, size);
    expect(codecs['openai-chat'].glance(ends, 'sse')).toMatchObject({
      complete: true,
      reason: { kind: 'length' },
      usage: { input: 7, output: 2 },
    });
  });
});
