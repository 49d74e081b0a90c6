import type { Origin, Part } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';
import { type Citation, citationsOf, groundingOf } from '../citations.ts';

/** A page that the content rests on, `offset` characters into it (Chat Completions, annotations). */
const annotation =
  (offset: number) =>
  ({ url, title, start, end }: Citation): JsonObject => ({
    type: 'url_citation',
    url_citation: { url, title, start_index: offset + start, end_index: offset + end },
  });

/** The pages of one text of another format, which stands `offset` characters into the content. */
export const annotationsOf = (origin: Origin | undefined, length: number, offset: number): JsonObject[] =>
  citationsOf(origin, length).map(annotation(offset));

/** The pages that the end of an answer of another format names. */
export const annotationsAtEnd = (origin: Origin | undefined, content: string): JsonObject[] =>
  groundingOf(origin, content).map(annotation(0));

/** The pages of a whole answer of another format. */
export function allAnnotations(texts: readonly Part[], content: string, end: Origin | undefined): JsonObject[] {
  let offset = 0;
  const inside = texts.flatMap((part) => {
    if (part.type !== 'text') return [];
    const found = annotationsOf(part.origin, part.text.length, offset);
    offset += part.text.length;
    return found;
  });
  return [...inside, ...annotationsAtEnd(end, content)];
}
