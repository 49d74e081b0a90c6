import type { Origin, Part } from '../../model/content.ts';
import type { StreamEvent } from '../../model/event.ts';
import type { JsonObject } from '../../model/json.ts';
import { type Citation, shifted } from '../citation.ts';
import { citationsOf } from '../citations.ts';
import { citationsAtEnd } from '../citations-at-end.ts';
import type { AnswerHead } from '../codec.ts';
import { addMembers } from '../members.ts';
import { groundingFields } from './grounding.ts';
import { clientPart, closingFields, identity, isRefusedPrompt } from './response.ts';
import { ownBlock, sse } from './wire.ts';

/** Writes an answer as chunks: text as it comes, everything else whole when it ends. */
export function encodeStream(head: AnswerHead): (event: StreamEvent) => string {
  const writer = new StreamWriter(head);
  return (event) => writer.write(event);
}

type EventOf<Type extends StreamEvent['type']> = Extract<StreamEvent, { type: Type }>;

interface OpenPart {
  readonly part: Part;
  /** The text of a chunk up to the delta; absent for a part that is written whole. */
  readonly prefix: string | undefined;
  /** Where it begins in all of the text. */
  readonly from: number;
  held: string;
  /** Its chunk, once it has ended while a part before it had not. */
  chunk?: string;
}

class StreamWriter {
  readonly #head: AnswerHead;
  readonly #open = new Map<number, OpenPart>();
  #identity: JsonObject = {};
  /** What follows a part in its chunk. */
  #suffix = '';
  /** The text so far, and the pages that it rests on. */
  #text = '';
  readonly #citations: Citation[] = [];

  constructor(head: AnswerHead) {
    this.#head = head;
  }

  write(event: StreamEvent): string {
    switch (event.type) {
      case 'part-delta':
        return this.#grow(event);
      case 'part-start':
        return this.#startPart(event);
      case 'part-end':
        return this.#endPart(event.index, event.origin);
      case 'response-start':
        this.#identity = identity(event, this.#head);
        this.#suffix = `],"role":"model"},"index":0}],${JSON.stringify(this.#identity).slice(1)}\n\n`;
        return '';
      case 'response-end':
        return this.#end(event);
    }
  }

  #startPart({ index, part }: EventOf<'part-start'>): string {
    const prefix = prefixOf(part);
    this.#open.set(index, { part, prefix, from: this.#text.length, held: '' });
    const begun = part.type === 'text' || part.type === 'reasoning' ? part.text : '';
    return prefix !== undefined && begun !== '' ? this.#grow({ type: 'part-delta', index, delta: begun }) : '';
  }

  #grow({ index, delta }: EventOf<'part-delta'>): string {
    const open = this.#open.get(index);
    if (!open || delta === '') return '';
    if (open.part.type === 'text') this.#text += delta;
    if (open.prefix !== undefined) return `${open.prefix}${JSON.stringify(delta)}}${this.#suffix}`;
    open.held += delta;
    return '';
  }

  #endPart(index: number, origin: Origin | undefined): string {
    const open = this.#open.get(index);
    if (!open || open.chunk !== undefined) return '';
    if (open.part.type === 'text') this.#cite(open, origin ?? open.part.origin);
    if (open.prefix !== undefined) {
      this.#open.delete(index);
      return '';
    }
    open.chunk = this.#wholeChunk(finished(open, origin));
    return this.#writeEnded();
  }

  #wholeChunk(part: Part): string {
    const written = clientPart(part);
    if (!written) return '';
    return CHUNK_HEAD + JSON.stringify(written) + this.#suffix;
  }

  /** Parts that are written whole come in the order in which they began: calls of other formats interleave. */
  #writeEnded(): string {
    let written = '';
    for (const [index, { prefix, chunk }] of this.#open) {
      if (prefix !== undefined) continue;
      if (chunk === undefined) return written;
      this.#open.delete(index);
      written += chunk;
    }
    return written;
  }

  #cite({ from }: OpenPart, origin: Origin | undefined): void {
    const found = citationsOf(origin, this.#text.length - from);
    if (found.length > 0) this.#citations.push(...found.map((citation) => shifted(citation, from)));
  }

  #end({ reason, usage, origin }: EventOf<'response-end'>): string {
    let unfinished = '';
    for (const index of this.#open.keys()) unfinished += this.#endPart(index, undefined);
    const ending = origin ? { reason, usage, endOrigin: origin } : { reason, usage };
    const atEnd = ownBlock(origin) ? [] : citationsAtEnd(origin, this.#text);
    const grounding = groundingFields([...this.#citations, ...atEnd], this.#text);
    // every chunk has a part, and the last one says nothing more
    const fields = closingFields(ending, isRefusedPrompt(origin) ? [] : [{ text: '' }], grounding);
    addMembers(fields, this.#identity);
    return unfinished + sse(fields);
  }
}

/** A chunk up to its part. */
const CHUNK_HEAD = 'data: {"candidates":[{"content":{"parts":[';

/** Text streams; a text that came with more than its letters (a signature) is one chunk, as it came. */
function prefixOf(part: Part): string | undefined {
  if (part.type !== 'text' && part.type !== 'reasoning') return undefined;
  const own = Object.keys(ownBlock(part.origin) ?? {});
  if (own.some((key) => key !== 'text' && key !== 'thought')) return undefined;
  const kind = part.type === 'reasoning' ? '"thought":true,' : '';
  return `${CHUNK_HEAD}{${kind}"text":`;
}

function finished({ part, held }: OpenPart, origin: Origin | undefined): Part {
  const whole = origin ? { ...part, origin } : part;
  if (held === '') return whole;
  if (whole.type === 'tool-call') return { ...whole, input: whole.input + held };
  return whole.type === 'text' || whole.type === 'reasoning' ? { ...whole, text: whole.text + held } : whole;
}
