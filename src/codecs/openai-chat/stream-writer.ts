import type { Origin, Part, ToolCallPart } from '../../model/content.ts';
import type { StreamEvent } from '../../model/event.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import type { AnswerHead } from '../codec.ts';
import { Ledger } from '../ledger.ts';
import { annotationsAtEnd, annotationsOf } from './annotations.ts';
import { finishWord } from './finish.ts';
import { wireMedia } from './media.ts';
import { wireDetails } from './reasoning.ts';
import {
  answerId,
  createdAt,
  customBlock,
  isCustomCall,
  isLegacy,
  isPicture,
  isRefusal,
  isShownCall,
} from './response.ts';
import { wireUsage } from './usage.ts';
import { ownBlock } from './wire.ts';

/** Writes an answer as chunks: strings are joined by hand, since a chunk differs from the next by its delta only. */
export function encodeStream(head: AnswerHead): (event: StreamEvent) => string {
  const writer = new StreamWriter(head);
  return (event) => writer.write(event);
}

type EventOf<Type extends StreamEvent['type']> = Extract<StreamEvent, { type: Type }>;

/** How a part's deltas are written; absent = the part is not shown. */
type WriteDelta = (delta: string) => string;

class StreamWriter {
  readonly #head: AnswerHead;
  readonly #open = new Map<number, { readonly part: Part; readonly write: WriteDelta; grew: boolean; from: number }>();
  /** What was said so far in calls of custom tools. */
  #heldBack: Map<number, string> | undefined;
  #prefix = '';
  #calls = 0;
  #showsOlder = false;
  #details = 0;
  /** The content so far: sources are told by their places in it. */
  #content = '';

  constructor(head: AnswerHead) {
    this.#head = head;
  }

  write(event: StreamEvent): string {
    switch (event.type) {
      case 'response-start':
        return this.#start(event);
      case 'part-start':
        return this.#startPart(event);
      case 'part-delta':
        return this.#growPart(event);
      case 'part-end':
        return this.#endPart(event);
      case 'response-end':
        return this.#end(event);
    }
  }

  #start({ id, origin }: EventOf<'response-start'>): string {
    const own = ownBlock(origin);
    const block = own ?? {};
    const { small, large } = fieldsOf(block);
    const top = JSON.stringify({
      id: answerId(id, this.#head, own !== undefined),
      object: 'chat.completion.chunk',
      created: createdAt(block, this.#head),
      model: this.#head.model,
      ...small,
    });
    this.#prefix = `data: ${top.slice(0, -1)},"choices":[`;
    const first = this.#chunk('{"role":"assistant","content":"","refusal":null}');
    const more = JSON.stringify(large);
    return more === '{}' ? first : `${first.slice(0, -'}\n\n'.length)},${more.slice(1)}\n\n`;
  }

  #chunk(delta: string): string {
    return `${this.#prefix}{"index":0,"delta":${delta},"logprobs":null,"finish_reason":null}]}\n\n`;
  }

