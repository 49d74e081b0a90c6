import { expect, test } from 'vitest';
import { membersBeside } from '../../src/codecs/members.ts';

test('members beside those that are held, in their order', () => {
  expect(Object.entries(membersBeside(new Set(['b']), { c: 1, b: 2, a: null }))).toEqual([
    ['c', 1],
    ['a', null],
  ]);
});

test('a member named __proto__ is one like any other', () => {
  const others = membersBeside(new Set(), JSON.parse('{"__proto__":{"held":1},"a":2}'));
  expect(JSON.stringify(others)).toBe('{"__proto__":{"held":1},"a":2}');
  expect(others.held).toBeUndefined();
});
