import type { JsonValue } from '../model/json.ts';

/** A page that a stretch of a text rests on; places are those of a JavaScript string. */
export interface Citation {
  readonly url: string;
  readonly title: string;
  readonly start: number;
  readonly end: number;
}

/** More than any answer rests on: each may be looked for in all of the text, and told with a stretch of it. */
export const MOST_CITATIONS = 1_000;

/** Longer than any model's answer, in characters; where things stand in such a text is not told. */
export const LONGEST_CITING = 1_000_000;

/** None for what is no page that anybody can open. */
export function cited(
  url: JsonValue | undefined,
  title: JsonValue | undefined,
  start: number,
  end: number,
): Citation[] {
  if (typeof url !== 'string' || !/^https?:/i.test(url)) return [];
  return [{ url, title: typeof title === 'string' ? title : '', start, end }];
}

/** A citation in a text that stands `offset` characters into a longer one. */
export const shifted = (citation: Citation, offset: number): Citation => ({
  ...citation,
  start: citation.start + offset,
  end: citation.end + offset,
});

export const placeOf = (index: JsonValue | undefined, otherwise: number): number =>
  typeof index === 'number' ? index : otherwise;

/** Of texts that stand one behind the other, the one in which a citation ends; `begins`: their places in the whole. */
export const textCited = (begins: readonly number[], { end }: Citation): number =>
  Math.max(
    0,
    begins.findLastIndex((begin) => begin < end),
  );

/** A citation in the whole as one in the text of this length that stands `begin` characters into it. */
export const within = (citation: Citation, begin: number, length: number): Citation => {
  const inside = (place: number): number => Math.min(Math.max(place - begin, 0), length);
  return { ...citation, start: inside(citation.start), end: inside(citation.end) };
};
