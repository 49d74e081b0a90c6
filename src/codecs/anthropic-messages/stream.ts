import { GatewayError } from '../../model/errors.ts';
import type { FinishReason, StreamEvent } from '../../model/event.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { NO_USAGE } from '../../model/usage.ts';
import type { Writable } from '../../model/writable.ts';
import { parsedInput, unreadableInput } from '../call-input.ts';
import type { AnswerContext, AnswerHead, StreamDecoder, WireEvent } from '../codec.ts';
import { saysNothing } from '../empty-data.ts';
import { addAll } from '../lists.ts';
import { isAnswer, reasonBehindAnswer } from './answer-tool.ts';
import { BlockWriter } from './block-writer.ts';
import { partOf } from './blocks.ts';
import { isErrorEvent, streamErrorOf } from './errors.ts';
import { answerPart, messageId } from './response.ts';
import { finishReasonOf, stopFieldsOf } from './stop-reasons.ts';
import { mergedUsage, usageOf, wireUsage } from './usage.ts';
import { isClientCall, objectOf, originOf, ownBlock, sse, textOf } from './wire.ts';

type StartEvent = Extract<StreamEvent, { type: 'response-start' }>;
type EndEvent = Extract<StreamEvent, { type: 'response-end' }>;

const NOTHING: readonly StreamEvent[] = [];

export const decodeStream = (context: AnswerContext = {}): StreamDecoder => new Decoder(context);

/** A block as far as it has come. Deltas of its input are text until the block ends. */
interface GrowingBlock {
  /** Of its part: blocks are counted as they come, whatever numbers a proxy that filters them left. */
  readonly index: number;
  readonly block: JsonObject;
  input: string;
}

