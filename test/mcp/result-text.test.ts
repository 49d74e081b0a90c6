import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ToolResult } from '../../src/mcp/contract.ts';
import { resultParts, resultText } from '../../src/mcp/result-text.ts';
import type { JsonObject } from '../../src/model/json.ts';

const result = (content: JsonObject[], more: JsonObject = {}) => ({ content, ...more }) as ToolResult;
const parts = (content: JsonObject[], more: JsonObject = {}) => resultParts('files-read', result(content, more));
const text = (value: string) => ({ type: 'text', text: value });

describe('what a model gets of a result', () => {
  test.each<[string, JsonObject, object]>([
    ['text', text('hello'), text('hello')],
    [
      'an image',
      { type: 'image', data: 'AAAA', mimeType: 'image/png' },
      { type: 'media', mediaType: 'image/png', source: { type: 'base64', data: 'AAAA' } },
    ],
    [
      'audio without its type',
      { type: 'audio', data: 'AAAA' },
      { type: 'media', mediaType: 'audio/*', source: { type: 'base64', data: 'AAAA' } },
    ],
    ['an image without data', { type: 'image', mimeType: 'image/png' }, text('[image/png without data]')],
    [
      'a text resource',
      { type: 'resource', resource: { uri: 'file:///a.txt', text: 'inside' } },
      text('[Resource file:///a.txt]\ninside'),
    ],
    [
      'a PDF resource',
      { type: 'resource', resource: { uri: 'file:///a.pdf', mimeType: 'application/pdf', blob: 'JVBE' } },
      { type: 'media', mediaType: 'application/pdf', source: { type: 'base64', data: 'JVBE' }, name: 'file:///a.pdf' },
    ],
    [
      'a resource of other bytes',
      { type: 'resource', resource: { uri: 'file:///a.zip', mimeType: 'application/zip', blob: 'UEsD' } },
      text('[Embedded Resource Response: application/zip]'),
    ],
    [
      'a link',
      { type: 'resource_link', name: 'readme', uri: 'file:///readme', mimeType: 'text/markdown' },
      text('[Resource link readme: file:///readme, text/markdown]'),
    ],
    ['a block that nobody knows', { type: 'hologram', size: 3 }, text('{"type":"hologram","size":3}')],
  ])('%s', (_, block, expected) => {
    expect(parts([block])).toEqual([expected]);
  });

  test('structured content counts where there is no content', () => {
    expect(parts([], { structuredContent: { a: 1 } })).toEqual([text('{"a":1}')]);
    expect(parts([text('said')], { structuredContent: { a: 1 } })).toEqual([text('said')]);
  });

  test.each<[string, JsonObject[], JsonObject, string]>([
    ['nothing', [], {}, "MCP tool 'files-read' executed successfully"],
    ['B9 only white space', [text(' \n')], {}, "MCP tool 'files-read' executed successfully"],
    ['an error without a word', [], { isError: true }, "MCP tool 'files-read' failed and gave no reason"],
  ])('%s becomes a sentence', (_, content, more, expected) => {
    expect(parts(content, more)).toEqual([text(expected)]);
  });
});

test('as one text, blocks are joined and trimmed, and media written out', () => {
  const blocks = [text(' one'), { type: 'image', data: 'AAAA', mimeType: 'image/png' }, text('two ')];
  expect(resultText('t', result(blocks))).toBe('one[Image Response: AAAA, MIME: image/png]two');
  expect(resultText('t', result([{ type: 'audio', data: 'BB', mimeType: 'audio/wav' }]))).toBe(
    '[Audio Response: BB, MIME: audio/wav]',
  );
});

describe('H8 size', () => {
  const limits = { maxTextLength: 10, maxMediaLength: 4 };

  test('a huge text is cut, and the cut is told', () => {
    const [kept, note] = parts([text('x'.repeat(5_000_000))]);
    expect(kept).toMatchObject({ text: 'x'.repeat(200_000) });
    expect(note).toMatchObject({
      text: expect.stringContaining('the first 200000 of 5000000 characters are shown, 4800000 were left out'),
    });
  });

  test('the limit is for all blocks together, and media stay', () => {
    const image = { type: 'image', data: 'AAAA', mimeType: 'image/png' };
    const cut = resultParts('t', result([text('12345678'), image, text('abcdefgh'), text('gone')]), limits);
    expect(cut.map((part) => (part.type === 'text' ? part.text : part.type))).toEqual([
      '12345678',
      'media',
      'ab',
      expect.stringContaining('the first 10 of 20 characters are shown, 10 were left out'),
    ]);
  });

  test('a huge image is left out, and that is told', () => {
    const image = { type: 'image', data: 'AAAAA', mimeType: 'image/png' };
    expect(resultParts('t', result([image]), { ...limits, maxTextLength: 200 })).toEqual([
      text('[image/png left out by the gateway: 5 characters of base64 are over the limit of 4]'),
    ]);
  });

  test('no cut halves a character', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (texts) => {
        const whole = resultText('t', result(texts.map(text)), limits);
        // Throws on half of a surrogate pair.
        expect(encodeURIComponent(whole)).not.toBe('');
      }),
    );
  });
});
