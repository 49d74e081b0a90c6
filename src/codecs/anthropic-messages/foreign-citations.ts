import type { Origin } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';
import type { Citation } from '../citation.ts';
import { citationsOf } from '../citations.ts';
import { documentsInMessages } from '../document-citations.ts';
import { CODEC, objectsOf } from './wire.ts';

/** What a text of another format cites, each page once: a whole block rests on them here. */
export const foreignCitations = (origin: Origin | undefined): JsonObject[] =>
  origin?.codec === CODEC ? [] : [...documentsInMessages(origin), ...pagesOf(citationsOf(origin, 0))];

/** Pages as the citations of one block. */
export function pagesOf(citations: readonly Citation[]): JsonObject[] {
  if (citations.length === 0) return [];
  const titles = new Map(citations.map(({ url, title }) => [url, title]));
  return [...titles].map(([url, title]) => ({
    type: 'web_search_result_location',
    url,
    title: title || null,
    // what the page says, and where Anthropic found it, only Anthropic can tell
    cited_text: '',
    encrypted_index: '',
  }));
}

/** The blocks of an assistant message without such citations, which no provider of this format would take back. */
export function withoutForeignCitations(blocks: readonly JsonObject[]): readonly JsonObject[] {
  if (!blocks.some((block) => objectsOf(block.citations).some(isForeign))) return blocks;
  return blocks.map((block) => {
    const { citations, ...rest } = block;
    const given = objectsOf(citations);
    if (!given.some(isForeign)) return block;
    const kept = given.filter((citation) => !isForeign(citation));
    return kept.length > 0 ? { ...rest, citations: kept } : rest;
  });
}

const isForeign = (citation: JsonObject): boolean => citation.encrypted_index === '';
