import { crc32, deflateSync, inflateSync } from 'node:zlib';

export interface PngShape {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  readonly colorType: number;
  readonly interlace?: number;
  /** Of each row; none by default. */
  readonly filters?: readonly number[];
  readonly transparency?: readonly number[];
  /** In how many pieces the data comes. */
  readonly pieces?: number;
}

const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

const chunk = (type: string, data: Buffer): Buffer => {
  const named = Buffer.concat([Buffer.from(type), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
};

/** A PNG file of rows of bytes. */
export function pngOf(rows: readonly (readonly number[])[], shape: PngShape): Buffer {
  const { width, height, bitDepth, colorType, interlace = 0, filters = [], transparency, pieces = 1 } = shape;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([bitDepth, colorType, 0, 0, interlace], 8);
  const back = Math.max(1, ((SAMPLES[colorType] ?? 1) * bitDepth) >> 3);
  const filtered = rows.map((row, y) => {
    const filter = filters[y] ?? 0;
    const above = rows[y - 1] ?? [];
    const bytes = row.map(
      (value, x) => value - predicted(filter, row[x - back] ?? 0, above[x] ?? 0, above[x - back] ?? 0),
    );
    return Buffer.from([filter, ...bytes]);
  });
  const data = deflateSync(Buffer.concat(filtered));
  const step = Math.ceil(data.length / pieces);
  const parts = Array.from({ length: pieces }, (_, at) => chunk('IDAT', data.subarray(at * step, (at + 1) * step)));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    ...(colorType === 3 ? [chunk('PLTE', Buffer.alloc(3 * 2 ** bitDepth, 9))] : []),
    ...(transparency ? [chunk('tRNS', Buffer.from(transparency))] : []),
    ...parts,
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function predicted(filter: number, left: number, up: number, upLeft: number): number {
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return Math.floor((left + up) / 2);
  if (filter !== 4) return 0;
  const estimate = left + up - upLeft;
  return [left, up, upLeft].reduce((best, next) =>
    Math.abs(estimate - next) < Math.abs(estimate - best) ? next : best,
  );
}

/** The greys of a PNG of 8 bits that is written without filters, a row each. Throws when it is none. */
export function greysOf(png: Buffer): number[][] {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  if (png.readUInt8(24) !== 8 || png.readUInt8(25) !== 0) throw new Error('not grey of 8 bits');
  let data: Buffer = Buffer.alloc(0);
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12) {
    const length = png.readUInt32BE(at);
    const named = png.subarray(at + 4, at + 8 + length);
    if (crc32(named) !== png.readUInt32BE(at + 8 + length)) throw new Error('a wrong checksum');
    if (named.toString('latin1', 0, 4) === 'IDAT') data = Buffer.concat([data, named.subarray(4)]);
  }
  const rows = inflateSync(data);
  return Array.from({ length: height }, (_, y) => [...rows.subarray(y * (width + 1) + 1, (y + 1) * (width + 1))]);
}
