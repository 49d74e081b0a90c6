import type { Origin } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';
import { lookFor } from '../../model/marks.ts';
import type { Citation } from '../citation.ts';
import { citationsOf } from '../citations.ts';
import { documentsInConverse } from '../document-citations.ts';
import { objectOf, objectsOf } from './wire.ts';

/** Pages that another format names, each once: a whole block rests on them here (Bedrock API, Citation, WebLocation). */
export function wireCitations(citations: readonly Citation[]): JsonObject[] {
  if (citations.length === 0) return [];
  const titles = new Map(citations.map(({ url, title }) => [url, title]));
  return [...titles].map(([url, title]) => ({
    ...(title !== '' && { title }),
    location: { web: { url, domain: domainOf(url) } },
  }));
}

const domainOf = (url: string): string => (URL.canParse(url) ? new URL(url).hostname : '');

/**
 * Sources of the text before it, as a block of their own in a whole answer: a client that did not ask for citations reads
 * texts only where they are plain ones.
 */
export const citationsBlocks = (citations: readonly JsonObject[]): JsonObject[] =>
  citations.length === 0 ? [] : [{ citationsContent: { citations: [...citations] } }];

/** What a text of another format cites: pages, and of Claude's texts the documents of the user. */
export const foreignCitations = (origin: Origin | undefined): JsonObject[] => [
  ...documentsInConverse(origin),
  ...wireCitations(citationsOf(origin, 0)),
];

/** Whether a history may hold such blocks: what no model of Bedrock wrote does not go back to one. */
export const mayHoldCitationsBlocks = lookFor('"citationsContent"');

const isCitationsBlock = ({ citationsContent: cited }: JsonObject): boolean =>
  cited !== undefined && objectsOf(objectOf(cited).content).length === 0;

/** The messages without such blocks; the same list where there are none. */
export function withoutCitationsBlocks(messages: readonly JsonObject[]): readonly JsonObject[] {
  if (!messages.some(({ content }) => objectsOf(content).some(isCitationsBlock))) return messages;
  return messages.map((message) => ({
    ...message,
    content: objectsOf(message.content).filter((block) => !isCitationsBlock(block)),
  }));
}
