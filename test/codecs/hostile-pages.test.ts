import { expect, test } from 'vitest';
import { codecs } from '../../src/codecs/index.ts';

// Each of these takes minutes where a pattern starts anew at every place of a text.

const TEXTS: readonly (readonly [string, string])[] = [
  ['titles that never end', `<html>${'<title'.repeat(200_000)}`],
  ['titles inside of titles', `<html>${'<title>'.repeat(200_000)}`],
  ['headings that never end', `<html>${'<h1 '.repeat(300_000)}`],
  ['blanks', `{"error":{"message":"x${' '.repeat(1_000_000)}y"}}`],
  ['words of limits', `{"error":{"message":"${'input token count ('.repeat(50_000)}"}}`],
  ['brackets', '['.repeat(1_000_000)],
];

test.each(
  Object.values(codecs).flatMap((codec) => TEXTS.map(([what, text]) => [codec.id, what, text, codec] as const)),
)('%s: an error page of a megabyte of %s is read in no time', (_, _what, text, { decodeError }) => {
  expect(decodeError(502, text, {})).toMatchObject({ details: { status: 502 } });
});
