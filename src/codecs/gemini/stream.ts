import type { Part } from '../../model/content.ts';
import { GatewayError } from '../../model/errors.ts';
import type { StreamEvent } from '../../model/event.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import type { Writable } from '../../model/writable.ts';
import type { AnswerContext, StreamDecoder } from '../codec.ts';
import { saysNothing } from '../empty-data.ts';
import { shortHash } from '../short-hash.ts';
import { camelCased, maySpeakSnakeCase } from './casing.ts';
import { streamError } from './errors.ts';
import { blockReasonOf, finishReasonOf } from './finish.ts';
import { isFragment, PartialCall } from './partial-call.ts';
import { partOf, wireCallOf } from './parts.ts';
import { withPlacesInAll } from './segments.ts';
import { signedId } from './signatures.ts';
import { mergedUsage, usageOf } from './usage.ts';
import { objectOf, objectsOf, originOf, textOf } from './wire.ts';

type StartEvent = Extract<StreamEvent, { type: 'response-start' }>;

const NOTHING: readonly StreamEvent[] = [];

/** Reads a streamed answer. Nothing marks the end of one but that the wire ends behind a finish reason. */
export function decodeStream(context: AnswerContext = {}): StreamDecoder {
  const answer = new AnswerReader(context);
  return {
    push: ({ data }) => (saysNothing(data) ? NOTHING : answer.takeChunk(chunkOf(data))),
    end: () => answer.finish(),
  };
}

function chunkOf(data: string): JsonObject {
  let chunk: unknown;
  try {
    chunk = JSON.parse(data);
  } catch (cause) {
    const message = `the provider sent an event that is not JSON (${data.length} characters)`;
    throw new GatewayError('bad-response', message, { cause });
  }
  // errors come in a list where streams are one
  const given: unknown = Array.isArray(chunk) ? chunk[0] : chunk;
  if (!isObject(given)) throw new GatewayError('bad-response', 'the provider sent an event that is not a JSON object');
  return maySpeakSnakeCase(data) ? camelCased(given) : given;
}

/** The text that is growing: chunks of the same kind are one part until a signature or another part ends it. */
interface OpenText {
  readonly index: number;
  readonly thought: boolean;
  text: string;
}

/** Builds the events of one answer out of chunks, or out of one whole body, which is a single chunk with all in it. */
export class AnswerReader {
  readonly #context: AnswerContext;
  readonly #candidate: JsonObject = {};
  readonly #top: JsonObject = {};
  /** Other answers to the same question, by their places. */
  #others: Set<number> | undefined;
  readonly #ids = new Set<string>();
  #events: StreamEvent[] = [];
  #usage: JsonObject = {};
  #started = false;
  #next = 0;
  #text: OpenText | undefined;
  #call: PartialCall | undefined;
  #calls = 0;

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  takeChunk(chunk: JsonObject): readonly StreamEvent[] {
    return this.#take(chunk, (part) => this.#takePart(part));
  }

