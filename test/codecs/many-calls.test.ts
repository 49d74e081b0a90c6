import { expect, test } from 'vitest';
import { codecs } from '../../src/codecs/index.ts';
import { type ChatResponse, emptyResponse } from '../../src/model/response.ts';
import { cpuMs } from '../support/cpu.ts';

// A model that calls without end: what is done for each call must not look at all the others.

const CALLS = 20_000;
/** A search through all calls takes four seconds and more, linear work a tenth of one. */
const MOST_CPU_MS = 2_000;

const answer: ChatResponse = {
  ...emptyResponse(),
  id: 'r1',
  model: 'm',
  parts: Array.from({ length: CALLS }, (_, index) => ({
    type: 'tool-call',
    id: `call_${index}`,
    name: 'weather',
    input: '{"city":"Bonn"}',
  })),
  reason: { kind: 'tool-calls' },
};

test.each(Object.values(codecs))('$id writes and reads an answer of 20,000 calls in linear time', (codec) => {
  let read = 0;
  const spent = cpuMs(() => {
    read = codec.decodeResponse(codec.encodeResponse(answer, { model: 'm' })).parts.length;
  });
  expect(read).toBe(CALLS);
  expect(spent).toBeLessThan(MOST_CPU_MS);
});

test('a call that grows behind one whose arguments never close costs no more the longer that one is', () => {
  const decoder = codecs['openai-chat'].decodeStream();
  const grow = (index: number, id: string, input: string) =>
    decoder.push({
      data: JSON.stringify({
        choices: [{ index: 0, delta: { tool_calls: [{ index, id, function: { name: 'f', arguments: input } }] } }],
      }),
    });
  const spent = cpuMs(() => {
    grow(0, 'first', `{"open":[${'{"a":1},'.repeat(20_000)}{"a":1}`);
    for (let piece = 0; piece < 5_000; piece++) grow(1, 'second', '.');
  });
  expect(spent).toBeLessThan(MOST_CPU_MS);
});
