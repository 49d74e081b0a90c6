import type { ToolCallPart } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';
import { withMembers } from '../members.ts';
import { callPart } from './client-input.ts';
import { contentPart, isRefusal, messageFields, pictureOf } from './content.ts';
import { isNativeCallToRun, nativeCall } from './native-calls.ts';
import { GrowingText, type PartSink } from './part-sink.ts';
import { objectOf, objectsOf, originOf, textOf } from './wire.ts';

/** Reads one output item as it grows. */
export interface ItemReader {
  /** An event that belongs to the item. */
  take(event: JsonObject): void;
  /** The item as it is in the end; called once. */
  finish(item: JsonObject): void;
}

/** What an answer was seen to hold. */
export interface Seen {
  calls: boolean;
  refusal: boolean;
}

export interface Reading {
  readonly parts: PartSink;
  readonly seen: Seen;
  /** A call under the request's own name, and with an id even where the wire left it out. */
  readonly named: (call: ToolCallPart) => ToolCallPart;
  /** True for a client of another format, who was offered no tools of this one's own. */
  readonly foreign: boolean;
}

export function itemReader(item: JsonObject, reading: Reading): ItemReader {
  switch (item.type) {
    case 'message':
      return new MessageReader(item, reading);
    case 'reasoning':
      return new ReasoningReader(item, reading);
    case 'function_call':
    case 'custom_tool_call':
      return new CallReader(item, reading);
    default:
      return new WholeReader(reading);
  }
}

interface OpenContent {
  readonly index: number;
  readonly text: GrowingText;
  block: JsonObject;
  ended: boolean;
}

/** Each content part of a message is a part of its own; their origins say which message they belong to. */
class MessageReader implements ItemReader {
  readonly #contents = new Map<number, OpenContent>();
  readonly #reading: Reading;
  #item: JsonObject;

  constructor(item: JsonObject, reading: Reading) {
    this.#item = item;
    this.#reading = reading;
  }

  take(event: JsonObject): void {
    const at = typeof event.content_index === 'number' ? event.content_index : 0;
    switch (event.type) {
      case 'response.content_part.added':
        this.#endAll();
        this.#open(at, objectOf(event.part));
        return;
      case 'response.output_text.delta':
        this.#grow(this.#open(at, { type: 'output_text' }), textOf(event.delta));
        return;
      case 'response.refusal.delta':
        this.#grow(this.#open(at, { type: 'refusal' }), textOf(event.delta));
        return;
      case 'response.content_part.done':
        this.#open(at, objectOf(event.part)).block = objectOf(event.part);
    }
  }

  finish(item: JsonObject): void {
    this.#item = item;
    objectsOf(item.content).forEach((block, at) => {
      this.#end(this.#open(at, block), block);
    });
    this.#endAll();
  }

  /** A part may say more of itself in the finished item (`logprobs`), so it ends then, or when the next one begins. */
  #endAll(): void {
    for (const content of this.#contents.values()) this.#end(content, content.block);
  }

  #open(at: number, block: JsonObject): OpenContent {
    const known = this.#contents.get(at);
    if (known) return known;
    const unsaid = withMembers(block, 'refusal' in block ? { refusal: '' } : { text: '' });
    const empty = contentPart(unsaid, this.#fields);
    if (empty.type === 'text' && isRefusal(empty)) this.#reading.seen.refusal = true;
    const opened = { index: this.#reading.parts.start(empty), text: new GrowingText(), block, ended: false };
    this.#contents.set(at, opened);
    return opened;
  }

  #grow(content: OpenContent, delta: string): void {
    this.#reading.parts.grow(content.index, content.text.add(delta));
  }

  #end(content: OpenContent, block: JsonObject): void {
    if (content.ended) return;
    content.ended = true;
    const { parts } = this.#reading;
    parts.grow(content.index, content.text.rest(textOf(block.text) || textOf(block.refusal)));
    const { sent } = content.text;
    const whole = withMembers(block, block.type === 'refusal' ? { refusal: sent } : { text: sent });
    const { origin } = contentPart(whole, this.#fields);
    if (origin) parts.end(content.index, origin);
  }

  get #fields(): JsonObject {
    return messageFields(this.#item);
  }
}

/** Thinking: a summary in parts, or the thinking itself, or nothing but an encrypted text. */
class ReasoningReader implements ItemReader {
  readonly #texts = new Map<string, GrowingText>();
  readonly #parts: PartSink;
  readonly #added: JsonObject;
  #index: number | undefined;

  constructor(item: JsonObject, { parts }: Reading) {
    this.#added = item;
    this.#parts = parts;
  }

