import { describe, expect, test } from 'vitest';
import {
  both,
  byKind,
  check,
  count,
  either,
  flag,
  list,
  maybe,
  members,
  name,
  number,
  object,
  type Shape,
  text,
  textOrList,
  word,
} from '../../src/codecs/shape.ts';

const message = (shape: Shape, value: unknown): string => {
  try {
    check(shape, value);
    return 'sound';
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
};

const SOUND: readonly (readonly [string, Shape, unknown])[] = [
  ['a text', text, ''],
  ['a number', number, -0.5],
  ['a flag', flag, false],
  ['an object', object, {}],
  ['a count', count, 0],
  ['a name', name, 'x'],
  ['nothing where nothing is asked for', maybe(text), undefined],
  ['null where nothing is asked for', maybe(text), null],
  ['a word of a list', word('low', 'high'), 'high'],
  ['an empty list', list(text), []],
  ['members that are not named', members({ a: text }), { a: 'x', b: 1 }],
  ['one of several', either('text or number', text, number), 1],
  ['a kind that is not listed', byKind(({ type }) => type, { known: members({ a: text }) }), { type: 'new' }],
  ['a kind that every object inherits', byKind(({ type }) => type, { known: text }), { type: 'constructor' }],
  ['a text in place of a list', textOrList(number, 'wrong'), 'x'],
];

test.each(SOUND)('%s is sound', (_, shape, value) => {
  expect(message(shape, value)).toBe('sound');
});

const FAULTY: readonly (readonly [Shape, unknown, string])[] = [
  [text, 1, 'must be a string, not a number'],
  [text, undefined, 'is required: a string'],
  [number, '1', 'must be a number, not a string'],
  [number, null, 'must be a number, not null'],
  [flag, {}, 'must be true or false, not an object'],
  [object, [], 'must be an object, not a list'],
  [count, 1.5, 'must be a whole number from 0, not 1.5'],
  [count, -1, 'must be a whole number from 0, not -1'],
  [count, true, 'must be a number, not a boolean'],
  [name, '', 'must not be empty'],
  [word('low', 'high'), 'mid', 'must be one of "low", "high", not "mid"'],
  [word('low', 'high'), undefined, 'is required: one of "low", "high"'],
  [list(text), {}, 'must be a list, not an object'],
  [list(text, 'at least one'), [], 'at least one'],
  [list(text), ['a', 2], '1: must be a string, not a number'],
  [members({ a: members({ b: list(number) }) }), { a: { b: [1, 2, 'x'] } }, 'a.b.2: must be a number, not a string'],
  [members({ a: text }), null, 'must be an object, not null'],
  [either('must be a text or a number', text, number), [], 'must be a text or a number'],
  [both(members({ a: text }), members({ b: text })), { a: 'x' }, 'b: is required: a string'],
  [byKind(({ type }) => type, { t: members({ a: text }) }), { type: 't' }, 'a: is required: a string'],
  [textOrList(number, 'must be a text or a list of numbers'), {}, 'must be a text or a list of numbers'],
  [textOrList(number, 'wrong'), [1, 'x'], '1: must be a number, not a string'],
];

test.each(FAULTY)('%# tells what is wrong, and where', (shape, value, told) => {
  expect(message(shape, value)).toBe(told);
});

describe('a fault', () => {
  test('is an invalid request whose parameter is the place', () => {
    const shape = members({ messages: list(members({ role: text })) });
    const refused = () => check(shape, { messages: [{ role: 'user' }, {}] });
    expect(refused).toThrow(
      expect.objectContaining({
        kind: 'invalid-request',
        details: expect.objectContaining({ param: 'messages.1.role' }),
      }),
    );
  });
});
