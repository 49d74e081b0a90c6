import type { Origin, Part } from '../../model/content.ts';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { imageOf, soundOf } from './media.ts';
import type { GrowingPart, PartQueue } from './part-queue.ts';
import { detailsOf, mergeDetails, REASONING_FIELDS, reasoningText } from './reasoning.ts';
import type { ToolCalls } from './tool-calls.ts';
import { originOf } from './wire.ts';

const READ_FIELDS: ReadonlySet<string> = new Set([
  ...REASONING_FIELDS,
  'thinking',
  'role',
  'content',
  'refusal',
  'tool_calls',
  'function_call',
  'images',
  'audio',
]);

/** Reads messages and deltas: which part does each field start or grow? */
export class ContentParts {
  readonly #queue: PartQueue;
  readonly #calls: ToolCalls;
  /** True when the client speaks another format, which has no word for speech beside a text. */
  readonly #isForeign: boolean;
  #audio: JsonObject | undefined;
  /** Message fields that no part holds: annotations, and in whole messages whatever else there is. */
  readonly extras: JsonObject = {};
  refused = false;

  constructor(queue: PartQueue, calls: ToolCalls, isForeign: boolean) {
    this.#queue = queue;
    this.#calls = calls;
    this.#isForeign = isForeign;
  }

  take(message: JsonObject, whole: boolean): void {
    this.#takeReasoning(message);
    this.#takeContent(message.content);
    if (typeof message.refusal === 'string' && message.refusal !== '') this.#takeRefusal(message.refusal);
    if (Array.isArray(message.images)) for (const image of message.images) this.#takeImage(image, { images: [image] });
    if (isObject(message.audio)) this.#takeAudio(message.audio);
    if (Array.isArray(message.tool_calls)) {
      message.tool_calls.forEach((call, position) => {
        this.#calls.take(call, whole ? position : undefined);
      });
    }
    if (isObject(message.function_call)) this.#calls.takeLegacy(message.function_call);
    this.#keepExtras(message, whole);
  }

  close(): void {
    const audio = this.#audio;
    if (!audio) return;
    const sound = this.#isForeign ? soundOf(audio) : undefined;
    this.#queue.add(finishedPart(sound ?? { type: 'opaque', origin: originOf({ audio }) }));
  }

  #takeReasoning(message: JsonObject): void {
    const text = reasoningText(message);
    const details = detailsOf(message);
    if (text === '' && details.length === 0) return;
    const reasoning = this.#grow(Reasoning, () => new Reasoning());
    const isNew = !reasoning.repeats(message, text);
    reasoning.take(message, details);
    if (text !== '' && isNew) this.#growLast(text);
  }

  #takeContent(content: JsonValue | undefined): void {
    if (typeof content === 'string') {
      if (content !== '') this.#takeText(content);
    } else if (Array.isArray(content)) {
      for (const part of content) if (isObject(part)) this.#takeContentPart(part);
    }
  }

  /** Lists of parts as content: Mistral's way to show thinking and references. */
  #takeContentPart(part: JsonObject): void {
    if (part.type === 'text') {
      if (typeof part.text === 'string' && part.text !== '') this.#takeText(part.text);
      return;
    }
    if (part.type === 'thinking') {
      const text = thinkingText(part.thinking);
      this.#grow(Thinking, () => new Thinking(part)).take(text);
      this.#growLast(text);
      return;
    }
    if (part.type === 'image_url' && this.#takeImage(part, part)) return;
    this.#queue.add(finishedPart({ type: 'opaque', origin: originOf(part) }));
  }

  #takeText(text: string): void {
    this.#grow(Text, () => new Text());
    this.#growLast(text);
  }

  #takeRefusal(text: string): void {
    this.refused = true;
    this.#grow(Refusal, () => new Refusal());
    this.#growLast(text);
  }

  #takeImage(image: JsonValue, block: JsonObject): boolean {
    const part = isObject(image) ? imageOf(image.image_url, originOf(block)) : undefined;
    if (part) this.#queue.add(finishedPart(part));
    return part !== undefined;
  }

  #takeAudio(audio: JsonObject): void {
    if (!audio.id && !audio.data && !audio.transcript) return;
    if (this.#isForeign && typeof audio.transcript === 'string' && audio.transcript !== '')
      this.#takeText(audio.transcript);
    const before = this.#audio ?? {};
    const joined = { ...before, ...audio };
    for (const key of ['data', 'transcript']) {
      const [a, b] = [before[key], audio[key]];
      if (typeof a === 'string') joined[key] = typeof b === 'string' ? a + b : a;
    }
    this.#audio = joined;
  }

  #keepExtras(message: JsonObject, whole: boolean): void {
    for (const key in message) {
      const value = message[key];
      if (READ_FIELDS.has(key) || value === null || (!whole && key !== 'annotations')) continue;
      const before = this.extras[key];
      this.extras[key] = Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value;
    }
  }

  /** The last part if it is of this kind, else a new one. */
  #grow<Kind extends GrowingPart>(kind: abstract new (...of: never[]) => Kind, make: () => Kind): Kind {
    const { last } = this.#queue;
    if (last instanceof kind) return last;
    const made = make();
    this.#queue.add(made);
    return made;
  }

  #growLast(text: string): void {
    const { last } = this.#queue;
    if (last) this.#queue.grow(last, text);
  }
}

