import type { Origin } from '../model/content.ts';
import type { JsonObject } from '../model/json.ts';
import { objectOf, objectsOf, textOf } from './members.ts';

// Places in documents that the user gave: two formats have words for them, and what they call a document's number, its
// title and the words cited is the same (Anthropic Messages API, citations; Bedrock API, CitationLocation).

interface Kind {
  /** Messages. */
  readonly type: string;
  readonly document: string;
  readonly start: string;
  readonly end: string;
  /** Converse. */
  readonly location: string;
}

const KINDS: readonly Kind[] = [
  {
    type: 'char_location',
    document: 'document_index',
    start: 'start_char_index',
    end: 'end_char_index',
    location: 'documentChar',
  },
  {
    type: 'page_location',
    document: 'document_index',
    start: 'start_page_number',
    end: 'end_page_number',
    location: 'documentPage',
  },
  {
    type: 'content_block_location',
    document: 'document_index',
    start: 'start_block_index',
    end: 'end_block_index',
    location: 'documentChunk',
  },
];

/** Converse's citations of documents for what a text of Messages cites. */
export function documentsInConverse(origin: Origin | undefined): JsonObject[] {
  if (origin?.codec !== 'anthropic-messages') return [];
  return objectsOf(origin.block.citations).flatMap((citation) => {
    const kind = KINDS.find(({ type }) => type === citation.type);
    if (!kind) return [];
    const { document_title: title, cited_text: words } = citation;
    const [documentIndex, start, end] = [citation[kind.document], citation[kind.start], citation[kind.end]];
    return [
      {
        ...(textOf(title) !== '' && { title }),
        ...(textOf(words) !== '' && { sourceContent: [{ text: words }] }),
        location: { [kind.location]: { documentIndex, start, end } },
      },
    ];
  });
}

/** Messages' citations of documents for what a text of Converse cites. */
export function documentsInMessages(origin: Origin | undefined): JsonObject[] {
  if (origin?.codec !== 'bedrock-converse') return [];
  return objectsOf(objectOf(origin.block.citationsContent).citations).flatMap(({ title, sourceContent, location }) => {
    const places = objectOf(location);
    const kind = KINDS.find((one) => places[one.location] !== undefined);
    if (!kind) return [];
    const { documentIndex, start, end } = objectOf(places[kind.location]);
    const cited_text = objectsOf(sourceContent)
      .map(({ text }) => textOf(text))
      .join('');
    return [
      {
        type: kind.type,
        cited_text,
        [kind.document]: documentIndex ?? 0,
        document_title: textOf(title) || null,
        [kind.start]: start ?? 0,
        [kind.end]: end ?? 0,
      },
    ];
  });
}

/** How many places in documents a text cites that a client of the other of these formats is told. */
export const documentsCited = (origin: Origin | undefined): number =>
  documentsInConverse(origin).length + documentsInMessages(origin).length;
