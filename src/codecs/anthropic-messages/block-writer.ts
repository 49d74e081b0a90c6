import type { Origin, Part } from '../../model/content.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { citationsInLastText } from '../citations-at-end.ts';
import { clientBlock } from './client-blocks.ts';
import { foreignCitations, pagesOf } from './foreign-citations.ts';
import { foreignSearch, foreignSearchEvents } from './foreign-search.ts';
import { uniqueIds } from './ids.ts';
import { isClientCall, objectsOf, ownBlock, sse, textOf } from './wire.ts';

/** The one block that is open to the client. */
interface OpenBlock {
  readonly index: number;
  readonly part: Part;
  readonly output: number;
  /** The SSE text of a delta up to its own text; absent for a block that is written whole when it ends. */
  readonly deltaHead: string | undefined;
  held: string;
}

/** A part that began while another was open: parallel calls of other formats interleave, blocks here never do. */
interface WaitingPart {
  readonly part: Part;
  text: string;
  ended: boolean;
  origin: Origin | undefined;
}

/** Writes parts as blocks: numbered from 0, one at a time, each started, grown and stopped. */
export class BlockWriter {
  /** Whether the client was given a call to run. */
  hasClientCall = false;
  readonly #waiting = new Map<number, WaitingPart>();
  readonly #toId = uniqueIds();
  #open: OpenBlock | undefined;
  /** The place of a finished text that is not stopped yet: other formats name its pages at the end of the answer. */
  #citable: number | undefined;
  /** The texts so far, one behind the other, and where the last of them begins. */
  #text = '';
  #lastText = 0;
  #next = 0;