const finishedPart = (part: Part): GrowingPart => ({ start: () => part, isComplete: () => true });

class Text implements GrowingPart {
  start(): Part {
    return { type: 'text', text: '' };
  }

  isComplete(): boolean {
    return true;
  }
}

/** A refusal is text to every other format; its origin tells ours to show it in the field `refusal`. */
class Refusal implements GrowingPart {
  start(): Part {
    return { type: 'text', text: '', origin: originOf({ type: 'refusal' }) };
  }

  isComplete(): boolean {
    return true;
  }
}

/** Thinking in fields of the message. */
class Reasoning implements GrowingPart {
  readonly #fields: JsonObject = {};
  readonly #details: JsonObject[] = [];

  /** Details at the end that hold all the thinking once more, signed: gateways write them so, ours among them. */
  repeats(delta: JsonObject, text: string): boolean {
    if (delta.reasoning_content || delta.reasoning || this.#details.length > 0) return false;
    return this.#fields.reasoning_content === text || this.#fields.reasoning === text;
  }

  take(delta: JsonObject, details: readonly JsonObject[]): void {
    for (const field of ['reasoning_content', 'reasoning']) {
      const [before, more] = [this.#fields[field], delta[field]];
      if (typeof more === 'string') this.#fields[field] = typeof before === 'string' ? before + more : more;
    }
    mergeDetails(this.#details, details);
  }

  start(): Part {
    return { type: 'reasoning', text: '' };
  }

  isComplete(): boolean {
    return true;
  }

  finished(): Origin {
    const details = this.#details.length > 0 && { reasoning_details: this.#details };
    return originOf({ ...this.#fields, ...details });
  }
}

/** Thinking as a content part (Mistral). */
class Thinking implements GrowingPart {
  readonly #block: JsonObject;
  #text = '';

  constructor(block: JsonObject) {
    this.#block = block;
  }

  take(text: string): void {
    this.#text += text;
  }

  start(): Part {
    return { type: 'reasoning', text: '' };
  }

  isComplete(): boolean {
    return true;
  }

  finished(): Origin {
    return originOf({ ...this.#block, thinking: [{ type: 'text', text: this.#text }] });
  }
}

/** `thinking` is a text or a list of text parts. */
export function thinkingText(thinking: JsonValue | undefined): string {
  if (typeof thinking === 'string') return thinking;
  if (!Array.isArray(thinking)) return '';
  return thinking.map((part) => (isObject(part) && typeof part.text === 'string' ? part.text : '')).join('');
}
