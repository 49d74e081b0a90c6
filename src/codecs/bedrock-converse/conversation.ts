import type { Message, ToolCallPart, ToolResultPart } from '../../model/content.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import {
  type BlockWords,
  leadingSystem,
  startedByUser,
  systemBlocks,
  messagesOf as turnsOf,
  type WireConversation,
  type WireMessage,
} from '../alternating.ts';
import {
  cachePoints,
  contentBlocks,
  missingResultBlock,
  toolResultBlock,
  toolUseBlock,
  type Writing,
} from './provider-blocks.ts';
import { ownBlock } from './wire.ts';

/** The whole conversation: leading system messages apart, then turns that alternate and answer every call. */
export function conversationOf(messages: readonly Message[], writing: Writing): WireConversation {
  const [leading, turns] = leadingSystem(messages);
  const system = systemBlocks(leading, systemField, WORDS, writing);
  const written = messagesOf(turns, leading.length, writing);
  return startedByUser({ system, messages: written }, WORDS.text, writing.ledger);
}

const systemField = (message: number, part: number): string => `system.${message}.${part}`;

/** Messages as this format wants them; `from` is the place of the first in the request, for the ledger. */
export function messagesOf(messages: readonly Message[], from: number, writing: Writing): WireMessage[] {
  const written = turnsOf(messages, from, WORDS, writing);
  for (const message of written) accompanyDocuments(message, writing);
  return written;
}

const WORDS: BlockWords<Writing> = {
  blocks: contentBlocks,
  text: (text) => ({ text }),
  callId: wireCallId,
  call: (part, id, at, writing) => [toolUseBlock(part, id, at, writing), ...cachePoints(part, at, writing)],
  result: resultBlocks,
  missingResult: (id, { traits }) => missingResultBlock(id, traits),
  isOwn: ({ origin }) => ownBlock(origin) !== undefined,
};

function wireCallId({ id }: ToolCallPart, at: string, { callIds, ledger }: Writing): string {
  const wireId = callIds(id);
  if (wireId !== id) {
    const reason = `the call id "${id}" is not one that Bedrock takes, or stands there twice`;
    ledger.rewritten(`${at}.toolUse.toolUseId`, reason);
  }
  return wireId;
}

/** A result, and the cache point behind it that it or something inside of it is marked with. */
function resultBlocks(result: ToolResultPart, id: string, at: string, writing: Writing): JsonObject[] {
  const block = toolResultBlock(result, id, at, writing);
  const marked = isMarked(result) ? result : result.content.find(isMarked);
  return marked ? [block, ...cachePoints(marked, at, writing)] : [block];
}

const isMarked = ({ origin }: Pick<ToolResultPart, 'origin'>): boolean => isObject(origin?.block.cache_control);

/** A document must be accompanied by a text (Bedrock API, ContentBlock.document). */
function accompanyDocuments({ role, content }: WireMessage, { ledger }: Writing): void {
  if (role !== 'user' || !content.some((block) => block.document) || content.some((block) => block.text)) return;
  ledger.invented('messages', 'a document must be accompanied by a text');
  content.push({ text: '.' });
}
