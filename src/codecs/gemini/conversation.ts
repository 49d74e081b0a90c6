import type { Message, Part, ToolCallPart } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';
import type { Ledger } from '../ledger.ts';
import { addAll } from '../lists.ts';
import { type PlacedMessage, WaitingResults } from '../waiting-results.ts';
import { traitsOf } from './models.ts';
import { callPart, contentPart, missingResult, resultPart, type Writing } from './provider-parts.ts';
import { SKIP_MARKER } from './signatures.ts';
import { objectOf, textOf } from './wire.ts';

export interface WireContent {
  readonly role: 'user' | 'model';
  readonly parts: JsonObject[];
}

export interface WireConversation {
  /** Parts of the system instruction. */
  readonly system: JsonObject[];
  readonly contents: WireContent[];
}

interface OpenCall {
  readonly part: ToolCallPart;
  readonly call: JsonObject;
}

/** Messages as this format wants them; `from` is the place of the first in the request, for the ledger. */
export function conversationOf(messages: readonly Message[], writing: Writing, from = 0): WireConversation {
  const writer = new Conversation(writing);
  messages.forEach((message, index) => {
    writer.add(message, from + index);
  });
  return writer.finished();
}

/** Takes messages one by one; `#open` are the calls of the model's last turn that wait for their results. */
class Conversation {
  readonly #writing: Writing;
  readonly #system: JsonObject[] = [];
  readonly #contents: WireContent[] = [];
  #open: OpenCall[] = [];
  #replies: PlacedMessage[] = [];

  constructor(writing: Writing) {
    this.#writing = writing;
  }

  add(message: Message, place: number): void {
    if (message.role === 'system') this.#addSystem(message, place);
    else if (message.role !== 'assistant') this.#replies.push([message, place]);
    else {
      // neighbouring assistant messages are one turn, so the calls of both are still open
      if (this.#replies.length > 0) this.#closeTurn();
      this.#addModel(message, place);
    }
  }

  finished(): WireConversation {
    this.#closeTurn();
    const { ledger, target } = this.#writing;
    signTurn(this.#contents, ledger);
    if (traitsOf(target.model).signsPictures) signPictures(this.#contents, ledger);
    return { system: this.#system, contents: this.#contents };
  }

  #addSystem({ parts }: Message, place: number): void {
    const written = this.#partsOf(parts, place);
    if (written.length === 0) return;
    if (this.#contents.length > 0 || this.#replies.length > 0) {
      const reason = 'only one system instruction, ahead of the conversation, exists in this format';
      this.#writing.ledger.rewritten(`contents.${place}.role`, reason);
    }
    addAll(this.#system, written);
  }

  #addModel({ parts }: Message, place: number): void {
    const written: JsonObject[] = [];
    parts.forEach((part, index) => {
      const at = fieldOf(place, index);
      const isCall = part.type === 'tool-call' && part.owner !== 'provider';
      const wire = isCall ? callPart(part, at, this.#writing) : contentPart(part, at, this.#writing);
      if (isCall) this.#open.push({ part, call: objectOf(wire?.functionCall) });
      if (wire) written.push(wire);
    });
    this.#push('model', written);
  }

  /**
   * What stands between two turns of the model: all results of its calls in one content, in call order, with nothing
   * else inside; then the rest as it comes.
   */
  #closeTurn(): void {
    const { results, attachments } = this.#results();
    const standApart = results.length > 0 && attachments.length === 0;
    this.#push('user', results, true);
    this.#push('user', attachments, true);
    for (const [{ parts }, place] of this.#replies) {
      this.#push('user', this.#partsOf(parts, place, 'tool-result'), standApart);
    }
    this.#open = [];
    this.#replies = [];
  }

  #results(): { results: JsonObject[]; attachments: JsonObject[] } {
    const { ledger } = this.#writing;
    const waiting = WaitingResults.in(this.#replies, fieldOf);
    const results: JsonObject[] = [];
    const attachments: JsonObject[] = [];
    for (const { part, call } of this.#open) {
      const placed = waiting.take(part.id);
      if (placed) {
        const written = resultPart(placed[0], call, placed[1], this.#writing);
        results.push(written.part);
        addAll(attachments, written.attachments);
      } else {
        ledger.invented('contents', `the call ${part.name} has no result`);
        results.push(missingResult(call));
      }
    }
    waiting.dropRest(ledger);
    return { results, attachments };
  }

  /** All parts that are not of the type `beside`. */
  #partsOf(parts: readonly Part[], place: number, beside?: Part['type']): JsonObject[] {
    const written: JsonObject[] = [];
    parts.forEach((part, index) => {
      const wire = part.type === beside ? undefined : contentPart(part, fieldOf(place, index), this.#writing);
      if (wire) written.push(wire);
    });
    return written;
  }

  /** Appends to the last content when it has the same role, unless it must stand by itself. */
  #push(role: WireContent['role'], parts: JsonObject[], apart = false): void {
    if (parts.length === 0) return;
    const last = this.#contents.at(-1);
    if (last?.role === role && !apart) addAll(last.parts, parts);
    else this.#contents.push({ role, parts });
  }
}

/**
 * In the turn under way the first call of each step must be signed, and only that one: copies on its siblings, which
 * some clients make, are refused like a missing one (Gemini API, thought signatures).
 */
function signTurn(contents: readonly WireContent[], ledger: Ledger): void {
  const asked = contents.findLastIndex(
    ({ role, parts }) => role === 'user' && parts.some((part) => !part.functionResponse),
  );
  contents.forEach(({ role, parts }, index) => {
    if (role !== 'model') return;
    const at = parts.findIndex((part) => part.functionCall);
    const first = parts[at];
    if (!first) return;
    const signature = textOf(first.thoughtSignature);
    if (signature !== '') {
      withoutCopies(parts, at + 1, signature);
      return;
    }
    if (index <= asked) return;
    parts[at] = { ...first, thoughtSignature: SKIP_MARKER };
    ledger.invented(`contents.${index}.thoughtSignature`, 'stands for a signature that no Gemini model gave');
  });
}

/** Takes the signature from the calls that stand behind the one it was given to. */
function withoutCopies(parts: JsonObject[], from: number, signature: string): void {
  for (let at = from; at < parts.length; at++) {
    const { thoughtSignature, ...unsigned } = parts[at] ?? {};
    if (unsigned.functionCall && thoughtSignature === signature) parts[at] = unsigned;
  }
}

/** Where a model draws, the first part of each of its turns is signed, and every picture (Gemini API, thought signatures). */
function signPictures(contents: readonly WireContent[], ledger: Ledger): void {
  contents.forEach(({ role, parts }, index) => {
    if (role !== 'model') return;
    const first = parts.find(({ thought }) => thought !== true);
    for (const [at, part] of parts.entries()) {
      if (part !== first && !part.inlineData) continue;
      if (textOf(part.thoughtSignature) !== '' || part.thought === true) continue;
      parts[at] = { ...part, thoughtSignature: SKIP_MARKER };
      ledger.invented(`contents.${index}.thoughtSignature`, 'stands for a signature that no Gemini model gave');
    }
  });
}

const fieldOf = (content: number, part: number): string => `contents.${content}.parts.${part}`;
