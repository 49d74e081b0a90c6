import { expect, test } from 'vitest';
import { nearest } from '../../src/config/nearest.ts';

test.each([
  ['prot', 'port'],
  ['hots', 'host'],
  ['log-levle', 'log-level'],
  ['loglevel', 'log-level'],
  ['log-lvl', 'log-level'],
  ['port', 'port'],
  ['pt', undefined],
  ['banana', undefined],
  ['', undefined],
])('%j means %j', (word, meant) => {
  expect(nearest(word, ['host', 'port', 'log-level'])).toBe(meant);
});
