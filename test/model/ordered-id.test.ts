import { expect, test } from 'vitest';
import { orderedId } from '../../src/model/ordered-id.ts';

const VERSION_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('an id is a UUID of version 7 that begins with its time', () => {
  const atMs = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
  const id = orderedId(atMs);
  expect(id).toMatch(VERSION_7);
  expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(atMs);
});

test('later ids are greater, and no two are the same', () => {
  const ids = Array.from({ length: 3_000 }, (_, index) => orderedId(1_700_000_000_000 + Math.floor(index / 100)));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every((id) => VERSION_7.test(id))).toBe(true);
  const times = ids.map((id) => id.slice(0, 13));
  expect(times).toEqual([...times].sort());
});

test('every random digit takes every value', () => {
  const ids = Array.from({ length: 3_000 }, () => orderedId(1_700_000_000_000));
  const seen = (place: number) => new Set(ids.map((id) => id[place])).size;
  const places = [15, 16, 17, 20, 21, 22, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35];
  expect(places.map(seen)).toEqual(places.map(() => 16));
  expect([...new Set(ids.map((id) => id[19]))].sort()).toEqual(['8', '9', 'a', 'b']);
});
