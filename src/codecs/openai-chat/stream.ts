import type { Origin } from '../../model/content.ts';
import { GatewayError } from '../../model/errors.ts';
import type { StreamEvent } from '../../model/event.ts';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { NO_USAGE, type Usage } from '../../model/usage.ts';
import type { AnswerContext, StreamDecoder, WireEvent } from '../codec.ts';
import { isDone, saysNothing } from '../empty-data.ts';
import { errorInPlace, streamError } from '../openai-errors.ts';
import { shortHash } from '../short-hash.ts';
import { ContentParts } from './content-parts.ts';
import { reasonOf } from './finish.ts';
import { PartQueue } from './part-queue.ts';
import { ToolCalls } from './tool-calls.ts';
import { usageOf } from './usage.ts';

const NOTHING: readonly StreamEvent[] = [];

/** Reads a streamed answer; parts come one after the other even where the wire interleaves them. */
export function decodeStream(context: AnswerContext = {}): StreamDecoder {
  const answer = new AnswerReader(context);
  return {
    push(event) {
      if (isDone(event.data)) return answer.finish();
      return saysNothing(event.data) ? NOTHING : answer.takeChunk(chunkOf(event));
    },
    end() {
      return answer.end();
    },
  };
}

function chunkOf({ data, event }: WireEvent): JsonObject {
  let chunk: unknown;
  try {
    chunk = JSON.parse(data);
  } catch (cause) {
    throw new GatewayError('bad-response', `the provider sent a chunk that is not JSON: ${data.slice(0, 200)}`, {
      cause,
    });
  }
  if (!isObject(chunk)) {
    throw new GatewayError('bad-response', `the provider sent a chunk that is no object: ${data.slice(0, 200)}`);
  }
  if (event === 'error' && !chunk.error) throw streamError(chunk);
  return chunk;
}

/** Top-level fields that are read, or that say nothing once read. Whatever else comes is kept for clients of this format. */
const READ_TOP: ReadonlySet<string> = new Set(['id', 'object', 'model', 'choices', 'usage', 'error', 'obfuscation']);
/** Pages that the text names: only at the end is the text known. */
const SOURCES: ReadonlySet<string> = new Set(['citations', 'search_results']);
const READ_CHOICE: ReadonlySet<string> = new Set(['index', 'delta', 'message', 'finish_reason', 'logprobs', 'usage']);

/** Builds the events of one answer out of chunks, or out of one whole body, which is a single chunk with all in it. */
export class AnswerReader {
  readonly #context: AnswerContext;
  readonly #queue = new PartQueue();
  readonly #calls: ToolCalls;
  readonly #content: ContentParts;
  #id = '';
  #model = '';
  #started = false;
  #finished = false;
  #word = '';
  #usage: Usage | undefined;
  /** What the start of the answer could say of itself, and what came later. */
  readonly #startBlock: JsonObject = {};
  readonly #endBlock: JsonObject = {};
  readonly #choice: JsonObject = {};
  /** Other answers to the same question (`n`), by their places. */
  #others: Set<number> | undefined;

