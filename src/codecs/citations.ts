import type { Origin, Part } from '../model/content.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { objectOf, objectsOf } from './members.ts';

/** A page that a stretch of a text rests on; places are those of a JavaScript string. */
export interface Citation {
  readonly url: string;
  readonly title: string;
  readonly start: number;
  readonly end: number;
}

/**
 * The pages that the end of a text names (Anthropic's `citations`, the Responses API's `annotations`). Places in files
 * have no address that another format could give.
 */
export function citationsOf(origin: Origin | undefined, length: number): Citation[] {
  if (origin?.codec === 'anthropic-messages') {
    // the whole block is what rests on the source
    return objectsOf(origin.block.citations).flatMap(({ url, source, title }) =>
      cited(url ?? source, title, 0, length),
    );
  }
  if (origin?.codec !== 'openai-responses') return [];
  return objectsOf(origin.block.annotations).flatMap(({ type, url, title, start_index: start, end_index: end }) =>
    type === 'url_citation' ? cited(url, title, placeOf(start, 0), placeOf(end, length)) : [],
  );
}

/** A citation in a text that stands `offset` characters into a longer one. */
export const shifted = (citation: Citation, offset: number): Citation => ({
  ...citation,
  start: citation.start + offset,
  end: citation.end + offset,
});

/** The pages that a whole answer names, for places in all of its text. */
export function allCitations(parts: readonly Part[], end: Origin | undefined): { text: string; citations: Citation[] } {
  let text = '';
  const inside = parts.flatMap((part) => {
    if (part.type !== 'text') return [];
    const offset = text.length;
    text += part.text;
    return citationsOf(part.origin, part.text.length).map((citation) => shifted(citation, offset));
  });
  return { text, citations: [...inside, ...citationsAtEnd(end, text)] };
}

/** The pages that the end of an answer names for places in all of its text: Gemini's grounding, a chat's annotations. */
export function citationsAtEnd(origin: Origin | undefined, text: string): Citation[] {
  if (origin?.codec === 'gemini') return groundingOf(origin.block, text);
  return origin?.codec === 'openai-chat' ? annotationsOf(origin.block, text.length) : [];
}

/** Places count bytes here (Gemini API, Segment). */
function groundingOf({ candidates }: JsonObject, text: string): Citation[] {
  const [candidate] = objectsOf(candidates);
  const { groundingChunks, groundingSupports } = objectOf(candidate?.groundingMetadata);
  const pages = objectsOf(groundingChunks).map(({ web }) => objectOf(web));
  if (pages.length === 0) return [];
  const bytes = Buffer.from(text);
  const placeAt = (byte: JsonValue | undefined, otherwise: number): number =>
    typeof byte === 'number' ? bytes.toString('utf8', 0, byte).length : otherwise;
  return objectsOf(groundingSupports).flatMap(({ segment, groundingChunkIndices }) => {
    const { startIndex, endIndex } = objectOf(segment);
    const [start, end] = [placeAt(startIndex, 0), placeAt(endIndex, text.length)];
    const indices = Array.isArray(groundingChunkIndices) ? groundingChunkIndices : [];
    return indices.flatMap((index) => cited(pages[Number(index)]?.uri, pages[Number(index)]?.title, start, end));
  });
}

function annotationsOf({ choices }: JsonObject, length: number): Citation[] {
  const { annotations } = objectOf(objectsOf(choices)[0]?.message);
  return objectsOf(annotations).flatMap(({ url_citation: page }) => {
    const { url, title, start_index: start, end_index: end } = objectOf(page);
    return cited(url, title, placeOf(start, 0), placeOf(end, length));
  });
}

function cited(url: JsonValue | undefined, title: JsonValue | undefined, start: number, end: number): Citation[] {
  if (typeof url !== 'string' || !/^https?:/i.test(url)) return [];
  return [{ url, title: typeof title === 'string' ? title : '', start, end }];
}

const placeOf = (index: JsonValue | undefined, otherwise: number): number =>
  typeof index === 'number' ? index : otherwise;
