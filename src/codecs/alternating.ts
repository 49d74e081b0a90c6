import type { Message, Part, ToolCallPart, ToolResultPart } from '../model/content.ts';
import type { JsonObject } from '../model/json.ts';
import type { Ledger } from './ledger.ts';
import { addAll } from './lists.ts';
import { type PlacedMessage, WaitingResults } from './waiting-results.ts';

// Conversations of the formats in which user and assistant take turns, and what answers the calls of a turn stands at the
// head of the next one (Anthropic's Messages, Bedrock's Converse).

export interface WireMessage {
  readonly role: 'user' | 'assistant' | 'system';
  readonly content: JsonObject[];
}

export interface WireConversation {
  readonly system: JsonObject[];
  readonly messages: readonly WireMessage[];
}

/** How a format says what a conversation holds. `at` is a part's place in the request. */
export interface BlockWords<Writing> {
  /** A part that is neither a call nor the result of one; nothing where it is left out. */
  blocks(part: Part, at: string, writing: Writing): readonly JsonObject[];
  text(text: string): JsonObject;
  /** The id of a call, which its result will use too. */
  callId(part: ToolCallPart, at: string, writing: Writing): string;
  call(part: ToolCallPart, id: string, at: string, writing: Writing): readonly JsonObject[];
  result(part: ToolResultPart, id: string, at: string, writing: Writing): readonly JsonObject[];
  /** For a call that nobody answered: without a result the provider would refuse the whole conversation. */
  missingResult(id: string, writing: Writing): JsonObject;
  isOwn(part: Part): boolean;
}

interface Accounting {
  readonly ledger: Ledger;
}

/** The system messages at the beginning, which have a place of their own, and the turns behind them. */
export function leadingSystem(messages: readonly Message[]): [leading: readonly Message[], turns: readonly Message[]] {
  const firstTurn = messages.findIndex(({ role }) => role !== 'system');
  return firstTurn === -1 ? [messages, []] : [messages.slice(0, firstTurn), messages.slice(firstTurn)];
}

/** Their blocks; `fieldOf` names a part's place. */
export function systemBlocks<Writing>(
  leading: readonly Message[],
  fieldOf: (message: number, part: number) => string,
  { blocks }: BlockWords<Writing>,
  writing: Writing,
): JsonObject[] {
  const written: JsonObject[] = [];
  leading.forEach(({ parts }, place) => {
    parts.forEach((part, index) => {
      addAll(written, blocks(part, fieldOf(place, index), writing));
    });
  });
  return written;
}

/** Turns that alternate and answer every call; `from` is the place of the first message in the request, for the ledger. */
export function messagesOf<Writing extends Accounting>(
  messages: readonly Message[],
  from: number,
  words: BlockWords<Writing>,
  writing: Writing,
): WireMessage[] {
  const conversation = new Conversation(words, writing);
  messages.forEach((message, index) => {
    conversation.add(message, from + index);
  });
  return conversation.finished();
}

/** A call of the assistant turn just written, waiting for its result. */
interface OpenCall {
  readonly part: ToolCallPart;
  readonly id: string;
}

/** Takes messages one by one; `#open` are the calls of the assistant's last turn, `#replies` what was said since. */
class Conversation<Writing extends Accounting> {
  readonly #words: BlockWords<Writing>;
  readonly #writing: Writing;
  readonly #written: WireMessage[] = [];
  #open: OpenCall[] = [];
  #replies: PlacedMessage[] = [];

  constructor(words: BlockWords<Writing>, writing: Writing) {
    this.#words = words;
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
    return this.#written;
  }

  #addAssistant({ parts }: Message, place: number): void {
    const blocks: JsonObject[] = [];
    parts.forEach((part, index) => {
      const at = fieldOf(place, index);
      const isCall = part.type === 'tool-call' && part.owner !== 'provider';
      addAll(blocks, isCall ? this.#call(part, at) : this.#words.blocks(part, at, this.#writing));
    });
    this.#push('assistant', blocks);
  }

  #call(part: ToolCallPart, at: string): readonly JsonObject[] {
    const id = this.#words.callId(part, at, this.#writing);
    this.#open.push({ part, id });
    return this.#words.call(part, id, at, this.#writing);
  }

  /**
   * What stands between two turns of the assistant: all results of the calls before it in one user message, in call
   * order and ahead of any text; then the rest as it comes.
   */
  #closeTurn(): void {
    this.#push('user', this.#results());
    for (const [message, place] of this.#replies) {
      const blocks: JsonObject[] = [];
      message.parts.forEach((part, index) => {
        if (part.type !== 'tool-result') addAll(blocks, this.#words.blocks(part, fieldOf(place, index), this.#writing));
      });
      if (message.role === 'system') this.#pushSystem(message.parts, blocks, place);
      else this.#push('user', blocks);
    }
    this.#open = [];
    this.#replies = [];
  }

  #results(): JsonObject[] {
    const { ledger } = this.#writing;
    const waiting = WaitingResults.in(this.#replies, fieldOf);
    const blocks: JsonObject[] = [];
    for (const { part, id } of this.#open) {
      const placed = waiting.take(part.id);
      if (placed) addAll(blocks, this.#words.result(placed[0], id, placed[1], this.#writing));
      else {
        ledger.invented('messages', `the call ${part.id} has no result`);
        blocks.push(this.#words.missingResult(id, this.#writing));
      }
    }
    waiting.dropRest(ledger);
    return blocks;
  }

  /** Few models take system messages in mid-conversation: those of other formats become the user's. */
  #pushSystem(parts: readonly Part[], blocks: JsonObject[], place: number): void {
    if (parts.every((part) => this.#words.isOwn(part))) {
      this.#push('system', blocks);
      return;
    }
    const text = blocks.flatMap((block) => (typeof block.text === 'string' ? [block.text] : [])).join('\n');
    if (text === '') return;
    const reason = 'only leading system messages have a place of their own; this one is told by the user';
    this.#writing.ledger.rewritten(`messages.${place}.role`, reason);
    this.#push('user', [this.#words.text(`<system-reminder>\n${text}\n</system-reminder>`)]);
  }

  /** Appends to the last message when it has the same role: roles must alternate. An empty message is left out. */
  #push(role: WireMessage['role'], blocks: JsonObject[]): void {
    if (blocks.length === 0) return;
    const last = this.#written.at(-1);
    if (last?.role === role) addAll(last.content, blocks);
    else this.#written.push({ role, content: blocks });
  }
}

/** A conversation must begin with the user, and may not be empty. `opening` is what the user is made to say. */
export function startedByUser(
  { system, messages }: WireConversation,
  opening: (text: string) => JsonObject,
  ledger: Ledger,
): WireConversation {
  if (messages.length === 0 && system.length > 0) {
    ledger.rewritten('system', 'a conversation needs a user message');
    return { system: [], messages: [{ role: 'user', content: system }] };
  }
  if (messages[0]?.role !== 'assistant') return { system, messages };
  ledger.invented('messages.0', 'a conversation must begin with the user');
  return { system, messages: [{ role: 'user', content: [opening('(start of conversation)')] }, ...messages] };
}

export const fieldOf = (message: number, part: number): string => `messages.${message}.content.${part}`;

/** Interfaces have no index signature; these hold nothing but JSON. */
export const asJson = (messages: readonly WireMessage[]): JsonObject[] => messages.map((message) => ({ ...message }));
