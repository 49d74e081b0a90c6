import { expect, test } from 'vitest';
import { copyOf, membersBeside, withMembers } from '../../src/codecs/members.ts';

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

test('a copy with further members leaves the object as it was; known members keep their places', () => {
  const object = { a: 1, b: 2 };
  expect(JSON.stringify(withMembers(object, { c: 3, a: 4 }))).toBe('{"a":4,"b":2,"c":3}');
  expect(object).toEqual({ a: 1, b: 2 });
  expect(copyOf(object)).not.toBe(object);
});

test('copies hold a member named __proto__ like any other, and so do members that come behind', () => {
  const object = JSON.parse('{"__proto__":{"held":1}}');
  expect(JSON.stringify(withMembers(object, { a: 2 }))).toBe('{"__proto__":{"held":1},"a":2}');
  const later = withMembers({ a: 2 }, object);
  expect(JSON.stringify(later)).toBe('{"a":2,"__proto__":{"held":1}}');
  expect(later.held).toBeUndefined();
});
