import { EventStreamCodec } from '@smithy/eventstream-codec';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AmazonFrame, amazonFrame, createAmazonFrameReader } from '../../src/codecs/amazon-frames.ts';

const judge = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')),
  (text) => Buffer.from(text, 'utf8'),
);

// the judge keeps its headers in a plain object, which cannot hold this one name
const headerName = fc
  .string({ minLength: 1, maxLength: 40, unit: 'grapheme-ascii' })
  .filter((name) => name !== '__proto__');
const headers = fc.dictionary(headerName, fc.string({ maxLength: 60 }), {
  maxKeys: 4,
  noNullPrototype: true,
});
const frames = fc.array(fc.record({ headers, payload: fc.uint8Array({ maxLength: 300 }) }), {
  minLength: 1,
  maxLength: 5,
});

const written = ({ headers: given, payload }: { headers: Record<string, string>; payload: Uint8Array }): Buffer =>
  amazonFrame(given, payload);
const plain = ({ headers: read, payload }: AmazonFrame) => ({ headers: read, payload: [...payload] });

/** The bytes cut at the given places. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((start, index) => bytes.subarray(start, places[index] ?? bytes.length));
}

describe('event-stream frames', () => {
  test('are read by the judge as they were written', () => {
    fc.assert(
      fc.property(headers, fc.uint8Array({ maxLength: 300 }), (given, payload) => {
        const read = judge.decode(amazonFrame(given, payload));
        expect([...read.body]).toEqual([...payload]);
        expect(Object.fromEntries(Object.entries(read.headers).map(([name, { value }]) => [name, value]))).toEqual(
          given,
        );
      }),
    );
  });

  test('that the judge writes are the same bytes', () => {
    const told = { ':event-type': 'contentBlockDelta', ':content-type': 'application/json', ':message-type': 'event' };
    const typed = Object.fromEntries(
      Object.entries(told).map(([name, value]) => [name, { type: 'string' as const, value }]),
    );
    const body = Buffer.from('{"p":"Köln 🌤"}');
    expect(amazonFrame(told, body).equals(Buffer.from(judge.encode({ headers: typed, body })))).toBe(true);
  });

  test('come out the same wherever the bytes are cut', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(), { maxLength: 20 }), (given, cuts) => {
        const reader = createAmazonFrameReader();
        const read = pieces(Buffer.concat(given.map(written)), cuts).flatMap((piece) => reader.push(piece));
        expect(read.map(plain)).toEqual(
          given.map((frame) => ({ headers: frame.headers, payload: [...frame.payload] })),
        );
        expect(reader.inside).toBe(false);
      }),
    );
  });

  test('come out the same byte by byte, and a cut frame is known', () => {
    const bytes = Buffer.concat([amazonFrame({ a: 'b' }, 'one'), amazonFrame({}, ''), amazonFrame({ c: '' }, 'two')]);
    const reader = createAmazonFrameReader();
    const read = [...bytes.subarray(0, -1)].flatMap((byte) => reader.push(Uint8Array.of(byte)));
    expect(read.map(({ payload }) => payload.toString())).toEqual(['one', '']);
    expect(reader.inside).toBe(true);
    expect(reader.push(bytes.subarray(-1)).map(({ payload }) => payload.toString())).toEqual(['two']);
  });

  test('hold headers of every type, of which the texts are read', () => {
    const body = Buffer.from('x');
    const bytes = judge.encode({
      headers: {
        yes: { type: 'boolean', value: true },
        no: { type: 'boolean', value: false },
        byte: { type: 'byte', value: 1 },
        short: { type: 'short', value: 2 },
        integer: { type: 'integer', value: 3 },
        binary: { type: 'binary', value: Buffer.from([1, 2, 3]) },
        timestamp: { type: 'timestamp', value: new Date(0) },
        uuid: { type: 'uuid', value: '00000000-0000-4000-8000-000000000000' },
        text: { type: 'string', value: 'read' },
      },
      body,
    });
    expect(createAmazonFrameReader().push(bytes).map(plain)).toEqual([{ headers: { text: 'read' }, payload: [120] }]);
  });

  test('are refused with a flipped bit anywhere', () => {
    const bytes = amazonFrame({ ':event-type': 'messageStart' }, '{"role":"assistant"}');
    for (let place = 0; place < bytes.length; place++) {
      const broken = Buffer.from(bytes);
      broken[place] = (broken[place] ?? 0) ^ 1;
      expect(() => createAmazonFrameReader().push(broken), `byte ${place}`).toThrow(/event stream cannot be read/);
    }
  });

  test('that are something else are refused at their beginning', () => {
    expect(() => createAmazonFrameReader().push(Buffer.from('HTTP/1.1 502 Bad Gateway'))).toThrow(
      /checksum of a prelude/,
    );
  });

  test('of many megabytes in small pieces take no longer than in one', () => {
    const bytes = amazonFrame({}, Buffer.alloc(8_000_000, 7));
    const reader = createAmazonFrameReader();
    let read = 0;
    for (let at = 0; at < bytes.length; at += 1_000) read += reader.push(bytes.subarray(at, at + 1_000)).length;
    expect(read).toBe(1);
  });
});