  #startPart({ index, part }: EventOf<'part-start'>): string {
    const write = this.#writerOf(part, index);
    if (!write) return isShownCall(part) ? '' : this.#wholePart(part);
    this.#open.set(index, { part, write, grew: false, from: this.#content.length });
    const opening = isShownCall(part) ? this.#startCall(part) : '';
    const text = textOf(part);
    return text === '' ? opening : opening + this.#growPart({ type: 'part-delta', index, delta: text });
  }

  #writerOf(part: Part, at: number): WriteDelta | undefined {
    if (part.type === 'text') {
      if (isRefusal(part)) return (delta) => this.#chunk(`{"refusal":${JSON.stringify(delta)}}`);
      return (delta) => {
        this.#content += delta;
        return this.#chunk(`{"content":${JSON.stringify(delta)}}`);
      };
    }
    if (part.type === 'reasoning') {
      return (delta) => {
        const text = JSON.stringify(delta);
        return this.#chunk(`{"reasoning_content":${text},"reasoning":${text}}`);
      };
    }
    if (!isShownCall(part)) return undefined;
    if (isCustomCall(part, this.#head)) return (delta) => this.#holdBack(at, delta);
    if (isLegacy(part, this.#head))
      return this.#calls > 0
        ? undefined
        : (delta) => this.#chunk(`{"function_call":{"arguments":${JSON.stringify(delta)}}}`);
    const prefix = `{"tool_calls":[{"index":${this.#calls},"function":{"arguments":`;
    return (delta) => this.#chunk(`${prefix}${JSON.stringify(delta)}}}]}`);
  }

  /** Id, type and name stand in the first chunk of a call only: strict clients refuse them in later ones. */
  #startCall(call: ToolCallPart): string {
    if (isCustomCall(call, this.#head)) return '';
    const head = { name: call.name, arguments: '' };
    if (isLegacy(call, this.#head)) {
      this.#calls += 1;
      this.#showsOlder = true;
      return this.#chunk(JSON.stringify({ function_call: head }));
    }
    const first = { index: this.#calls, ...ownBlock(call.origin), id: call.id, type: 'function', function: head };
    this.#calls += 1;
    return this.#chunk(JSON.stringify({ tool_calls: [first] }));
  }

  #holdBack(at: number, delta: string): string {
    this.#heldBack ??= new Map();
    this.#heldBack.set(at, (this.#heldBack.get(at) ?? '') + delta);
    return '';
  }

  #growPart({ index, delta }: EventOf<'part-delta'>): string {
    const open = this.#open.get(index);
    if (!open || delta === '') return '';
    open.grew = true;
    return open.write(delta);
  }

  #endPart({ index, origin }: EventOf<'part-end'>): string {
    const open = this.#open.get(index);
    if (!open) return '';
    this.#open.delete(index);
    if (isShownCall(open.part)) {
      if (isCustomCall(open.part, this.#head)) return this.#customCall(open.part, index, origin ?? open.part.origin);
      return open.grew ? '' : open.write('{}');
    }
    const finished = origin ?? open.part.origin;
    if (open.part.type === 'reasoning') return this.#signature(finished);
    return this.#annotations(annotationsOf(finished, this.#content.length - open.from, open.from));
  }

  #annotations(annotations: readonly JsonObject[]): string {
    return annotations.length > 0 ? this.#chunk(JSON.stringify({ annotations })) : '';
  }

  /** A call with free text as its input comes whole: its text is known only once it has ended. */
  #customCall(call: ToolCallPart, at: number, origin: Origin | undefined): string {
    const block = ownBlock(origin) ?? customBlock(call.name, this.#heldBack?.get(at) ?? '');
    const whole = { index: this.#calls, ...block, id: call.id };
    this.#calls += 1;
    return this.#chunk(JSON.stringify({ tool_calls: [whole] }));
  }

  /** Signed or encrypted thinking comes whole at the end, in a form that the client can send back. */
  #signature(origin: Origin | undefined): string {
    const details = wireDetails(origin, this.#details);
    if (details.length === 0) return '';
    this.#details += 1;
    return this.#chunk(JSON.stringify({ reasoning_details: details }));
  }

  #wholePart(part: Part): string {
    if (part.type === 'media') {
      if (!isPicture(part)) return '';
      const image = wireMedia(part, 'images', new Ledger());
      return image ? this.#chunk(JSON.stringify({ images: [image] })) : '';
    }
    const audio = ownBlock(part.origin)?.audio;
    return audio ? this.#chunk(JSON.stringify({ audio })) : '';
  }

  #end({ reason, usage, origin }: EventOf<'response-end'>): string {
    const sources = this.#annotations(annotationsAtEnd(origin, this.#content));
    const { choices, usage: theirs, ...top } = ownBlock(origin) ?? {};
    const first: unknown = Array.isArray(choices) ? choices[0] : undefined;
    const { message, logprobs, ...extras }: JsonObject = isObject(first) ? first : {};
    extras.index = 0;
    extras.delta = message ?? {};
    extras.logprobs = logprobs ?? null;
    extras.finish_reason = finishWord(reason, this.#calls === 0 ? 'none' : this.#showsOlder ? 'older-call' : 'calls');
    const finish = JSON.stringify(extras);
    top.usage = wireUsage(usage, theirs);
    const counts = JSON.stringify(top);
    return `${sources}${this.#prefix}${finish}]}\n\n${this.#prefix}],${counts.slice(1)}\n\ndata: [DONE]\n\n`;
  }
}

/** Fields of the upstream's start: what is small stands in every chunk, as it did upstream, the rest only in the first. */
function fieldsOf(block: JsonObject): { small: JsonObject; large: JsonObject } {
  const small: JsonObject = {};
  const large: JsonObject = {};
  for (const key in block) {
    if (key !== 'created') (typeof block[key] === 'object' ? large : small)[key] = block[key];
  }
  return { small, large };
}

function textOf(part: Part): string {
  if (part.type === 'text' || part.type === 'reasoning') return part.text;
  return part.type === 'tool-call' ? part.input : '';
}
