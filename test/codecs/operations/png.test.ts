import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blackAndWhite, transparencyOf } from '../../../src/codecs/operations/png.ts';
import { greysOf, type PngShape, pngOf } from '../../support/png.ts';

const rgba = (width: number, height: number, more: Partial<PngShape> = {}): PngShape => ({
  width,
  height,
  bitDepth: 8,
  colorType: 6,
  ...more,
});

const found = (png: Buffer) => [...(transparencyOf(png)?.pixels ?? [])];

test('whatever the filter of a row and the pieces of the data, its transparent pixels are found', () => {
  const picture = fc
    .record({ width: fc.integer({ min: 1, max: 9 }), height: fc.integer({ min: 1, max: 9 }) })
    .chain(({ width, height }) => {
      const alpha = fc.constantFrom(0, 0, 1, 128, 255);
      const byte = fc.integer({ min: 0, max: 255 });
      const pixel = fc.tuple(byte, byte, byte, alpha);
      const row = fc.array(pixel, { minLength: width, maxLength: width });
      return fc.record({
        rows: fc.array(row, { minLength: height, maxLength: height }),
        filters: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: height, maxLength: height }),
        pieces: fc.integer({ min: 1, max: 4 }),
      });
    });
  fc.assert(
    fc.property(picture, ({ rows, filters, pieces }) => {
      const [width, height] = [rows[0]?.length ?? 0, rows.length];
      const png = pngOf(
        rows.map((row) => row.flat()),
        rgba(width, height, { filters, pieces }),
      );
      const expected = rows.flat().map(([, , , alpha]) => (alpha === 0 ? 1 : 0));
      expect(found(png)).toEqual(expected.includes(1) ? expected : []);
    }),
    { numRuns: 200 },
  );
});

describe('other forms', () => {
  test.each<[string, number[][], Partial<PngShape>, number[]]>([
    ['grey with alpha', [[5, 0, 5, 255]], { colorType: 4 }, [1, 0]],
    ['16 bits', [[1, 1, 2, 2, 3, 3, 0, 0, 1, 1, 2, 2, 3, 3, 0, 1]], { bitDepth: 16 }, [1, 0]],
    ['a palette of 256', [[0, 1]], { colorType: 3, transparency: [255, 0] }, [0, 1]],
    [
      'a palette of 2, several pixels a byte',
      [[0b0100_0000]],
      { colorType: 3, bitDepth: 1, transparency: [0] },
      [1, 0],
    ],
    ['a palette of 4', [[0b1000_0000]], { colorType: 3, bitDepth: 2, transparency: [0, 255, 255] }, [0, 1]],
    ['RGB, which has no alpha', [[0, 0, 0, 1, 1, 1]], { colorType: 2 }, []],
    ['alpha that is nowhere 0', [[0, 0, 0, 1, 1, 1, 1, 255]], {}, []],
  ])('%s', (_what, rows, more, expected) => {
    expect(found(pngOf(rows, rgba(2, 1, more)))).toEqual(expected);
  });

  test('what is no PNG has nothing transparent', () => {
    expect(transparencyOf(Buffer.from('mask'))).toBeUndefined();
    expect(transparencyOf(Buffer.alloc(0))).toBeUndefined();
  });

  const good = pngOf([[0, 0, 0, 0, 1, 1, 1, 255]], rgba(2, 1));

  test.each<[string, Buffer, RegExp]>([
    ['interlaced', pngOf([[0, 0, 0, 0]], rgba(1, 1, { interlace: 1 })), /interlaced/],
    ['larger than can be read at once', pngOf([[0]], rgba(100_000, 100_000)), /4096 x 4096/],
    [
      'smaller than its data',
      pngOf(
        [
          [0, 0, 0, 0],
          [0, 0, 0, 0],
        ],
        rgba(1, 1),
      ),
      /cannot be unpacked/,
    ],
    ['larger than its data', pngOf([[0, 0, 0, 0]], rgba(1, 9)), /cut short/],
    ['with a filter that nobody knows', pngOf([[0, 0, 0, 0]], rgba(1, 1, { filters: [7] })), /unknown filter/],
    ['RGB with one transparent colour', pngOf([[0, 0, 0]], rgba(1, 1, { colorType: 2, transparency: [0] })), /colour/],
    ['of no pixels', pngOf([], rgba(0, 0)), /no pixels/],
    ['cut in its header', good.subarray(0, 20), /cut short|no header/],
    ['cut in its data', good.subarray(0, 45), /cut short|no picture/],
  ])('a PNG that is %s says so', (_what, png, words) => {
    expect(() => transparencyOf(png)).toThrow(words);
  });
});

test.each([
  [
    'white',
    [
      [255, 0, 0],
      [0, 255, 255],
    ],
  ],
  [
    'black',
    [
      [0, 255, 255],
      [255, 0, 0],
    ],
  ],
] as const)('what is marked is %s, everything else its opposite', (marked, greys) => {
  const picture = { width: 3, height: 2, pixels: Uint8Array.from([1, 0, 0, 0, 1, 1]) };
  expect(greysOf(blackAndWhite(picture, marked))).toEqual(greys);
});

test('data in very many pieces takes no longer than in one', () => {
  const rows = Array.from({ length: 64 }, () => Array.from({ length: 512 * 4 }, (_, at) => (at * 7919) % 251));
  const whole = pngOf(rows, rgba(512, 64, { filters: rows.map((_, y) => y % 5) }));
  const pieces = pngOf(rows, rgba(512, 64, { filters: rows.map((_, y) => y % 5), pieces: 5_000 }));
  expect(found(pieces)).toEqual(found(whole));
});
