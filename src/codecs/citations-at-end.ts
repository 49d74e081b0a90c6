import type { Origin } from '../model/content.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { type Citation, cited, LONGEST_CITING, MOST_CITATIONS, placeOf, shifted } from './citation.ts';
import { objectOf, objectsOf, stringsOf, textOf } from './members.ts';

/**
 * The pages that the end of an answer names for places in all of its text: Gemini's grounding and quotations, a chat's
 * annotations and sources.
 */
export function citationsAtEnd(origin: Origin | undefined, text: string): Citation[] {
  return text.length > LONGEST_CITING ? [] : allAtEnd(origin, text).slice(0, MOST_CITATIONS);
}

function allAtEnd(origin: Origin | undefined, text: string): Citation[] {
  const before = Math.max(0, text.length - (origin?.covers ?? text.length));
  const last = inStretch(origin, text, before, text.length - before);
  if (!origin?.earlier) return last;
  return [...origin.earlier.flatMap((end) => inStretch(end.origin, text, end.from, end.length)), ...last];
}

function inStretch(origin: Origin | undefined, text: string, from: number, length: number): Citation[] {
  const citations = citationsIn(origin, length === text.length ? text : text.slice(from, from + length));
  return from === 0 ? citations : citations.map((citation) => shifted(citation, from));
}

function citationsIn(origin: Origin | undefined, text: string): Citation[] {
  if (origin?.codec === 'gemini') return pagesOfCandidate(objectsOf(origin.block.candidates)[0] ?? {}, text);
  if (origin?.codec !== 'openai-chat') return [];
  const annotated = annotationsOf(origin.block, text.length);
  const known = new Set(annotated.map(({ url }) => url));
  return [...annotated, ...numberedPages(origin.block, text).filter(({ url }) => !known.has(url))];
}

/**
 * Those for the last text, which begins `begin` characters into all of it, where only that can still be told what it
 * rests on.
 */
export const citationsInLastText = (origin: Origin | undefined, text: string, begin: number): Citation[] =>
  citationsAtEnd(origin, text).filter(({ end }) => begin === 0 || end > begin);

function pagesOfCandidate({ groundingMetadata, citationMetadata }: JsonObject, text: string): Citation[] {
  if (!groundingMetadata && !citationMetadata) return [];
  const place = places(text);
  return [...groundingOf(objectOf(groundingMetadata), text, place), ...quotationsOf(objectOf(citationMetadata), place)];
}

/** Where something is in a text, by what the wire says of it. */
type PlaceAt = (byte: JsonValue | undefined, otherwise: number) => number;

/** Places count bytes here (Gemini API, Segment and CitationSource). */
function places(text: string): PlaceAt {
  const bytes = Buffer.from(text);
  const isAscii = bytes.length === text.length;
  return (byte, otherwise) => {
    if (typeof byte !== 'number') return otherwise;
    return isAscii ? Math.min(byte, text.length) : bytes.toString('utf8', 0, byte).length;
  };
}

function groundingOf({ groundingChunks, groundingSupports }: JsonObject, text: string, place: PlaceAt): Citation[] {
  const pages = objectsOf(groundingChunks).map(({ web, maps, retrievedContext }) =>
    objectOf(web ?? maps ?? retrievedContext),
  );
  const supports = objectsOf(groundingSupports).slice(0, MOST_CITATIONS);
  if (supports.length === 0) return pages.flatMap(({ uri, title }) => cited(uri, title, 0, text.length));
  return supports.flatMap(({ segment, groundingChunkIndices }) => {
    const [start, end] = stretchOf(objectOf(segment), text, place);
    const indices = Array.isArray(groundingChunkIndices) ? groundingChunkIndices : [];
    return indices.flatMap((index) => cited(pages[Number(index)]?.uri, pages[Number(index)]?.title, start, end));
  });
}

/** The words of a segment tell where it is, should its places count from elsewhere (from a part of the answer). */
function stretchOf({ startIndex, endIndex, text: words }: JsonObject, text: string, place: PlaceAt): [number, number] {
  const [start, end] = [place(startIndex, 0), place(endIndex, text.length)];
  const said = textOf(words);
  if (said === '' || text.startsWith(said, start)) return [start, end];
  const found = text.indexOf(said);
  return found < 0 ? [start, end] : [found, found + said.length];
}

/** What the model quotes at length. The Gemini API and Vertex AI have names of their own for the list. */
const quotationsOf = ({ citationSources, citations }: JsonObject, place: PlaceAt): Citation[] =>
  [...objectsOf(citationSources), ...objectsOf(citations)]
    .slice(0, MOST_CITATIONS)
    .flatMap(({ uri, title, startIndex, endIndex }) =>
      cited(uri, title, place(startIndex, 0), place(endIndex, place(Number.MAX_SAFE_INTEGER, 0))),
    );

function annotationsOf({ choices }: JsonObject, length: number): Citation[] {
  const { annotations } = objectOf(objectsOf(choices)[0]?.message);
  return objectsOf(annotations).flatMap(({ url_citation: page }) => {
    const { url, title, start_index: start, end_index: end } = objectOf(page);
    return cited(url, title, placeOf(start, 0), placeOf(end, length));
  });
}

/**
 * Pages in lists beside the choices, which the text names by their numbers, as in `[2]` (Perplexity, xAI). On those
 * that it does not name, all of it rests.
 */
function numberedPages(block: JsonObject, text: string): Citation[] {
  const pages = listedPages(block);
  if (pages.length === 0) return [];
  const named = new Set<number>();
  const marked = [...text.matchAll(/\[(\d{1,3})\]/g)].flatMap(({ 0: mark, 1: digits, index }) => {
    const number = Number(digits);
    const page = pages[number - 1];
    if (!page) return [];
    named.add(number);
    return cited(page.url, page.title, index, index + mark.length);
  });
  const others = pages.filter((_, index) => !named.has(index + 1));
  return [...marked, ...others.flatMap(({ url, title }) => cited(url, title, 0, text.length))];
}

/** `citations` number the pages, `search_results` have their titles. Newer answers have only the latter. */
function listedPages({ citations, search_results: results }: JsonObject): { url: string; title: string }[] {
  const found = objectsOf(results).map(({ url, title }) => ({ url: textOf(url), title: textOf(title) }));
  const numbered = stringsOf(citations);
  if (numbered.length === 0) return found;
  const titles = new Map(found.map(({ url, title }) => [url, title]));
  return numbered.map((url) => ({ url, title: titles.get(url) ?? '' }));
}