  /** Parts of a whole answer are never pieces of each other. */
  takeWhole(body: JsonObject): readonly StreamEvent[] {
    if (!Array.isArray(body.candidates) && !isObject(body.promptFeedback) && !body.error) {
      throw new GatewayError('bad-response', 'the provider answered with something other than candidates');
    }
    const events = this.#take(body, (part) => this.#takeWholePart(part));
    if (this.#context.foreign) this.#placeSegments(objectsOf(body.candidates)[0] ?? {});
    return [...events, ...this.finish()];
  }

  #placeSegments({ content }: JsonObject): void {
    Object.assign(this.#candidate, withPlacesInAll(this.#candidate, objectsOf(objectOf(content).parts)));
  }

  /** The wire ended. Throws GatewayError('network') if it did so in the middle of the answer. */
  finish(): readonly StreamEvent[] {
    const word = textOf(this.#candidate.finishReason);
    const blocked = textOf(objectOf(this.#top.promptFeedback).blockReason);
    if (word === '' && blocked === '') {
      const seen = this.#started ? 'in the middle of the answer (no finishReason)' : 'before it began';
      throw new GatewayError('network', `the provider closed the stream ${seen}; try again`);
    }
    const held = { calls: this.#calls > 0, anything: this.#next > 0 };
    const message = textOf(this.#candidate.finishMessage);
    const reason = word === '' ? blockReasonOf(blocked) : finishReasonOf(word, held, message);
    this.#closeOpen();
    const origin = originOf(this.#closingBlock());
    this.#events.push({ type: 'response-end', reason, usage: usageOf(this.#usage), origin });
    return this.#taken();
  }

  #take(chunk: JsonObject, takePart: (part: JsonObject) => void): readonly StreamEvent[] {
    if (chunk.error) throw streamError(chunk);
    this.#start(chunk);
    const { candidates, usageMetadata, responseId: _1, modelVersion: _2, ...top } = chunk;
    Object.assign(this.#top, top);
    this.#usage = mergedUsage(this.#usage, usageMetadata);
    // of several candidates only the first is read; verbatim traffic carries them all
    const given = objectsOf(candidates);
    const candidate = given.find(({ index }) => (index ?? 0) === 0);
    if (given.length > (candidate ? 1 : 0)) this.#noteOthers(given);
    if (candidate) {
      const { content, index: _3, ...rest } = candidate;
      keepOfCandidate(this.#candidate, rest);
      for (const part of objectsOf(objectOf(content).parts)) takePart(part);
    }
    return this.#taken();
  }

  #noteOthers(candidates: readonly JsonObject[]): void {
    this.#others ??= new Set();
    for (const { index } of candidates) if (typeof index === 'number' && index !== 0) this.#others.add(index);
  }

  /** The first chunk tells the input's tokens already. */
  #start({ responseId, modelVersion, usageMetadata }: JsonObject): void {
    if (this.#started) return;
    this.#started = true;
    const usage = usageOf(objectOf(usageMetadata));
    const id = textOf(responseId);
    const start: Writable<StartEvent> = { type: 'response-start', id, model: textOf(modelVersion) };
    if (usage.input > 0) start.usage = usage;
    this.#events.push(start);
    this.#top.responseId = id;
  }

  #taken(): StreamEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #takePart(part: JsonObject): void {
    if (isPlainText(part)) this.#takeText(textOf(part.text), part.thought === true);
    else if (isObject(part.functionCall)) this.#takeCall(part, part.functionCall);
    else this.#takeWholePart(part);
  }

  #takeText(text: string, thought: boolean): void {
    if (text === '') return;
    if (this.#text?.thought !== thought) {
      this.#closeOpen();
      this.#text = { index: this.#begin({ type: thought ? 'reasoning' : 'text', text: '' }), thought, text: '' };
    }
    this.#text.text += text;
    this.#events.push({ type: 'part-delta', index: this.#text.index, delta: text });
  }

  #takeCall(part: JsonObject, call: JsonObject): void {
    const open = this.#call;
    if (open && textOf(call.name) === '') {
      open.take(call);
      if (call.willContinue !== true && call.partialArgs === undefined) this.#closeOpen();
      return;
    }
    if (textOf(call.name) === '') return;
    if (!isFragment(call)) {
      this.#takeWholePart(part);
      return;
    }
    this.#closeOpen();
    const index = this.#begin({ ...this.#callPart(part), input: '' });
    this.#call = new PartialCall(part, index);
  }

  #takeWholePart(block: JsonObject): void {
    if (isEmptyPart(block)) return;
    this.#closeOpen();
    const part = isObject(block.functionCall) ? this.#callPart(block) : partOf(block);
    const index = this.#begin(part);
    this.#events.push({ type: 'part-end', index, origin: originOf(block) });
  }

  #callPart(block: JsonObject): Part & { type: 'tool-call' } {
    const { id, name, input } = wireCallOf(block);
    this.#calls += 1;
    const given = id !== '' && !this.#ids.has(id) ? id : this.#mintedId();
    this.#ids.add(given);
    return {
      type: 'tool-call',
      id: signedId(given, textOf(block.thoughtSignature)),
      name: this.#context.toolNames?.get(name) ?? name,
      input,
      origin: originOf(block),
    };
  }

  /** Google gives ids to some calls only. One that comes twice in a conversation ends it for some clients. */
  #mintedId(): string {
    const seed = this.#context.callId ?? textOf(this.#top.responseId);
    return `call_${shortHash(`${seed}:${this.#calls}`, 24)}`;
  }

  #begin(part: Part): number {
    const index = this.#next++;
    this.#events.push({ type: 'part-start', index, part });
    return index;
  }

  /** Ends what is growing. Google leaves the last piece of a streamed call out at times. */
  #closeOpen(): void {
    const text = this.#text;
    const call = this.#call;
    this.#text = undefined;
    this.#call = undefined;
    if (text) {
      const block = text.thought ? { text: text.text, thought: true } : { text: text.text };
      this.#events.push({ type: 'part-end', index: text.index, origin: originOf(block) });
    }
    if (call) {
      this.#events.push({ type: 'part-delta', index: call.index, delta: JSON.stringify(call.args) });
      this.#events.push({ type: 'part-end', index: call.index, origin: originOf(call.whole) });
    }
  }

  /** Everything that the answer says beside its parts, in the shape of a whole body. */
  #closingBlock(): JsonObject {
    const { responseId: _, ...block } = this.#top;
    const others = Array.from(this.#others ?? [], (index) => ({ index }));
    const hasCandidate = Object.keys(this.#candidate).length > 0 || others.length > 0;
    if (hasCandidate) block.candidates = [this.#candidate, ...others];
    block.usageMetadata = this.#usage;
    return block;
  }
}

/** What a chunk says of the candidate beside its content. Sources may come in several chunks, and empty with most. */
function keepOfCandidate(candidate: JsonObject, more: JsonObject): void {
  for (const key in more) {
    const before = candidate[key];
    const value = more[key];
    if (value === null) continue;
    const grows = SOURCES.has(key) && isObject(before) && isObject(value);
    candidate[key] = grows ? withMore(before, value) : value;
  }
}

const SOURCES: ReadonlySet<string> = new Set(['groundingMetadata', 'citationMetadata']);

/** Quotations are told with the chunk in which they end, grounding as a whole. */
function withMore(before: JsonObject, more: JsonObject): JsonObject {
  const whole = { ...before, ...more };
  for (const list of ['citationSources', 'citations']) {
    const [known, added] = [objectsOf(before[list]), objectsOf(more[list])];
    const told = new Set(known.map((one) => JSON.stringify(one)));
    if (known.length > 0) whole[list] = [...known, ...added.filter((one) => !told.has(JSON.stringify(one)))];
  }
  return whole;
}

/** An empty part, or an empty text, which Google ends thinking with. */
const isEmptyPart = (part: JsonObject): boolean =>
  Object.keys(part).every((key) => key === 'thought' || part[key] === null || part[key] === '');

/** Text that says nothing but text, and so may be a piece of a longer one. Some servers write what is absent as null. */
const isPlainText = (part: JsonObject): boolean =>
  typeof part.text === 'string' &&
  Object.keys(part).every((key) => key === 'text' || key === 'thought' || part[key] === null);
