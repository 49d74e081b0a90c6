import type { Origin, Part } from '../../model/content.ts';
import type { StreamEvent } from '../../model/event.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { citationsInLastText } from '../citations-at-end.ts';
import { foreignCitations, wireCitations } from './foreign-citations.ts';
import { uniqueIds } from './ids.ts';
import { clientBlock, endingOf, reasoningBlock } from './response.ts';
import { objectOf, objectsOf, ownBlock, sse } from './wire.ts';

/** Writes an answer as the events of ConverseStream; `framing.ts` makes binary frames of them. */
export function encodeStream(): (event: StreamEvent) => string {
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
        return sse('messageStart', { role: 'assistant' });
      case 'response-end':
        return blocks.endAll(event.origin) + messageEnd(event, blocks.hasClientCall);
    }
  };
}

function messageEnd(event: Extract<StreamEvent, { type: 'response-end' }>, hasClientCall: boolean): string {
  const { reason, usage, origin } = event;
  const { stop, metadata } = endingOf(origin ? { reason, usage, endOrigin: origin } : { reason, usage }, hasClientCall);
  return sse('messageStop', stop) + sse('metadata', metadata);
}

/** A part that is open, or that began while another was open: blocks here never interleave. */
interface Block {
  readonly index: number;
  readonly part: Part;
  /** Its place on the wire, once it was begun there. */
  output: number | undefined;
  text: string;
  ended: boolean;
  origin: Origin | undefined;
}

class BlockWriter {
  /** Whether the client was given a call to run. */
  hasClientCall = false;
  readonly #toId = uniqueIds();
  /** The first is the one that is open to the client. */
  readonly #blocks: Block[] = [];
  #next = 0;
  /** The place of a finished text that is not stopped yet: other formats name its pages at the end of the answer. */
  #citable: number | undefined;
  /** The texts so far, one behind the other, and where the last of them begins. */
  #text = '';
  #lastText = 0;

  start(index: number, part: Part): string {
    this.#blocks.push({ index, part, output: undefined, text: '', ended: false, origin: undefined });
    return this.#advance();
  }

  grow(index: number, text: string): string {
    const block = this.#blocks.find((candidate) => candidate.index === index);
    if (!block || text === '') return '';
    block.text += text;
    return this.#advance();
  }

  end(index: number, origin: Origin | undefined): string {
    const block = this.#blocks.find((candidate) => candidate.index === index);
    if (!block) return '';
    block.ended = true;
    block.origin = origin;
    return this.#advance();
  }

  /** Stops what is still open; a client waits for a block that never stops. `origin`: of the answer's end. */
  endAll(origin: Origin | undefined): string {
    for (const block of this.#blocks) block.ended = true;
    const written = this.#advance();
    if (this.#citable === undefined) return written;
    const pages = citationsInLastText(origin, this.#text, this.#lastText);
    return written + this.#citations(this.#citable, wireCitations(pages)) + this.#stopCitable();
  }

  #stopCitable(): string {
    const stopped = this.#citable === undefined ? '' : blockStop(this.#citable);
    this.#citable = undefined;
    return stopped;
  }

  /** Writes what may be written now of the front block, and of those behind it once it has ended. */
  #advance(): string {
    let written = '';
    for (let block = this.#blocks[0]; block; block = this.#blocks[0]) {
      written += this.#stopCitable() + this.#streamed(block);
      if (!block.ended) return written;
      written += this.#finished(block);
      this.#blocks.shift();
    }
    return written;
  }

  #streamed(block: Block): string {
    if (!growsInPieces(block.part)) return '';
    const opening = block.output === undefined ? this.#begin(block) : '';
    const { text } = block;
    block.text = '';
    if (block.part.type === 'text') this.#text += text;
    return text === '' ? opening : opening + this.#delta(block.output, deltaOf(block.part, text));
  }

  /** A text has no start event of its own (Bedrock API, ContentBlockStart). */
  #begin(block: Block): string {
    const { part } = block;
    block.output = this.#next++;
    block.text = textAtStart(part) + block.text;
    if (part.type === 'text') this.#lastText = this.#text.length;
    if (part.type !== 'tool-call') return '';
    this.hasClientCall = true;
    const { input: _later, ...call } = objectOf(clientBlock(part, this.#toId)?.toolUse);
    return sse('contentBlockStart', { start: { toolUse: call }, contentBlockIndex: block.output });
  }

  #finished(block: Block): string {
    const written = block.output === undefined ? this.#whole(block) : this.#closing(block);
    if (block.output === undefined) return '';
    if (block.part.type !== 'text' || ownBlock(block.origin)) return written + blockStop(block.output);
    this.#citable = block.output;
    return written;
  }

  /** What a finished block holds beside its text. */
  #closing(block: Block): string {
    const { part, origin } = block;
    const own = ownBlock(origin);
    if (part.type === 'text') {
      const { citations } = objectOf(own?.citationsContent);
      return this.#citations(block.output, own ? objectsOf(citations) : foreignCitations(origin));
    }
    if (part.type !== 'reasoning') return '';
    const { reasoningContent } = own ?? reasoningBlock(origin ? { ...part, origin } : part);
    const { reasoningText, redactedContent } = objectOf(reasoningContent);
    const { signature } = objectOf(reasoningText);
    const rest = redactedContent === undefined ? { signature } : { redactedContent };
    return Object.values(rest)[0] === undefined ? '' : this.#delta(block.output, { reasoningContent: rest });
  }

  /** Blocks that do not grow in pieces: images have words of their own in a stream, others are told as they are. */
  #whole(block: Block): string {
    const shown = clientBlock(block.part, this.#toId);
    if (!shown) return '';
    block.output = this.#next++;
    const { image } = shown;
    if (!isObject(image)) return this.#delta(block.output, shown);
    const { source, ...start } = image;
    return (
      sse('contentBlockStart', { start: { image: start }, contentBlockIndex: block.output }) +
      this.#delta(block.output, { image: { source } })
    );
  }

  #citations(output: number | undefined, citations: readonly JsonObject[]): string {
    return citations.map((citation) => this.#delta(output, { citation })).join('');
  }

  #delta(output: number | undefined, delta: JsonObject): string {
    return sse('contentBlockDelta', { delta, contentBlockIndex: output });
  }
}

const blockStop = (output: number): string => sse('contentBlockStop', { contentBlockIndex: output });

function growsInPieces(part: Part): boolean {
  if (part.type === 'tool-call') return (part.owner ?? 'client') === 'client';
  return part.type === 'text' || part.type === 'reasoning';
}

function deltaOf(part: Part, text: string): JsonObject {
  if (part.type === 'tool-call') return { toolUse: { input: text } };
  return part.type === 'reasoning' ? { reasoningContent: { text } } : { text };
}

/** What a part that came whole, or with a beginning, still has to say in deltas. */
function textAtStart(part: Part): string {
  if (part.type === 'tool-call') return part.input === '{}' ? '' : part.input;
  return part.type === 'text' || part.type === 'reasoning' ? part.text : '';
}
