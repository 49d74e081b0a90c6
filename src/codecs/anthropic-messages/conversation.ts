import type { Message, Part, ToolCallPart } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';
import {
  type BlockWords,
  fieldOf,
  leadingSystem,
  startedByUser,
  systemBlocks,
  messagesOf as turnsOf,
  type WireConversation,
  type WireMessage,
} from '../alternating.ts';
import { contentBlock, missingResultBlock, toolResultBlock, toolUseBlock, type Writing } from './upstream-blocks.ts';
import { ownBlock } from './wire.ts';

/** The whole conversation: leading system messages apart, then turns that alternate and answer every call. */
export function conversationOf(messages: readonly Message[], writing: Writing): WireConversation {
  const [leading, turns] = leadingSystem(messages);
  const system = systemBlocks(leading, fieldOf, WORDS, writing);
  const written = messagesOf(turns, leading.length, writing);
  return startedByUser({ system, messages: written }, WORDS.text, writing.ledger);
}

/** Messages as this format wants them; `from` is the place of the first in the request, for the ledger. */
export const messagesOf = (messages: readonly Message[], from: number, writing: Writing): WireMessage[] =>
  turnsOf(messages, from, WORDS, writing);

const WORDS: BlockWords<Writing> = {
  blocks: blocksOf,
  text: (text) => ({ type: 'text', text }),
  callId: wireCallId,
  call: (part, id, at, writing) => [toolUseBlock(part, id, at, writing)],
  result: (part, id, at, writing) => [toolResultBlock(part, id, at, writing)],
  missingResult: missingResultBlock,
  isOwn: ({ origin }) => ownBlock(origin) !== undefined,
};

function blocksOf(part: Part, at: string, writing: Writing): JsonObject[] {
  const block = contentBlock(part, at, writing);
  return block ? [block] : [];
}

function wireCallId({ id }: ToolCallPart, at: string, { callIds, ledger }: Writing): string {
  const wireId = callIds(id);
  if (wireId !== id) {
    ledger.rewritten(`${at}.id`, `the call id "${id}" is not one that the API takes, or stands there twice`);
  }
  return wireId;
}
