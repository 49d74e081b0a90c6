import { expect, test } from 'vitest';
import { cuesOf, srtOf, type TimedText, vttOf } from '../../../src/codecs/operations/captions.ts';

/** Words of half a second each, a space behind every one; `|` is a pause of two seconds. */
function spoken(text: string): TimedText[] {
  let at = 0;
  return text.split(' ').flatMap((word) => {
    if (word === '|') {
      at += 2;
      return [];
    }
    const start = at;
    at += 0.5;
    return [
      { text: word, start, end: at, isSpace: false },
      { text: ' ', start: at, end: at, isSpace: true },
    ];
  });
}

const texts = (text: string) => cuesOf(spoken(text)).map((cue) => cue.text);

test.each([
  ['a sentence ends', 'Hello there. How are you?', ['Hello there.', 'How are you?']],
  ['somebody pauses', 'well | yes', ['well', 'yes']],
  ['a line is full', Array(30).fill('word').join(' '), [17, 13].map((n) => Array(n).fill('word').join(' '))],
])('a caption ends where %s', (_where, text, expected) => {
  expect(texts(text)).toEqual(expected);
});

test('words that nothing stands between stay together', () => {
  const piece = (text: string, start: number) => ({ text, start, end: start + 0.2, isSpace: false });
  expect(cuesOf([piece('你', 0), piece('好', 0.2), piece('。', 0.4), piece('再见', 0.6)])).toEqual([
    { start: 0, end: 0.6000000000000001, text: '你好。' },
    { start: 0.6, end: 0.8, text: '再见' },
  ]);
});

test('nothing said is no caption', () => {
  expect(cuesOf([])).toEqual([]);
  expect(srtOf([])).toBe('');
  expect(vttOf([])).toBe('WEBVTT\n\n');
});

test('both forms tell hours, minutes, seconds and milliseconds', () => {
  const cues = [
    { start: 0, end: 1.5, text: 'one' },
    { start: 3_725.0004, end: 36_000.9996, text: 'two' },
  ];
  expect(srtOf(cues)).toBe('1\n00:00:00,000 --> 00:00:01,500\none\n\n2\n01:02:05,000 --> 10:00:01,000\ntwo\n\n');
  expect(vttOf(cues)).toBe('WEBVTT\n\n00:00:00.000 --> 00:00:01.500\none\n\n01:02:05.000 --> 10:00:01.000\ntwo\n\n');
});