  constructor(context: AnswerContext) {
    this.#context = context;
    this.#calls = new ToolCalls(this.#queue, {
      nameOf: (wire) => context.toolNames?.get(wire) ?? wire,
      mintedId: (ordinal) => `call_${shortHash(`${this.#seed}:${ordinal}`, 24)}`,
    });
    this.#content = new ContentParts(this.#queue, this.#calls, context.foreign === true);
  }

  takeChunk(chunk: JsonObject): readonly StreamEvent[] {
    if (this.#finished) return [];
    return this.#take(chunk, choiceOf(chunk), false);
  }

  takeWhole(body: JsonObject): readonly StreamEvent[] {
    const choice = choiceOf(body);
    if (!choice && !errorInPlace(body)) {
      throw new GatewayError(
        'bad-response',
        'the provider answered without a choice, so there is no message in its answer',
      );
    }
    return [...this.#take(body, choice, true), ...this.finish()];
  }

  /** The terminal event came. */
  finish(): readonly StreamEvent[] {
    if (this.#finished) return [];
    if (!this.#started && this.#usage === undefined && this.#id === '') {
      throw new GatewayError('bad-response', 'the provider sent a stream without an answer in it; try again');
    }
    this.#finished = true;
    this.#calls.close();
    const reason = reasonOf(this.#word, { calls: this.#calls.any, refusal: this.#content.refused });
    const events = this.#begun();
    this.#content.close();
    this.#queue.close();
    const origin: Origin = { codec: 'openai-chat', block: this.#closingBlock() };
    return [...events, ...this.#queue.take(), { type: 'response-end', reason, usage: this.#usage ?? NO_USAGE, origin }];
  }

  /** The wire ended. Some servers leave `[DONE]` out; without a finish reason either, the answer was cut. */
  end(): readonly StreamEvent[] {
    if (this.#finished || this.#word !== '') return this.finish();
    throw new GatewayError(
      'network',
      'the provider broke off its answer: the stream ended without a finish_reason or [DONE]',
    );
  }

  #take(chunk: JsonObject, choice: JsonObject | undefined, whole: boolean): readonly StreamEvent[] {
    const error = errorInPlace(chunk);
    if (error) throw error;
    if (choice?.error) throw streamError(choice.error);
    if (this.#id === '' && typeof chunk.id === 'string') this.#id = chunk.id;
    if (this.#model === '' && typeof chunk.model === 'string') this.#model = chunk.model;
    this.#keepTop(chunk);
    this.#usage = usageOf(chunk.usage) ?? usageOf(xGroqUsage(chunk)) ?? usageOf(choice?.usage) ?? this.#usage;
    if (isObject(chunk.usage)) this.#endBlock.usage = chunk.usage;
    this.#noteOthers(chunk.choices, choice);
    if (!choice) return NOTHING;
    const begun = this.#begun();
    this.#keepChoice(choice);
    if (typeof choice.finish_reason === 'string' && choice.finish_reason !== '') this.#word = choice.finish_reason;
    const message = whole ? (choice.message ?? choice.delta) : (choice.delta ?? choice.message);
    if (isObject(message)) this.#content.take(message, whole);
    return begun.length === 0 ? this.#queue.take() : [...begun, ...this.#queue.take()];
  }

  #noteOthers(choices: JsonValue | undefined, read: JsonObject | undefined): void {
    if (!Array.isArray(choices) || choices.length === (read ? 1 : 0)) return;
    for (const choice of choices) {
      if (choice === read || !isObject(choice) || typeof choice.index !== 'number') continue;
      this.#others ??= new Set();
      this.#others.add(choice.index);
    }
  }

  /** Late enough for Azure, whose first chunk has neither id nor choices. */
  #begun(): readonly StreamEvent[] {
    if (this.#started) return NOTHING;
    this.#started = true;
    const origin: Origin = { codec: 'openai-chat', block: { ...this.#startBlock } };
    return [{ type: 'response-start', id: this.#id, model: this.#model, origin }];
  }

  #keepTop(chunk: JsonObject): void {
    for (const key in chunk) {
      const value = chunk[key];
      if (READ_TOP.has(key) || isEmpty(value) || this.#startBlock[key] === value) continue;
      (this.#started ? this.#endBlock : this.#startBlock)[key] = value;
      if (SOURCES.has(key)) this.#endBlock[key] = value;
    }
  }

  #keepChoice(choice: JsonObject): void {
    for (const key in choice) {
      if (!READ_CHOICE.has(key) && !isEmpty(choice[key])) this.#choice[key] = choice[key];
    }
    if (isObject(choice.logprobs)) this.#choice.logprobs = joinedLogprobs(this.#choice.logprobs, choice.logprobs);
  }

  /** The end of the answer in the shape of a whole body, without what parts, reason and usage say. */
  #closingBlock(): JsonObject {
    this.#choice.message = this.#content.extras;
    const choices = [this.#choice];
    for (const index of this.#others ?? []) choices.push({ index });
    this.#endBlock.choices = choices;
    return this.#endBlock;
  }

  get #seed(): string {
    return this.#context.callId ?? `${this.#id}:${String(this.#startBlock.created)}`;
  }
}

const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || value === '' || (isObject(value) && Object.keys(value).length === 0);

/** Of several answers (`n`) only the first is read; verbatim traffic carries them all. */
function choiceOf(chunk: JsonObject): JsonObject | undefined {
  if (!Array.isArray(chunk.choices)) return undefined;
  for (const choice of chunk.choices) {
    if (isObject(choice) && (choice.index === undefined || choice.index === null || choice.index === 0)) return choice;
  }
  return undefined;
}

const xGroqUsage = (chunk: JsonObject): unknown => (isObject(chunk.x_groq) ? chunk.x_groq.usage : undefined);

function joinedLogprobs(before: unknown, more: JsonObject): JsonObject {
  if (!isObject(before)) return more;
  const joined = (name: string): JsonValue => {
    const [a, b] = [before[name], more[name]];
    return Array.isArray(a) && Array.isArray(b) ? [...a, ...b] : (b ?? a ?? null);
  };
  return { ...before, ...more, content: joined('content'), refusal: joined('refusal') };
}
