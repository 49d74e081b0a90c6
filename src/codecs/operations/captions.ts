/** A piece of a transcript: a word, or what stands between two. */
export interface TimedText {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly isSpace: boolean;
}

/** A line of captions, with its times in seconds. */
export interface Cue {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What is read at a glance: two lines of 42 characters. */
const MOST_CHARACTERS = 84;
const LONGEST_PAUSE_S = 1;
const SENTENCE_END = /[.!?。！？]["'”’)]?$/;

/** Words as captions: a new one behind a sentence, behind a pause, and where one would be too long. */
export function cuesOf(pieces: readonly TimedText[]): Cue[] {
  const cues: Cue[] = [];
  let cue: Cue | undefined;
  for (const { text, start, end, isSpace } of pieces) {
    if (isSpace) {
      if (cue) cue = { ...cue, text: cue.text + text };
      continue;
    }
    if (cue && isOver(cue, text, start)) {
      cues.push(trimmed(cue));
      cue = undefined;
    }
    cue = cue ? { start: cue.start, end, text: cue.text + text } : { start, end, text };
  }
  if (cue) cues.push(trimmed(cue));
  return cues;
}

const isOver = (cue: Cue, next: string, nextStart: number): boolean =>
  nextStart - cue.end > LONGEST_PAUSE_S ||
  cue.text.length + next.length > MOST_CHARACTERS ||
  SENTENCE_END.test(cue.text.trimEnd());

const trimmed = (cue: Cue): Cue => ({ ...cue, text: cue.text.trim() });

/** SubRip. */
export const srtOf = (cues: readonly Cue[]): string =>
  cues
    .map(({ start, end, text }, at) => `${at + 1}\n${clock(start, ',')} --> ${clock(end, ',')}\n${text}\n\n`)
    .join('');

/** WebVTT. */
export const vttOf = (cues: readonly Cue[]): string =>
  `WEBVTT\n\n${cues.map(({ start, end, text }) => `${clock(start, '.')} --> ${clock(end, '.')}\n${text}\n\n`).join('')}`;

function clock(seconds: number, mark: ',' | '.'): string {
  const ms = Math.round(seconds * 1_000);
  const parts = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, Math.floor(ms / 1_000) % 60];
  return `${parts.map((part) => String(part).padStart(2, '0')).join(':')}${mark}${String(ms % 1_000).padStart(3, '0')}`;
}
