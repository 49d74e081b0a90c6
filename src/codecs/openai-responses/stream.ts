import { GatewayError } from '../../model/errors.ts';
import type { StreamEvent } from '../../model/event.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { NO_USAGE } from '../../model/usage.ts';
import type { AnswerContext, StreamDecoder, WireEvent } from '../codec.ts';
import { saysNothing } from '../empty-data.ts';
import { shortHash } from '../short-hash.ts';
import { streamErrorOf } from './errors.ts';
import { reasonOf } from './finish.ts';
import { type ItemReader, itemReader, type Reading } from './item-readers.ts';
import { PartSink } from './part-sink.ts';
import { splitName } from './tool-names.ts';
import { usageOf } from './usage.ts';
import { objectOf, objectsOf, originOf, textOf } from './wire.ts';

const NOTHING: readonly StreamEvent[] = [];
/** Some servers leave the opening events out: their items begin a response that has no name. */
const NOBODY_BEGAN: JsonObject = {};

export function decodeStream(context: AnswerContext = {}): StreamDecoder {
  const answer = new AnswerReader(context);
  return {
    push: (event) => (saysNothing(event.data) ? NOTHING : answer.take(eventOf(event))),
    end: () => answer.end(),
  };
}

function eventOf({ data, event }: WireEvent): JsonObject {
  let parsed: unknown;
  try {
    parsed = JSON.parse(data);
  } catch (cause) {
    throw new GatewayError('bad-response', `the provider sent an event that is not JSON: ${data.slice(0, 200)}`, {
      cause,
    });
  }
  if (!isObject(parsed)) {
    throw new GatewayError('bad-response', `the provider sent an event that is no object: ${data.slice(0, 200)}`);
  }
  return parsed.type === undefined && event !== undefined ? { ...parsed, type: event } : parsed;
}

interface OpenItem {
  readonly reader: ItemReader;
  readonly added: JsonObject;
  done: boolean;
}

/** Builds the events of one answer out of wire events, or out of one whole body. */
export class AnswerReader {
  readonly #context: AnswerContext;
  readonly #parts = new PartSink();
  readonly #reading: Reading;
  readonly #items = new Map<number, OpenItem>();
  #calls = 0;
  #id = '';
  #started = false;
  #finished = false;

  constructor(context: AnswerContext) {
    this.#context = context;
    this.#reading = {
      parts: this.#parts,
      seen: { calls: false, refusal: false },
      foreign: context.foreign === true,
      named: (call) => ({
        ...call,
        id: call.id || this.#mintedId(),
        name: context.toolNames?.get(call.name) ?? (context.foreign ? splitName(call.name).name : call.name),
      }),
    };
  }

  take(event: JsonObject): readonly StreamEvent[] {
    if (this.#finished) return NOTHING;
    switch (event.type) {
      case 'response.created':
      case 'response.queued':
      case 'response.in_progress':
        return this.#start(objectOf(event.response));
      case 'response.output_item.added': {
        const start = this.#start(NOBODY_BEGAN);
        this.#itemAt(event.output_index, objectOf(event.item));
        return [...start, ...this.#parts.take()];
      }
      case 'response.output_item.done':
        return this.#finishItem(event.output_index, objectOf(event.item));
      case 'response.completed':
      case 'response.incomplete':
      // OpenRouter's word for either
      case 'response.done':
        return this.#finish(objectOf(event.response));
      case 'response.failed':
        throw streamErrorOf(objectOf(event.response));
      case 'response.cancelled':
        throw cancelledThere();
      case 'error':
        throw streamErrorOf(event);
      default:
        return this.#takeItemEvent(event);
    }
  }

  takeWhole(response: JsonObject): readonly StreamEvent[] {
    if (response.status !== 'failed' && response.status !== 'cancelled' && !Array.isArray(response.output)) {
      if (response.error) throw streamErrorOf(response);
      throw new GatewayError('bad-response', 'the provider answered with something other than a response: no output');
    }
    return this.#finish(response);
  }

  /** The wire ended. */
  end(): readonly StreamEvent[] {
    if (this.#finished) return NOTHING;
    const seen = this.#started ? 'in the middle of the answer (no response.completed)' : 'before it began';
    throw new GatewayError('network', `the provider closed the stream ${seen}; try again`);
  }

  #start(response: JsonObject): readonly StreamEvent[] {
    if (this.#started) return NOTHING;
    this.#started = true;
    this.#id = textOf(response.id);
    const origin = originOf(frameOf(response));
    return [{ type: 'response-start', id: this.#id, model: textOf(response.model), origin }];
  }

  #takeItemEvent(event: JsonObject): readonly StreamEvent[] {
    if (event.error) throw streamErrorOf(event);
    const item = this.#items.get(indexOf(event.output_index));
    item?.reader.take(event);
    return item ? this.#parts.take() : NOTHING;
  }

  #itemAt(place: unknown, item: JsonObject): OpenItem {
    const known = this.#items.get(indexOf(place));
    if (known) return known;
    const opened = { reader: itemReader(item, this.#reading), added: item, done: false };
    this.#items.set(indexOf(place), opened);
    return opened;
  }

  #finishItem(place: unknown, item: JsonObject): readonly StreamEvent[] {
    const start = this.#start(NOBODY_BEGAN);
    const open = this.#itemAt(place, item);
    if (!open.done) open.reader.finish(item);
    open.done = true;
    return [...start, ...this.#parts.take()];
  }

  /** The terminal event: the whole response once more. */
  #finish(response: JsonObject): readonly StreamEvent[] {
    if (response.status === 'failed') throw streamErrorOf(response);
    if (response.status === 'cancelled') throw cancelledThere();
    const start = this.#start(response);
    const output = objectsOf(response.output);
    const unseen = this.#items.size === 0 ? output.flatMap((item, place) => this.#finishItem(place, item)) : NOTHING;
    const unfinished = [...this.#items].flatMap(([place, { added, done }]) =>
      done ? NOTHING : this.#finishItem(place, output.find(({ id }) => id === added.id) ?? added),
    );
    this.#finished = true;
    const end: StreamEvent = {
      type: 'response-end',
      reason: reasonOf(response, this.#reading.seen),
      usage: usageOf(response.usage) ?? NO_USAGE,
      origin: originOf(endOf(response)),
    };
    return [...start, ...unseen, ...unfinished, end];
  }

  #mintedId(): string {
    return `call_${shortHash(`${this.#context.callId ?? this.#id}:${this.#calls++}`, 24)}`;
  }
}

const cancelledThere = (): GatewayError =>
  new GatewayError('bad-response', 'the provider cancelled the response before it was complete; try again');

/** A response without what parts, reason and usage say. */
function frameOf(response: JsonObject): JsonObject {
  const { output, usage, status, incomplete_details, error, ...frame } = response;
  return frame;
}

function endOf(response: JsonObject): JsonObject {
  const frame = frameOf(response);
  if (isObject(response.usage)) frame.usage = response.usage;
  return frame;
}

const indexOf = (place: unknown): number => (typeof place === 'number' ? place : 0);
