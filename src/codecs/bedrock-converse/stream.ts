import type { Part } from '../../model/content.ts';
import { GatewayError } from '../../model/errors.ts';
import type { StreamEvent } from '../../model/event.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import type { AnswerContext, StreamDecoder, WireEvent } from '../codec.ts';
import { addMembers, membersBeside } from '../members.ts';
import { streamError } from './errors.ts';
import { finishReasonOf } from './finish.ts';
import { GrowingBlock } from './growing-block.ts';
import { isRunThere, partOf } from './parts.ts';
import { answerPart } from './response.ts';
import { usageOf } from './usage.ts';
import { objectOf, originOf } from './wire.ts';

const NOTHING: readonly StreamEvent[] = [];

/** Reads the events of ConverseStream. Texts begin with their first delta: only calls have a start of their own. */
export const decodeStream = (context: AnswerContext = {}): StreamDecoder => new Decoder(context);

class Decoder implements StreamDecoder {
  readonly #context: AnswerContext;
  /** By the wire's own index. */
  readonly #growing = new Map<number, GrowingBlock>();
  #events: StreamEvent[] = [];
  readonly #ending: JsonObject = {};
  #next = 0;
  #started = false;
  #stopped = false;
  #ended = false;

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  push({ event, data }: WireEvent): readonly StreamEvent[] {
    if (this.#ended) return NOTHING;
    this.#take(event ?? '', parsedData(data));
    return this.#taken();
  }

  end(): readonly StreamEvent[] {
    if (this.#ended) return NOTHING;
    if (!this.#stopped) {
      const seen = this.#started ? 'in the middle of the answer (no messageStop)' : 'before it began';
      throw new GatewayError('network', `the provider closed the stream ${seen}; try again`);
    }
    // only the counts are missing
    this.#finish();
    return this.#taken();
  }

  #take(name: string, data: JsonObject): void {
    switch (name) {
      case 'contentBlockDelta':
        this.#grow(indexOf(data), objectOf(data.delta));
        break;
      case 'contentBlockStart':
        this.#open(indexOf(data), objectOf(data.start));
        break;
      case 'contentBlockStop':
        this.#close(indexOf(data));
        break;
      case 'messageStart':
        this.#start();
        break;
      case 'messageStop':
        this.#stop(data);
        break;
      case 'metadata':
        this.#metadata(data);
        break;
      case 'exception':
        throw streamError(data);
    }
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#events.push({ type: 'response-start', id: this.#context.callId ?? '', model: '' });
  }

  #open(place: number, start: JsonObject): void {
    this.#start();
    this.#close(place);
    const block = new GrowingBlock(start);
    this.#growing.set(place, block);
    if (isObject(start.toolUse) && !isRunThere(start)) this.#begin(block, partOf({ toolUse: start.toolUse }));
  }

  #grow(place: number, delta: JsonObject): void {
    this.#start();
    if (this.#growing.get(place)?.takes(delta) === false) this.#close(place);
    const block = this.#growing.get(place) ?? new GrowingBlock({});
    this.#growing.set(place, block);
    const text = block.grow(delta);
    if (block.index === undefined && block.opening) this.#begin(block, block.opening);
    if (text !== '' && block.index !== undefined) {
      this.#events.push({ type: 'part-delta', index: block.index, delta: text });
    }
  }

  #begin(block: GrowingBlock, part: Part): void {
    const index = this.#next++;
    block.index = index;
    const named = answerPart(part, index, this.#context);
    // the input of a call follows in deltas, unless a server wrote it whole
    if (named.type === 'tool-call' && named.input === '{}') named.input = '';
    this.#events.push({ type: 'part-start', index, part: named });
  }

  #close(place: number): void {
    const block = this.#growing.get(place);
    if (!block) return;
    this.#growing.delete(place);
    const whole = block.whole();
    // what cannot be shown in pieces comes whole
    if (block.index === undefined && whole) this.#begin(block, partOf(whole));
    const { index } = block;
    if (index === undefined) return;
    this.#events.push(whole ? { type: 'part-end', index, origin: originOf(whole) } : { type: 'part-end', index });
  }

  #stop(data: JsonObject): void {
    this.#start();
    this.#stopped = true;
    this.#keep(data);
    for (const place of [...this.#growing.keys()]) this.#close(place);
  }

  /** The last event, and the only one behind messageStop. */
  #metadata(data: JsonObject): void {
    this.#keep(data);
    if (this.#stopped) this.#finish();
  }

  #keep(data: JsonObject): void {
    addMembers(this.#ending, membersBeside(PADDING, data));
  }

  #finish(): void {
    this.#ended = true;
    this.#events.push({
      type: 'response-end',
      reason: finishReasonOf(this.#ending),
      usage: usageOf(objectOf(this.#ending.usage)),
      origin: originOf(this.#ending),
    });
  }

  #taken(): StreamEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

/** `p` hides the length of what is said from who watches the line; it means nothing. */
const PADDING: ReadonlySet<string> = new Set(['p']);

function parsedData(data: string): JsonObject {
  try {
    const parsed: unknown = data === '' ? {} : JSON.parse(data);
    if (isObject(parsed)) return parsed;
  } catch (cause) {
    throw new GatewayError('bad-response', `the provider sent an event that is not JSON (${data.length} characters)`, {
      cause,
    });
  }
  throw new GatewayError('bad-response', 'the provider sent an event that is not a JSON object');
}

const indexOf = ({ contentBlockIndex: index }: JsonObject): number => (typeof index === 'number' ? index : 0);