  start(index: number, part: Part): string {
    if (!this.#open) return this.#stopCitable() + this.#begin(index, part);
    this.#waiting.set(index, { part, text: '', ended: false, origin: undefined });
    return '';
  }

  grow(index: number, text: string): string {
    if (this.#open?.index === index) return this.#write(this.#open, text);
    const waiting = this.#waiting.get(index);
    if (waiting) waiting.text += text;
    return '';
  }

  end(index: number, origin: Origin | undefined): string {
    if (this.#open?.index === index) return this.#finish(this.#open, origin) + this.#continue();
    const waiting = this.#waiting.get(index);
    if (waiting) {
      waiting.ended = true;
      waiting.origin = origin;
    }
    return '';
  }

  /** Stops what is still open; a client waits forever for a block that never stops. `origin`: of the answer's end. */
  endAll(origin: Origin | undefined): string {
    for (const waiting of this.#waiting.values()) waiting.ended = true;
    const written = (this.#open ? this.#finish(this.#open, undefined) : '') + this.#continue();
    if (this.#citable === undefined) return written;
    const pages = pagesOf(citationsInLastText(origin, this.#text, this.#lastText));
    return written + citationDeltas(this.#citable, pages) + this.#stopCitable();
  }

  #stopCitable(): string {
    if (this.#citable === undefined) return '';
    const stopped = sse({ type: 'content_block_stop', index: this.#citable });
    this.#citable = undefined;
    return stopped;
  }

  /** Writes waiting parts in the order in which they began, up to the first that is not complete. */
  #continue(): string {
    let written = '';
    for (const [index, { part, text, ended, origin }] of this.#waiting) {
      this.#waiting.delete(index);
      written += this.#stopCitable() + this.#begin(index, part);
      if (!this.#open) continue;
      written += this.#write(this.#open, text);
      if (!ended) return written;
      written += this.#finish(this.#open, origin);
    }
    return written;
  }

  #begin(index: number, part: Part): string {
    if (isWrittenWhole(part)) {
      this.#open = { index, part, output: this.#next++, deltaHead: undefined, held: '' };
      return '';
    }
    const search = foreignSearch(part);
    if (search) {
      this.#next += search.length;
      return foreignSearchEvents(search, this.#next - search.length);
    }
    const block = clientBlock(part, this.#toId);
    if (!block) return '';
    if (part.type === 'text') this.#lastText = this.#text.length;
    if (isClientCall(block)) this.hasClientCall = true;
    const output = this.#next++;
    this.#open = { index, part, output, deltaHead: deltaHead(output, block), held: '' };
    const started = sse({ type: 'content_block_start', index: output, content_block: emptied(block) });
    return started + this.#write(this.#open, textAtStart(part, block));
  }

  #write(open: OpenBlock, text: string): string {
    if (text === '') return '';
    if (open.part.type === 'text') this.#text += text;
    if (open.deltaHead !== undefined) return `${open.deltaHead}${JSON.stringify(text)}}}\n\n`;
    open.held += text;
    return '';
  }

  #finish(open: OpenBlock, origin: Origin | undefined): string {
    this.#open = undefined;
    const { output, part } = open;
    const before =
      open.deltaHead === undefined
        ? sse({ type: 'content_block_start', index: output, content_block: this.#wholeBlock(open, origin) })
        : closingDeltas(output, part, origin ?? part.origin);
    if (part.type === 'text' && !ownBlock(origin ?? part.origin)) {
      this.#citable = output;
      return before;
    }
    return before + sse({ type: 'content_block_stop', index: output });
  }

  #wholeBlock({ part, held }: OpenBlock, origin: Origin | undefined): JsonObject {
    if (part.type === 'opaque') return ownBlock(origin) ?? part.origin.block;
    const whole = part.type === 'tool-call' ? { ...part, input: part.input + held } : part;
    return clientBlock(whole, this.#toId) ?? {};
  }
}

/**
 * What the gateway ran must be whole in its content_block_start: Claude Code throws a message away that streams the
 * input of an mcp_tool_use. So are blocks that we do not know, because nobody knows how they grow.
 */
function isWrittenWhole(part: Part): boolean {
  switch (part.type) {
    case 'tool-call':
    case 'tool-result':
      return part.owner === 'gateway';
    case 'opaque':
      return growsOnlyInPrivate(ownBlock(part.origin));
    default:
      return false;
  }
}

const growsOnlyInPrivate = (block: JsonObject | undefined): boolean =>
  block !== undefined && (block.input === undefined || block.type === 'mcp_tool_use');

function deltaHead(output: number, block: JsonObject): string {
  const [type, field] = deltaNames(block);
  return `event: content_block_delta\ndata: {"type":"content_block_delta","index":${output},"delta":{"type":"${type}","${field}":`;
}

function deltaNames(block: JsonObject): readonly [type: string, field: string] {
  switch (block.type) {
    case 'text':
      return ['text_delta', 'text'];
    case 'thinking':
      return ['thinking_delta', 'thinking'];
    default:
      return ['input_json_delta', 'partial_json'];
  }
}

/** A block as it stands before its deltas. */
function emptied(block: JsonObject): JsonObject {
  switch (block.type) {
    case 'text':
      return block.citations === undefined ? { ...block, text: '' } : { ...block, text: '', citations: [] };
    case 'thinking':
      return { ...block, thinking: '', signature: '' };
    case 'tool_use':
    case 'server_tool_use':
      return { ...block, input: {} };
    default:
      return block;
  }
}

/** What a part that came whole, or with a beginning, still has to say in deltas. */
function textAtStart(part: Part, block: JsonObject): string {
  switch (part.type) {
    case 'text':
      return part.text;
    case 'reasoning':
      return block.type === 'thinking' ? part.text : '';
    case 'tool-call':
      return part.input === '{}' ? '' : part.input;
    case 'opaque':
      return block.type === 'server_tool_use' && hasMembers(block.input) ? JSON.stringify(block.input) : '';
    default:
      return textOf(block.text);
  }
}

const hasMembers = (value: JsonObject[string]): boolean => isObject(value) && Object.keys(value).length > 0;

/** What a finished block holds beside its text: citations, and the signature as the last delta. */
function closingDeltas(output: number, part: Part, origin: Origin | undefined): string {
  const finished = ownBlock(origin);
  if (!finished) return part.type === 'text' ? citationDeltas(output, foreignCitations(origin)) : '';
  if (finished.type === 'text') return citationDeltas(output, objectsOf(finished.citations));
  if (finished.type !== 'thinking' || textOf(finished.signature) === '') return '';
  return blockDelta(output, { type: 'signature_delta', signature: finished.signature });
}

const citationDeltas = (output: number, citations: readonly JsonObject[]): string =>
  citations.map((citation) => blockDelta(output, { type: 'citations_delta', citation })).join('');

const blockDelta = (output: number, delta: JsonObject): string =>
  sse({ type: 'content_block_delta', index: output, delta });
