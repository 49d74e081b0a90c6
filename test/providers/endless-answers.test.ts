import { describe, expect, test } from 'vitest';
import { codecs } from '../../src/codecs/index.ts';
import { decodedFrames } from '../../src/providers/decoded.ts';
import { type BodySource, StreamBody } from '../../src/providers/direct-response.ts';

// A model, or what stands in for one, that never ends: no more of it is read than can be held.

const MILLION = 1_000_000;
const source: BodySource = { pause: () => {}, resume: () => {}, abort: () => {} };

const chunk = (delta: object): Buffer =>
  Buffer.from(`data: ${JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta }] })}\n\n`);

/** Reads pieces until somebody has had enough of them. */
async function readAll(pieceAt: (index: number) => Buffer): Promise<void> {
  const body = new StreamBody(source);
  let sent = 0;
  const send = () => body.push(pieceAt(sent++));
  send();
  const given = { codec: codecs['openai-chat'], context: {}, body, provider: 'p', idleMs: 60_000 };
  for await (const _frame of decodedFrames(given)) send();
}

describe('an answer without an end', () => {
  test.each([
    ['of text', () => chunk({ content: 'x'.repeat(MILLION) })],
    [
      'of the arguments of one call',
      (index: number) =>
        chunk({
          tool_calls: [
            { index: 0, id: 'a', function: { name: index === 0 ? 'f' : '', arguments: '['.repeat(MILLION) } },
          ],
        }),
    ],
    [
      'of calls',
      (index: number) =>
        chunk({
          tool_calls: Array.from({ length: 2_000 }, (_, at) => ({
            index: index * 2_000 + at,
            id: `c${index}-${at}`,
            function: { name: 'f', arguments: '{}' },
          })),
        }),
    ],
  ])('%s is refused once it is beyond all measure', async (_what, pieces) => {
    const kind = 'bad-response';
    const message = expect.stringMatching(/grown beyond 64 million characters/);
    await expect(readAll(pieces)).rejects.toMatchObject({ kind, message });
  });
});
