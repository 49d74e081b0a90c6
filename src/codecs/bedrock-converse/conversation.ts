import type { Message, Part, ToolCallPart, ToolResultPart } from '../../model/content.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { addAll } from '../lists.ts';
import { WaitingResults } from '../waiting-results.ts';
import {
  cachePoints,
  contentBlocks,
  missingResultBlock,
  toolResultBlock,
  toolUseBlock,
  type Writing,
} from './provider-blocks.ts';
import { ownBlock } from './wire.ts';

export interface WireMessage {
  readonly role: 'user' | 'assistant' | 'system';
  readonly content: JsonObject[];
}

export interface WireConversation {
  readonly system: JsonObject[];
  readonly messages: readonly WireMessage[];
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
  const system = leading.flatMap((message, index) =>
    message.parts.flatMap((part, nth) => contentBlocks(part, `system.${index}.${nth}`, writing)),
  );
  const turns = messagesOf(messages.slice(leading.length), leading.length, writing);
  return startedByUser({ system, messages: turns }, writing);
}

/** Messages as this format wants them; `from` is the place of the first in the request, for the ledger. */
export function messagesOf(messages: readonly Message[], from: number, writing: Writing): WireMessage[] {
  const writer = new Conversation(writing);
  messages.forEach((message, index) => {
    writer.add(message, from + index);
  });
  return writer.finished();
}

/** Takes messages one by one; `#open` are the calls of the assistant's last turn that wait for their results. */
class Conversation {
  readonly #writing: Writing;
  readonly #written: WireMessage[] = [];
  #open: OpenCall[] = [];
  #replies: [Message, number][] = [];

  constructor(writing: Writing) {
    this.#writing = writing;
  }

  add(message: Message, place: number): void {
    if (message.role !== 'assistant') {
      this.#replies.push([message, place]);
      return;
    }
    // neighbouring assistant messages are one turn, so the calls of both are still open
    if (this.#replies.length > 0) this.#closeTurn();
    this.#addAssistant(message, place);
  }

  finished(): WireMessage[] {
    this.#closeTurn();
    for (const message of this.#written) this.#accompanyDocuments(message);
    return this.#written;
  }

  #addAssistant({ parts }: Message, place: number): void {
    const blocks = parts.flatMap((part, index) => {
      const at = fieldOf(place, index);
      if (part.type !== 'tool-call' || part.owner === 'provider') return contentBlocks(part, at, this.#writing);
      const wireId = this.#writing.callIds(part.id);
      if (wireId !== part.id) {
        const reason = `the call id "${part.id}" is not one that Bedrock takes, or stands there twice`;
        this.#writing.ledger.rewritten(`${at}.toolUse.toolUseId`, reason);
      }
      this.#open.push({ part, wireId });
      return [toolUseBlock(part, wireId, at, this.#writing), ...cachePoints(part, at, this.#writing)];
    });
    this.#push('assistant', blocks);
  }

  /**
   * What stands between two turns of the assistant: all results of the calls before it in one user message, in call
   * order and ahead of any text; then the rest as it comes.
   */
  #closeTurn(): void {
    this.#push('user', this.#results());
    for (const [message, place] of this.#replies) {
      const blocks = message.parts.flatMap((part, index) =>
        part.type === 'tool-result' ? [] : contentBlocks(part, fieldOf(place, index), this.#writing),
      );
      if (message.role === 'system') this.#pushSystem(message.parts, blocks, place);
      else this.#push('user', blocks);
    }
    this.#open = [];
    this.#replies = [];
  }

  #results(): JsonObject[] {
    const waiting = this.#waitingResults();
    const blocks = this.#open.flatMap(({ part, wireId }) => {
      const [result, at] = waiting.take(part.id) ?? [];
      if (result && at) return resultBlocks(result, wireId, at, this.#writing);
      this.#writing.ledger.invented('messages', `the call ${part.id} has no result`);
      return [missingResultBlock(wireId, this.#writing.traits)];
    });
    for (const [{ callId }, at] of waiting.rest) {
      this.#writing.ledger.dropped(at, `there is no call ${callId} in the turn before this result`);
    }
    return blocks;
  }

  #waitingResults(): WaitingResults {
    const waiting = new WaitingResults();
    for (const [message, place] of this.#replies) {
      message.parts.forEach((part, index) => {
        if (part.type === 'tool-result' && part.owner !== 'provider') waiting.add(part, fieldOf(place, index));
      });
    }
    return waiting;
  }

  /** Few models take system messages in mid-conversation: those of other formats become the user's. */
  #pushSystem(parts: readonly Part[], blocks: JsonObject[], place: number): void {
    if (parts.length > 0 && parts.every((part) => ownBlock(part.origin))) {
      this.#push('system', blocks);
      return;
    }
    const text = blocks.flatMap((block) => (typeof block.text === 'string' ? [block.text] : [])).join('\n');
    if (text === '') return;
    const reason = 'only leading system messages have a place of their own; this one is told by the user';
    this.#writing.ledger.rewritten(`messages.${place}.role`, reason);
    this.#push('user', [{ text: `<system-reminder>\n${text}\n</system-reminder>` }]);
  }

  /** A document must be accompanied by a text (Bedrock API, ContentBlock.document). */
  #accompanyDocuments({ role, content }: WireMessage): void {
    if (role !== 'user' || !content.some((block) => block.document) || content.some((block) => block.text)) return;
    this.#writing.ledger.invented('messages', 'a document must be accompanied by a text');
    content.push({ text: '.' });
  }

  /** Appends to the last message when it has the same role: roles must alternate. An empty message is left out. */
  #push(role: WireMessage['role'], blocks: readonly JsonObject[]): void {
    if (blocks.length === 0) return;
    const last = this.#written.at(-1);
    if (last?.role === role) addAll(last.content, blocks);
    else this.#written.push({ role, content: [...blocks] });
  }
}

/** A conversation must begin with the user, and may not be empty. */
function startedByUser({ system, messages }: WireConversation, { ledger }: Writing): WireConversation {
  if (messages.length === 0 && system.length > 0) {
    ledger.rewritten('system', 'a conversation needs a user message');
    return { system: [], messages: [{ role: 'user', content: system }] };
  }
  if (messages[0]?.role !== 'assistant') return { system, messages };
  ledger.invented('messages.0', 'a conversation must begin with the user');
  return { system, messages: [{ role: 'user', content: [{ text: '(start of conversation)' }] }, ...messages] };
}

/** A result, and the cache point behind it that it or something inside of it is marked with. */
function resultBlocks(result: ToolResultPart, wireId: string, at: string, writing: Writing): JsonObject[] {
  const marked = [result, ...result.content].find(({ origin }) => isObject(origin?.block.cache_control));
  const block = toolResultBlock(result, wireId, at, writing);
  return marked ? [block, ...cachePoints(marked, at, writing)] : [block];
}

const fieldOf = (message: number, part: number): string => `messages.${message}.content.${part}`;
