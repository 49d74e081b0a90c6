import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lookFor } from '../../src/model/marks.ts';

const bytesOf = (text: string): Buffer => Buffer.from(text);

test.each([
  ['the text alone', 'toolu_bf', 'toolu_bf', true],
  ['the text at the end', '"id":"toolu_bf', 'toolu_bf', true],
  ['the text behind its own rare characters', 'x_bfx_bf toolu_bf1', 'toolu_bf', true],
  ['nothing but its rare characters', 'x_bfx_bf', 'toolu_bf', false],
  ['a beginning cut off', 'oolu_bf', 'toolu_bf', false],
  ['an end cut off', 'toolu_b', 'toolu_bf', false],
  ['nothing', '', 'toolu_bf', false],
  ['a text of two characters', 'a{}b', '{}', true],
])('in bytes with %s', (_what, bytes, text, found) => {
  expect(lookFor(text)(bytesOf(bytes))).toBe(found);
});

test('any of several texts is enough, in views of other memory too', () => {
  const slab = bytesOf('xx"signature":""xx');
  const isMarked = lookFor('toolu_bf', '"signature":""');
  expect(isMarked(new Uint8Array(slab.buffer, slab.byteOffset + 2, 14))).toBe(true);
  expect(isMarked(new Uint8Array(slab.buffer, slab.byteOffset + 2, 13))).toBe(false);
});

test('finds what a plain search finds', () => {
  const letter = fc.constantFrom('a', '_', '"', 'e', 'g', 'ü');
  const text = fc.array(letter, { minLength: 1, maxLength: 10 }).map((letters) => letters.join(''));
  fc.assert(
    fc.property(fc.array(letter, { maxLength: 60 }), text, (letters, sought) => {
      const bytes = bytesOf(letters.join(''));
      expect(lookFor(sought)(bytes)).toBe(bytes.includes(sought));
    }),
    { numRuns: 2000 },
  );
});
