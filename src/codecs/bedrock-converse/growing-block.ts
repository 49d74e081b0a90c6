import type { Part } from '../../model/content.ts';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { parsedInput, unreadableInput } from '../call-input.ts';
import { isRunThere } from './parts.ts';
import { objectOf, objectsOf, textOf } from './wire.ts';

/** `ran`: what Bedrock itself runs, and what came of it. */
type Kind = 'text' | 'reasoning' | 'call' | 'ran' | 'other';

/** A content block as far as its deltas have come. */
export class GrowingBlock {
  /** The part's place among ours; undefined while nothing was told of it. */
  index: number | undefined;
  readonly #start: JsonObject;
  #kind: Kind | undefined;
  #text = '';
  #signature = '';
  #redacted: Buffer[] = [];
  #citations: JsonValue[] = [];
  readonly #results: JsonObject[] = [];
  #other: JsonObject = {};

  constructor(start: JsonObject) {
    this.#start = start;
    if (isRunThere(start)) this.#kind = 'ran';
    else if (isObject(start.toolUse)) this.#kind = 'call';
    else if (Object.keys(start).length > 0) this.#kind = 'other';
  }

  /** False for a delta of another kind: a server that forgot to stop one block before it began the next. */
  takes(delta: JsonObject): boolean {
    if (this.#kind === 'ran') return delta.toolUse !== undefined || delta.toolResult !== undefined;
    return this.#kind === undefined || this.#kind === kindOf(delta);
  }

  /** Gives the text that the delta adds to the part; empty when it adds none. */
  grow(delta: JsonObject): string {
    this.#kind ??= kindOf(delta);
    const text = this.#textIn(delta);
    this.#text += text;
    return text;
  }

  /** The part as it begins; undefined for what is told only once it is whole. */
  get opening(): Part | undefined {
    if (this.#kind === 'text') return { type: 'text', text: '' };
    return this.#kind === 'reasoning' ? { type: 'reasoning', text: '' } : undefined;
  }

  #textIn(delta: JsonObject): string {
    switch (this.#kind) {
      case 'text':
        if (delta.citation !== undefined) this.#citations.push(delta.citation);
        return textOf(delta.text);
      case 'call':
        return this.#inputIn(textOf(objectOf(delta.toolUse).input));
      case 'reasoning': {
        const { text, signature, redactedContent } = objectOf(delta.reasoningContent);
        this.#signature += textOf(signature);
        if (typeof redactedContent === 'string') this.#redacted.push(Buffer.from(redactedContent, 'base64'));
        return textOf(text);
      }
      case 'ran':
        this.#results.push(...objectsOf(delta.toolResult));
        return textOf(objectOf(delta.toolUse).input);
      default:
        this.#other = merged(this.#other, delta);
        return '';
    }
  }

  /** Some models begin with white space, or write nothing else where there are no arguments. */
  #inputIn(text: string): string {
    return this.#text === '' ? text.trimStart() : text;
  }

  /** The block as a whole answer would hold it; undefined when nothing came. */
  whole(): JsonObject | undefined {
    switch (this.#kind) {
      case undefined:
        return undefined;
      case 'text': {
        if (this.#citations.length === 0) return { text: this.#text };
        return { citationsContent: { content: [{ text: this.#text }], citations: this.#citations } };
      }
      case 'reasoning':
        return { reasoningContent: this.#reasoning() };
      case 'call':
        return { toolUse: this.#call() };
      case 'ran':
        if (isObject(this.#start.toolUse)) return { toolUse: this.#call() };
        return { toolResult: { ...objectOf(this.#start.toolResult), content: this.#results } };
      case 'other':
        return merged(this.#start, this.#other);
    }
  }

  #call(): JsonObject {
    const { input: given, ...call } = objectOf(this.#start.toolUse);
    const input = this.#text === '' ? (given ?? {}) : (parsedInput(this.#text) ?? unreadableInput(this.#text));
    return { ...call, input };
  }

  #reasoning(): JsonObject {
    if (this.#redacted.length > 0) return { redactedContent: Buffer.concat(this.#redacted).toString('base64') };
    return { reasoningText: { text: this.#text, ...(this.#signature !== '' && { signature: this.#signature }) } };
  }
}

function kindOf(delta: JsonObject): Kind {
  if (typeof delta.text === 'string' || delta.citation !== undefined) return 'text';
  if (isObject(delta.reasoningContent)) return 'reasoning';
  return isObject(delta.toolUse) ? 'call' : 'other';
}

/** Deltas that we do not know: objects grow member by member, lists and texts at their end. */
function merged(before: JsonObject, delta: JsonObject): JsonObject {
  const whole = { ...before };
  for (const [field, value] of Object.entries(delta)) {
    const known = whole[field];
    if (isObject(known) && isObject(value)) whole[field] = merged(known, value);
    else if (Array.isArray(known) && Array.isArray(value)) whole[field] = [...known, ...value];
    else whole[field] = typeof known === 'string' && typeof value === 'string' ? known + value : value;
  }
  return whole;
}
