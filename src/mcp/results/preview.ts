import { wholeCharacters } from './kept-results.ts';

export interface Size {
  readonly characters: number;
  /** Estimated. */
  readonly tokens: number;
}

export interface Handle {
  readonly handle: string;
  readonly lineCount: number;
  readonly minutes: number;
}

/** What stands in place of a large text: what it is, how to read on, and how it begins. */
export function preview(text: string, size: Size, maxLength: number, handle: Handle | undefined): string {
  const start = text.slice(0, wholeCharacters(text, Math.min(maxLength, text.length)));
  const about = `${size.characters} characters (about ${size.tokens} tokens)`;
  const first = start === '' ? 'Nothing of it is shown here.' : `Its first ${start.length} characters follow.`;
  const advice = handle ? readOn(handle) : 'Ask for a smaller part if you need the rest.';
  return `[Too large to be shown whole: ${about}. ${advice} ${first}]\n${start}`;
}

const readOn = ({ handle, lineCount, minutes }: Handle): string =>
  `It is kept for ${minutes} minutes as "${handle}", ${lineCount} lines: read it with readResult {"handle": "${handle}", "offset": 1, "limit": 200}, or search it with grepResult {"handle": "${handle}", "pattern": "..."}.`;