class Decoder implements StreamDecoder {
  readonly #context: AnswerContext;
  /** By the wire's index. */
  readonly #growing = new Map<number, GrowingBlock>();
  #next = 0;
  #id = '';
  #usage: JsonObject = {};
  #reason: FinishReason = { kind: 'other' };
  #messageDelta: JsonObject | undefined;
  #state: 'before' | 'open' | 'ended' = 'before';
  /** A call that is the answer itself has begun, and no other. */
  #isAnswered = false;
  #hasCalls = false;

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  push(event: WireEvent): readonly StreamEvent[] {
    if (event.event === 'ping' || this.#state === 'ended') return NOTHING;
    const data = parsedData(event);
    switch (data.type) {
      case 'content_block_delta':
        return this.#grow(indexOf(data), objectOf(data.delta));
      case 'content_block_start':
        return this.#startBlock(indexOf(data), objectOf(data.content_block));
      case 'content_block_stop':
        return this.#endBlock(indexOf(data));
      case 'message_start':
        return this.#start(objectOf(data.message));
      case 'message_delta':
        return this.#takeMessageDelta(data);
      case 'message_stop':
        return this.#end();
      default:
        if (isErrorEvent(data)) throw streamErrorOf(data);
        return NOTHING;
    }
  }

  end(): readonly StreamEvent[] {
    if (this.#state === 'ended') return NOTHING;
    const seen = this.#state === 'before' ? 'before it began' : 'in the middle of the answer (no message_stop)';
    throw new GatewayError('network', `the provider closed the stream ${seen}; try again`);
  }

  #start(message: JsonObject): readonly StreamEvent[] {
    if (this.#state !== 'before') return NOTHING;
    this.#state = 'open';
    this.#id = textOf(message.id);
    this.#usage = objectOf(message.usage);
    const model = textOf(message.model);
    const start: Writable<StartEvent> = { type: 'response-start', id: this.#id, model, origin: originOf(message) };
    if (isObject(message.usage)) start.usage = usageOf(message.usage);
    return [start];
  }

  /** Some servers tell the counts once more behind the reason. */
  #takeMessageDelta(data: JsonObject): readonly StreamEvent[] {
    this.#usage = mergedUsage(this.#usage, objectOf(data.usage));
    const delta = objectOf(data.delta);
    if (this.#messageDelta && textOf(delta.stop_reason) === '') return NOTHING;
    this.#messageDelta = data;
    this.#reason = finishReasonOf(delta);
    return NOTHING;
  }

  #startBlock(place: number, given: JsonObject): readonly StreamEvent[] {
    if (this.#state === 'before') throw outOfOrder('a block began before the message did');
    const block = this.#asAnswer(given);
    const unfinished = this.#endBlock(place);
    const index = this.#next++;
    this.#growing.set(place, { index, block: { ...block }, input: '' });
    const part = answerPart(partOf(block), index, this.#id, this.#context);
    // the input of a call follows in deltas, unless a server wrote it whole
    if (part.type === 'tool-call' && part.input === '{}') part.input = '';
    const start: StreamEvent = { type: 'part-start', index, part };
    return unfinished.length === 0 ? [start] : [...unfinished, start];
  }

  /** The call that is the answer grows as a text. */
  #asAnswer(block: JsonObject): JsonObject {
    if (this.#context.answersByTool && isAnswer(block)) {
      this.#isAnswered = true;
      return { type: 'text', text: '' };
    }
    if (isClientCall(block)) this.#hasCalls = true;
    return block;
  }

  #grow(place: number, delta: JsonObject): readonly StreamEvent[] {
    const growing = this.#growing.get(place);
    if (!growing) throw outOfOrder(`block ${place} grew without having begun`);
    const text = applyDelta(growing, delta);
    return text === '' ? NOTHING : [{ type: 'part-delta', index: growing.index, delta: text }];
  }

  #endBlock(place: number): readonly StreamEvent[] {
    const growing = this.#growing.get(place);
    if (!growing) return NOTHING;
    this.#growing.delete(place);
    const { index, block, input } = growing;
    if (input !== '') block.input = parsedInput(input) ?? unreadableInput(input);
    return [{ type: 'part-end', index, origin: originOf(block) }];
  }

  #end(): readonly StreamEvent[] {
    if (this.#state === 'before') throw outOfOrder('the message ended before it began');
    this.#state = 'ended';
    const events: StreamEvent[] = [];
    for (const place of this.#growing.keys()) addAll(events, this.#endBlock(place));
    const reason = this.#isAnswered && !this.#hasCalls ? reasonBehindAnswer(this.#reason) : this.#reason;
    const end: Writable<EndEvent> = { type: 'response-end', reason, usage: usageOf(this.#usage) };
    if (this.#messageDelta) end.origin = originOf(this.#messageDelta);
    events.push(end);
    return events;
  }
}

/** Grows a block by one delta and gives the text that it adds to the part; empty when it adds none. */
function applyDelta(growing: GrowingBlock, delta: JsonObject): string {
  const { block } = growing;
  switch (delta.type) {
    case 'text_delta': {
      const text = textOf(delta.text);
      block.text = textOf(block.text) + text;
      return text;
    }
    case 'thinking_delta': {
      const thinking = textOf(delta.thinking);
      block.thinking = textOf(block.thinking) + thinking;
      return thinking;
    }
    case 'input_json_delta': {
      const given = textOf(delta.partial_json);
      if (block.type === 'text') {
        block.text = textOf(block.text) + given;
        return given;
      }
      // white space and nothing else is told where there are no arguments
      const json = growing.input === '' ? given.trimStart() : given;
      growing.input += json;
      return json;
    }
    case 'signature_delta':
      block.signature = textOf(delta.signature);
      return '';
    case 'citations_delta':
      block.citations = [...(Array.isArray(block.citations) ? block.citations : []), delta.citation ?? null];
      return '';
    default:
      mergeUnknown(block, delta);
      return '';
  }
}

/** Deltas that we do not know: text grows, everything else is replaced, as all known ones do. */
function mergeUnknown(block: JsonObject, delta: JsonObject): void {
  for (const [field, value] of Object.entries(delta)) {
    if (field === 'type') continue;
    const before = block[field];
    block[field] = typeof before === 'string' && typeof value === 'string' ? before + value : value;
  }
}

function parsedData({ data, event }: WireEvent): JsonObject {
  if (saysNothing(data)) return {};
  try {
    const parsed: unknown = JSON.parse(data);
    if (isObject(parsed)) return event === 'error' && parsed.type === undefined ? { ...parsed, type: event } : parsed;
  } catch (cause) {
    if (event === 'error') throw streamErrorOf({ message: data });
    throw new GatewayError('bad-response', `the provider sent an event that is not JSON (${data.length} characters)`, {
      cause,
    });
  }
  throw new GatewayError('bad-response', 'the provider sent an event that is not a JSON object');
}

const indexOf = (data: JsonObject): number => (typeof data.index === 'number' ? data.index : 0);

const outOfOrder = (what: string): GatewayError =>
  new GatewayError('bad-response', `the provider's stream is out of order: ${what}`);

export function encodeStream(head: AnswerHead): (event: StreamEvent) => string {
  const blocks = new BlockWriter();
  return (event) => {
    switch (event.type) {
      case 'part-delta':
        return blocks.grow(event.index, event.delta);
      case 'part-start':
        return blocks.start(event.index, event.part);
      case 'part-end':
        return blocks.end(event.index, event.origin);
      case 'response-start':
        return messageStart(event, head);
      case 'response-end':
        return blocks.endAll(event.origin) + messageEnd(event, blocks.hasClientCall);
    }
  };
}

function messageStart({ id, usage, origin }: StartEvent, head: AnswerHead): string {
  const own = ownBlock(origin) ?? {};
  const known = usage ?? (isObject(own.usage) ? usageOf(own.usage) : NO_USAGE);
  const message = {
    ...own,
    id: messageId(id || (head.id ?? '')),
    type: 'message',
    role: 'assistant',
    model: head.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    // some clients add this count to the final one, so it stays as small as the format allows
    usage: wireUsage({ ...known, output: Math.min(known.output, 1), reasoning: 0 }, objectOf(own.usage)),
  };
  return sse({ type: 'message_start', message });
}

function messageEnd({ reason, usage, origin }: EndEvent, hasClientCall: boolean): string {
  const own = ownBlock(origin) ?? {};
  const delta = { ...objectOf(own.delta), ...stopFieldsOf(reason, hasClientCall) };
  return (
    sse({ ...own, type: 'message_delta', delta, usage: wireUsage(usage, objectOf(own.usage)) }) +
    sse({ type: 'message_stop' })
  );
}
