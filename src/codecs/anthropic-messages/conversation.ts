import type { Message, Part, ToolCallPart } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';
import { addAll } from '../lists.ts';
import { WaitingResults } from '../waiting-results.ts';
import { contentBlock, missingResultBlock, toolResultBlock, toolUseBlock, type Writing } from './upstream-blocks.ts';
import { ownBlock } from './wire.ts';

export interface WireMessage {
  readonly role: 'user' | 'assistant' | 'system';
  readonly content: JsonObject[];
}

export interface WireConversation {
  readonly system: JsonObject[];
  readonly messages: WireMessage[];
}

/** A call of the assistant turn just written, waiting for its result. */
interface OpenCall {
  readonly part: ToolCallPart;
  readonly wireId: string;
}

/** The whole conversation: leading system messages apart, then turns that alternate and answer every call. */
export function conversationOf(messages: readonly Message[], writing: Writing): WireConversation {
  const firstTurn = messages.findIndex((message) => message.role !== 'system');
  const leading = firstTurn === -1 ? messages : messages.slice(0, firstTurn);
  const system = leading.flatMap((message, index) => blocksOf(message.parts, index, writing));
  const turns = messagesOf(messages.slice(leading.length), leading.length, writing);
  return startedByUser({ system, messages: turns }, writing);
}

/** Messages as this format wants them; `from` is the place of the first in the request, for the ledger. */
export function messagesOf(messages: readonly Message[], from: number, writing: Writing): WireMessage[] {
  const written: WireMessage[] = [];
  let calls: OpenCall[] = [];
  let replies: [Message, number][] = [];
  const finishTurn = () => {
    writeReplies(replies, calls, written, writing);
    calls = [];
    replies = [];
  };
  messages.forEach((message, index) => {
    if (message.role !== 'assistant') {
      replies.push([message, from + index]);
      return;
    }
    // neighbouring assistant messages are one turn, so the calls of both are still open
    if (replies.length > 0) finishTurn();
    addAll(calls, writeAssistant(message, from + index, written, writing));
  });
  finishTurn();
  return written;
}

function writeAssistant(message: Message, place: number, written: WireMessage[], writing: Writing): OpenCall[] {
  const calls: OpenCall[] = [];
  const blocks = message.parts.flatMap((part, index) => {
    const field = fieldOf(place, index);
    if (part.type !== 'tool-call' || part.owner === 'provider') return blockIn(part, field, writing);
    const wireId = writing.callIds(part.id);
    if (wireId !== part.id) {
      const reason = `the call id "${part.id}" is not one that the API takes, or stands there twice`;
      writing.losses.push({ field: `${field}.id`, action: 'rewritten', reason });
    }
    calls.push({ part, wireId });
    return [toolUseBlock(part, wireId, field, writing)];
  });
  push(written, 'assistant', blocks);
  return calls;
}

/**
 * What stands between two assistant turns: all results of the calls before it in one user message, in call order and
 * ahead of any text; then the rest as it comes.
 */
function writeReplies(
  replies: readonly [Message, number][],
  calls: readonly OpenCall[],
  written: WireMessage[],
  writing: Writing,
): void {
  push(written, 'user', resultBlocks(replies, calls, writing));
  for (const [message, place] of replies) {
    const blocks = message.parts.flatMap((part, index) =>
      part.type === 'tool-result' ? [] : blockIn(part, fieldOf(place, index), writing),
    );
    if (message.role !== 'system') push(written, 'user', blocks);
    else writeSystem(message, blocks, place, written, writing);
  }
}

function resultBlocks(
  replies: readonly [Message, number][],
  calls: readonly OpenCall[],
  writing: Writing,
): JsonObject[] {
  const waiting = new WaitingResults();
  for (const [message, place] of replies) {
    message.parts.forEach((part, index) => {
      if (part.type === 'tool-result') waiting.add(part, fieldOf(place, index));
    });
  }
  const blocks = calls.map(({ part, wireId }) => {
    const [result, field] = waiting.take(part.id) ?? [];
    if (result && field) return toolResultBlock(result, wireId, field, writing);
    writing.losses.push({ field: 'messages', action: 'invented', reason: `the call ${part.id} has no result` });
    return missingResultBlock(wireId);
  });
  for (const [result, field] of waiting.rest) {
    const reason = `there is no call ${result.callId} in the turn before this result`;
    writing.losses.push({ field, action: 'dropped', reason });
  }
  return blocks;
}

/** System messages in mid-conversation exist in this format, but not for every model: others' become the user's. */
function writeSystem(
  message: Message,
  blocks: JsonObject[],
  place: number,
  written: WireMessage[],
  { losses }: Writing,
): void {
  if (message.parts.every((part) => ownBlock(part.origin))) {
    push(written, 'system', blocks);
    return;
  }
  const text = blocks.flatMap((block) => (typeof block.text === 'string' ? [block.text] : [])).join('\n');
  if (text === '') return;
  losses.push({
    field: `messages.${place}.role`,
    action: 'rewritten',
    reason: 'only leading system messages have a place of their own; this one is told by the user',
  });
  push(written, 'user', [{ type: 'text', text: `<system-reminder>\n${text}\n</system-reminder>` }]);
}

/** Appends to the last message when it has the same role: roles must alternate. An empty message is left out. */
function push(written: WireMessage[], role: WireMessage['role'], blocks: readonly JsonObject[]): void {
  if (blocks.length === 0) return;
  const last = written.at(-1);
  if (last?.role === role) addAll(last.content, blocks);
  else written.push({ role, content: [...blocks] });
}

/** A conversation must begin with the user, and may not be empty. */
function startedByUser({ system, messages }: WireConversation, { losses }: Writing): WireConversation {
  if (messages.length === 0 && system.length > 0) {
    losses.push({ field: 'system', action: 'rewritten', reason: 'a conversation needs a user message' });
    return { system: [], messages: [{ role: 'user', content: system }] };
  }
  if (messages[0]?.role !== 'assistant') return { system, messages };
  losses.push({ field: 'messages.0', action: 'invented', reason: 'a conversation must begin with the user' });
  return {
    system,
    messages: [{ role: 'user', content: [{ type: 'text', text: '(start of conversation)' }] }, ...messages],
  };
}

const blocksOf = (parts: readonly Part[], place: number, writing: Writing): JsonObject[] =>
  parts.flatMap((part, index) => blockIn(part, fieldOf(place, index), writing));

function blockIn(part: Part, field: string, writing: Writing): JsonObject[] {
  const block = contentBlock(part, field, writing);
  return block ? [block] : [];
}

const fieldOf = (message: number, part: number): string => `messages.${message}.content.${part}`;
