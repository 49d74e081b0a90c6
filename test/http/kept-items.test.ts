import { describe, expect, test } from 'vitest';
import { KeptItems } from '../../src/http/kept-items.ts';

const message = { id: 'msg_1', type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hi.' }] };
const reasoning = { id: 'rs_1', type: 'reasoning', summary: [] };
const answer = JSON.stringify({ id: 'resp_1', object: 'response', output: [reasoning, message] });
const streamed = [
  `event: response.output_item.done\ndata: {"type":"response.output_item.done","item":${JSON.stringify(message)}}\n\n`,
  `event: response.completed\ndata: {"type":"response.completed","response":${answer}}\n\n`,
].join('');

const user = { role: 'user', content: 'go on' };
const naming = (...ids: string[]) =>
  Buffer.from(JSON.stringify({ model: 'm', input: [...ids.map((id) => ({ type: 'item_reference', id })), user] }));
const inputOf = (bytes: Buffer): unknown => JSON.parse(bytes.toString()).input;

describe('items that a client names instead of sending them', () => {
  test.each([
    ['a whole answer', answer],
    ['a stream', streamed],
  ])('stand in the place of their references, out of %s', (_what, told) => {
    const items = new KeptItems();
    items.remember('ann', told);
    expect(inputOf(items.restored('ann', naming('rs_1', 'msg_1')))).toEqual([reasoning, message, user]);
  });

  test('are nobody else’s', () => {
    const items = new KeptItems();
    items.remember('ann', answer);
    const bytes = naming('msg_1');
    expect(items.restored('bob', bytes)).toBe(bytes);
  });

  test('that are not known stay references; bodies without any stay the same bytes', () => {
    const items = new KeptItems();
    items.remember('ann', answer);
    expect(inputOf(items.restored('ann', naming('msg_1', 'msg_other')))).toEqual([
      message,
      { type: 'item_reference', id: 'msg_other' },
      user,
    ]);
    for (const text of ['{"input":"item_reference"}', '{"input":[{"id":"msg_1"}]}', '"item_reference" is no body']) {
      const bytes = Buffer.from(text);
      expect(items.restored('ann', bytes)).toBe(bytes);
    }
  });

  test('go when they are too old, and the oldest when they are too many', () => {
    let now = 0;
    const items = new KeptItems(() => now, { maxCharacters: 500, ttlMs: 1_000 });
    const other = (place: number) => answer.replaceAll('_1"', `_${place}"`);
    for (const place of [1, 2, 3, 4]) items.remember('ann', other(place));
    const lost = naming('msg_1');
    expect(items.restored('ann', lost)).toBe(lost);
    const last = naming('msg_4');
    expect(items.restored('ann', last)).not.toBe(last);
    now = 1_000;
    expect(items.restored('ann', last)).toBe(last);
  });
});
