import type { Origin, Part } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';
import type { Citation } from '../citation.ts';
import { allCitations, citationsOf } from '../citations.ts';
import { citationsAtEnd } from '../citations-at-end.ts';

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
  origin?.codec === 'openai-chat' ? [] : citationsAtEnd(origin, content).map(annotation(0));

/** The pages of a whole answer of another format. */
export const allAnnotations = (texts: readonly Part[], end: Origin | undefined): JsonObject[] =>
  allCitations(texts, end?.codec === 'openai-chat' ? undefined : end).citations.map(annotation(0));
