import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WireEvent } from '../../src/codecs/codec.ts';
import { createSseReader } from '../../src/codecs/sse.ts';

function read(pieces: readonly Uint8Array[]): WireEvent[] {
  const reader = createSseReader();
  const events = pieces.flatMap((piece) => reader.push(piece));
  return [...events, ...reader.end()];
}

const readText = (text: string): WireEvent[] => read([Buffer.from(text)]);

/** The bytes cut behind each of `cuts` (taken modulo the length). */
function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((place, index) => bytes.subarray(place, places[index] ?? bytes.length));
}

const CASES: readonly (readonly [string, string, readonly WireEvent[]])[] = [
  ['a data line', 'data: one\n\n', [{ data: 'one' }]],
  ['an event line and a data line', 'event: ping\ndata: {}\n\n', [{ event: 'ping', data: '{}' }]],
  ['several events in one read', 'data: 1\n\ndata: 2\n\n', [{ data: '1' }, { data: '2' }]],
  ['CRLF', 'event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n', [{ event: 'a', data: '1' }, { data: '2' }]],
  ['CR', 'data: 1\r\rdata: 2\r\r', [{ data: '1' }, { data: '2' }]],
  ['mixed line endings', 'event: a\r\ndata: 1\n\r\ndata: 2\r\n\n', [{ event: 'a', data: '1' }, { data: '2' }]],
  ['comments', ': OPENROUTER PROCESSING\n\ndata: 1\n: x\n\n', [{ data: '1' }]],
  ['several data lines', 'data: a\ndata: b\n\n', [{ data: 'a\nb' }]],
  ['a data line before its event line', 'data: a\nevent: b\n\n', [{ event: 'b', data: 'a' }]],
  ['no space behind the colon', 'event:a\ndata:b\n\n', [{ event: 'a', data: 'b' }]],
  ['only one space is taken away', 'data:  b\n\n', [{ data: ' b' }]],
  ['a byte order mark', '\ufeffdata: 1\n\n', [{ data: '1' }]],
  ['id and retry lines', 'id: 7\nretry: 10\ndata: 1\n\n', [{ data: '1' }]],
  ['an event without data', 'event: a\n\ndata: 1\n\n', [{ data: '1' }]],
  ['more blank lines than needed', '\n\n\ndata: 1\n\n\n\ndata: 2\n\n', [{ data: '1' }, { data: '2' }]],
  ['an empty data line', 'data\n\n', [{ data: '' }]],
  ['a last event without its blank line', 'data: 1\n\ndata: {"a":1}\n', [{ data: '1' }, { data: '{"a":1}' }]],
  ['a last line without its end', 'data: 1\n\ndata: [DONE]', [{ data: '1' }, { data: '[DONE]' }]],
  ['a last event cut in half', 'data: 1\n\ndata: {"a":', [{ data: '1' }]],
  ['characters of several bytes', 'data: grüß 👋 世界\n\n', [{ data: 'grüß 👋 世界' }]],
];

describe('SSE reader', () => {
  test.each(CASES)('reads %s', (_what, text, events) => {
    expect(readText(text)).toEqual(events);
  });

  test.each(CASES)('reads %s one byte at a time', (_what, text, events) => {
    expect(read([...Buffer.from(text)].map((byte) => Uint8Array.of(byte)))).toEqual(events);
  });

  test('gives an event as soon as its blank line has come, also behind a lone CR', () => {
    const reader = createSseReader();
    expect(reader.push(Buffer.from('data: 1\r\n\r'))).toEqual([{ data: '1' }]);
    expect(reader.push(Buffer.from('\ndata: 2\n\n'))).toEqual([{ data: '2' }]);
  });

  test.each([
    ['a line', 'a'],
    ['an event of many lines', 'data: a\n'],
  ])('does not collect %s without an end', (_, piece) => {
    const reader = createSseReader();
    const mebibyte = Buffer.from(piece.repeat(Math.ceil(2 ** 20 / piece.length)));
    const pushed = (times: number) => () => {
      for (let time = 0; time < times; time++) reader.push(mebibyte);
    };
    expect(pushed(60)).not.toThrow();
    expect(pushed(10)).toThrow(/more than 64 million characters and no end/);
  });

  test('any chunk boundary gives the same events', () => {
    const ending = fc.constantFrom('\n', '\r\n', '\r');
    const value = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n\ufeff]/g, ' '));
    const event = fc.tuple(fc.option(value), fc.array(value, { minLength: 1, maxLength: 3 }), ending, fc.boolean());
    const wire = fc.array(event).map((events) => {
      const texts = events.map(([name, data, end, comment]) => {
        const lines = [...(comment ? [': hi'] : []), ...(name === null ? [] : [`event: ${name}`])];
        return [...lines, ...data.map((line) => `data: ${line}`), '', ''].join(end);
      });
      return Buffer.from(texts.join(''));
    });
    fc.assert(
      fc.property(wire, fc.array(fc.nat()), (bytes, cuts) => {
        expect(read(cut(bytes, cuts))).toEqual(read([bytes]));
      }),
    );
  });

  test('what was written is what is read', () => {
    const value = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, ' '));
    fc.assert(
      fc.property(fc.array(value), fc.array(fc.nat()), (values, cuts) => {
        const bytes = Buffer.from(values.map((data) => `event: e\ndata: ${data}\n\n`).join(''));
        expect(read(cut(bytes, cuts))).toEqual(values.map((data) => ({ event: 'e', data })));
      }),
    );
  });

  test('a long event in small pieces stays linear', () => {
    const bytes = Buffer.from(`data: ${'x'.repeat(400_000)}\n\n`);
    const pieces = Array.from({ length: Math.ceil(bytes.length / 16) }, (_, at) =>
      bytes.subarray(at * 16, at * 16 + 16),
    );
    expect(read(pieces)[0]?.data).toHaveLength(400_000);
  });
});