  take(event: JsonObject): void {
    switch (event.type) {
      case 'response.reasoning_summary_text.delta':
        this.#grow('summary', event.summary_index, textOf(event.delta));
        return;
      case 'response.reasoning_text.delta':
        this.#grow('content', event.content_index, textOf(event.delta));
        return;
    }
  }

  finish(item: JsonObject): void {
    for (const place of ['summary', 'content'] as const) {
      objectsOf(item[place]).forEach(({ text }, at) => {
        const rest = this.#text(place, at).rest(textOf(text));
        if (rest !== '') this.#parts.grow(this.#start(place), rest);
      });
    }
    const index = this.#index ?? this.#parts.start({ type: 'reasoning', text: '', origin: originOf(item) });
    this.#parts.end(index, originOf(item));
  }

  #grow(place: 'summary' | 'content', at: unknown, delta: string): void {
    this.#parts.grow(this.#start(place), this.#text(place, at).add(delta));
  }

  #text(place: string, at: unknown): GrowingText {
    const key = `${place}${Number(at ?? 0)}`;
    const known = this.#texts.get(key) ?? new GrowingText();
    this.#texts.set(key, known);
    return known;
  }

  /** Begins with the first text, so that the part's origin tells whether a summary grows or the thinking itself. */
  #start(place: 'summary' | 'content'): number {
    if (this.#index !== undefined) return this.#index;
    const block = withMembers(this.#added, {
      [place]: [{ type: place === 'summary' ? 'summary_text' : 'reasoning_text', text: '' }],
    });
    this.#index = this.#parts.start({ type: 'reasoning', text: '', origin: originOf(block) });
    return this.#index;
  }
}

/** A call of the client's. Free text (a custom tool's input) is JSON only once it is whole. */
class CallReader implements ItemReader {
  readonly #arguments = new GrowingText();
  readonly #parts: PartSink;
  readonly #added: JsonObject;
  readonly #index: number;
  #input = '';

  constructor(item: JsonObject, { parts, seen, named }: Reading) {
    seen.calls = true;
    this.#added = item;
    this.#parts = parts;
    this.#index = parts.start(named({ ...callPart(item), input: '' }));
  }

  take(event: JsonObject): void {
    switch (event.type) {
      case 'response.function_call_arguments.delta':
        this.#growArguments(textOf(event.delta));
        return;
      case 'response.function_call_arguments.done':
        this.#parts.grow(this.#index, this.#arguments.rest(textOf(event.arguments)));
        return;
      case 'response.custom_tool_call_input.delta':
        this.#input += textOf(event.delta);
        return;
      case 'response.custom_tool_call_input.done':
        this.#input = textOf(event.input) || this.#input;
    }
  }

  /** White space and nothing else is told where there are no arguments. */
  #growArguments(delta: string): void {
    const isNothing = this.#arguments.sent.trim() === '' && delta.trim() === '';
    const told = this.#arguments.add(delta);
    if (!isNothing) this.#parts.grow(this.#index, told);
  }

  finish(item: JsonObject): void {
    const whole = withMembers(this.#added, item);
    if (whole.type === 'custom_tool_call') {
      whole.input = textOf(item.input) || this.#input;
      this.#parts.grow(this.#index, JSON.stringify({ input: whole.input }));
    } else {
      this.#parts.grow(this.#index, this.#arguments.rest(textOf(item.arguments).trimEnd()));
      whole.arguments = this.#arguments.sent;
    }
    this.#parts.end(this.#index, originOf(whole));
  }
}

/** Pictures, and items that only this format knows: its own tools, and what is yet to come. They are given out whole. */
class WholeReader implements ItemReader {
  readonly #parts: PartSink;
  readonly #reading: Reading;
  #drafts = 0;

  constructor(reading: Reading) {
    this.#parts = reading.parts;
    this.#reading = reading;
  }

  take({ type }: JsonObject): void {
    if (type === 'response.image_generation_call.partial_image') this.#drafts += 1;
  }

  finish(item: JsonObject): void {
    const origin = originOf(item);
    const call = this.#reading.foreign || !isNativeCallToRun(item) ? undefined : nativeCall(item);
    if (call) {
      this.#reading.seen.calls = true;
      this.#parts.end(this.#parts.start(this.#reading.named(call)), origin);
      return;
    }
    const part = pictureOf(item) ?? { type: 'opaque', origin };
    if (this.#drafts > 0) part.origin = { ...origin, drafts: this.#drafts };
    this.#parts.end(this.#parts.start(part), origin);
  }
}
