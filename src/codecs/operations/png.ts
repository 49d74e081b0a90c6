import { crc32, deflateSync, inflateSync } from 'node:zlib';

// As much of PNG (ISO/IEC 15948) as masks need: which pixels are transparent, and pictures in black and white.

/** Which pixels of a picture are wholly transparent, row by row. */
export interface Transparency {
  readonly width: number;
  readonly height: number;
  /** 1 for each pixel that is, 0 for each that is not. */
  readonly pixels: Uint8Array;
}

interface Header {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  readonly colorType: number;
  readonly isInterlaced: boolean;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Colour types, 11.2.1. */
const PALETTE = 3;
/** Samples of a pixel, the last of which is alpha. */
const SAMPLES_WITH_ALPHA: Readonly<Record<number, number | undefined>> = { 4: 2, 6: 4 };

/** 4,096 x 4,096: more would hold everybody up while it is read. */
const MOST_PIXELS = 4_096 * 4_096;

/** Why a PNG cannot be read here. */
export class UnreadablePng extends Error {}

/** Undefined for what is no PNG, and for a PNG that has nothing transparent. Throws UnreadablePng. */
export function transparencyOf(bytes: Buffer): Transparency | undefined {
  if (!bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE)) return undefined;
  const chunks = chunksOf(bytes);
  const header = headerIn(chunks.get('IHDR'));
  const paletteAlpha = chunks.get('tRNS');
  const samples = SAMPLES_WITH_ALPHA[header.colorType];
  if (samples === undefined && paletteAlpha === undefined) return undefined;
  if (samples === undefined && header.colorType !== PALETTE) throw new UnreadablePng('has a colour for transparent');
  if (header.isInterlaced) throw new UnreadablePng('is interlaced');
  if (header.width * header.height > MOST_PIXELS) throw new UnreadablePng('has more than 4096 x 4096 pixels');
  const bitsPerPixel = (samples ?? 1) * header.bitDepth;
  const rows = unfiltered(chunks.get('IDAT'), header, bitsPerPixel);
  const pixels = paletteAlpha && samples === undefined ? byPalette(rows, header, paletteAlpha) : byAlpha(rows, header);
  return pixels.includes(1) ? { width: header.width, height: header.height, pixels } : undefined;
}

/** A picture in grey of 8 bits: `value` where a pixel is marked, its opposite elsewhere. */
export function blackAndWhite({ width, height, pixels }: Transparency, marked: 'white' | 'black'): Buffer {
  const [on, off] = marked === 'white' ? [255, 0] : [0, 255];
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = pixels[y * width + x] === 1 ? on : off;
  }
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([
    SIGNATURE,
    chunkOf('IHDR', header),
    chunkOf('IDAT', deflateSync(rows)),
    chunkOf('IEND', Buffer.alloc(0)),
  ]);
}

function chunkOf(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(named.length + 8);
  framed.writeUInt32BE(data.length, 0);
  named.copy(framed, 4);
  framed.writeUInt32BE(crc32(named), named.length + 4);
  return framed;
}

/** By type; those that stand several times are one. */
function chunksOf(bytes: Buffer): ReadonlyMap<string, Buffer> {
  const chunks = new Map<string, Buffer[]>();
  for (let at = SIGNATURE.length; at + 12 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (data.length < length) throw new UnreadablePng('is cut short');
    const before = chunks.get(type);
    if (before) before.push(data);
    else chunks.set(type, [data]);
    at += length + 12;
  }
  return new Map([...chunks].map(([type, pieces]) => [type, Buffer.concat(pieces)]));
}

function headerIn(chunk: Buffer | undefined): Header {
  if (chunk?.length !== 13) throw new UnreadablePng('has no header');
  const header = {
    width: chunk.readUInt32BE(0),
    height: chunk.readUInt32BE(4),
    bitDepth: chunk.readUInt8(8),
    colorType: chunk.readUInt8(9),
    isInterlaced: chunk.readUInt8(12) !== 0,
  };
  if (header.width === 0 || header.height === 0) throw new UnreadablePng('has no pixels');
  return header;
}

/** The bytes of all rows, without their filters (9.2). */
function unfiltered(data: Buffer | undefined, { width, height }: Header, bitsPerPixel: number): Buffer {
  const rowLength = Math.ceil((width * bitsPerPixel) / 8);
  const filtered = inflated(data, (rowLength + 1) * height);
  const back = Math.max(1, bitsPerPixel >> 3);
  const rows = Buffer.alloc(rowLength * height);
  for (let y = 0; y < height; y++) {
    const from = y * (rowLength + 1);
    const predict = PREDICTIONS[filtered[from] ?? 0];
    if (!predict) throw new UnreadablePng('has an unknown filter');
    const to = y * rowLength;
    for (let x = 0; x < rowLength; x++) {
      const left = x < back ? 0 : (rows[to + x - back] ?? 0);
      const up = y === 0 ? 0 : (rows[to + x - rowLength] ?? 0);
      const upLeft = x < back || y === 0 ? 0 : (rows[to + x - rowLength - back] ?? 0);
      rows[to + x] = (filtered[from + 1 + x] ?? 0) + predict(left, up, upLeft);
    }
  }
  return rows;
}

function inflated(data: Buffer | undefined, length: number): Buffer {
  if (!data) throw new UnreadablePng('holds no picture');
  let bytes: Buffer;
  try {
    bytes = inflateSync(data, { maxOutputLength: length });
  } catch (cause) {
    throw new UnreadablePng('holds data that cannot be unpacked', { cause });
  }
  if (bytes.length < length) throw new UnreadablePng('is cut short');
  return bytes;
}

/** None, Sub, Up, Average, Paeth. */
const PREDICTIONS: readonly ((left: number, up: number, upLeft: number) => number)[] = [
  () => 0,
  (left) => left,
  (_left, up) => up,
  (left, up) => (left + up) >> 1,
  paeth,
];

function paeth(left: number, up: number, upLeft: number): number {
  const estimate = left + up - upLeft;
  const [byLeft, byUp, byBoth] = [Math.abs(estimate - left), Math.abs(estimate - up), Math.abs(estimate - upLeft)];
  if (byLeft <= byUp && byLeft <= byBoth) return left;
  return byUp <= byBoth ? up : upLeft;
}

function byAlpha(rows: Buffer, { width, height, bitDepth, colorType }: Header): Uint8Array {
  const samples = SAMPLES_WITH_ALPHA[colorType] ?? 1;
  const bytes = bitDepth >> 3;
  const pixels = new Uint8Array(width * height);
  for (let at = 0; at < pixels.length; at++) {
    const end = (at + 1) * samples * bytes;
    // of 16 bits both bytes are 0
    if (rows[end - 1] === 0 && (bytes === 1 || rows[end - 2] === 0)) pixels[at] = 1;
  }
  return pixels;
}

/** Each pixel is a place in the palette; several stand in a byte where there are few colours. */
function byPalette(rows: Buffer, { width, height, bitDepth }: Header, alpha: Buffer): Uint8Array {
  const rowLength = Math.ceil((width * bitDepth) / 8);
  const pixels = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * bitDepth;
      const byte = rows[y * rowLength + (bit >> 3)] ?? 0;
      const place = (byte >> (8 - bitDepth - (bit & 7))) & ((1 << bitDepth) - 1);
      if (alpha[place] === 0) pixels[y * width + x] = 1;
    }
  }
  return pixels;
}
