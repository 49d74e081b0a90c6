import type { KeptExchange } from '../model/call.ts';
import type { Part } from '../model/content.ts';
import type { Frame, StreamEvent } from '../model/event.ts';
import type { ChatRequest } from '../model/request.ts';
import { type ChatResponse, emptyResponse, fold } from '../model/response.ts';
import { hidingCredentials, withoutCredentials } from './credentials.ts';
import type { CallContents, CutText } from './record.ts';

export const CANONICAL = 'canonical';

type Input = Pick<CallContents, 'requestCodec' | 'request' | 'appended' | 'truncated'>;
type Output = Pick<CallContents, 'responseCodec' | 'response' | 'truncated'>;

/** What was asked: the client's bytes as they are, with what the gateway put behind them; never decoded here. */
export function inputOf(request: ChatRequest, maxBytes: number): Input {
  const { raw } = request;
  if (!raw) {
    const { messages, tools, toolChoice, settings } = request;
    const written = JSON.stringify(
      { messages: messages.map(shownMessage), tools, toolChoice, settings },
      hidingCredentials,
    );
    const { text, truncated } = cut(written, maxBytes);
    return { requestCodec: CANONICAL, request: text, truncated };
  }
  const kept = withoutCredentials(raw.codec, raw.bytes);
  const bytes = cutBytes(kept, maxBytes);
  const isCut = bytes.length < kept.length;
  if (request.untouched) return { requestCodec: raw.codec, request: bytes, truncated: isCut };
  const messages = request.messages.slice(raw.messageCount).map(shownMessage);
  const added = { messages, tools: request.tools.slice(raw.toolCount) };
  const appended = cut(JSON.stringify(added, hidingCredentials), maxBytes);
  const truncated = isCut || appended.truncated;
  return { requestCodec: raw.codec, request: bytes, appended: appended.text, truncated };
}

/** Collects an answer as it passes: bytes where they travel verbatim, else the folded response; up to `maxBytes`. */
export class OutputCollector {
  readonly #maxBytes: number;
  #bytes: Uint8Array | undefined;
  #length = 0;
  #ownsBytes = false;
  #codec: string | undefined;
  #response: ChatResponse | undefined;
  #textLength = 0;
  #truncated = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  see(frame: Frame): void {
    if (frame.raw) {
      this.#codec = frame.raw.codec;
      this.#append(frame.raw.bytes);
    } else {
      for (const event of frame.events) this.#fold(event);
    }
  }

  take(): Output {
    if (this.#bytes) {
      return {
        responseCodec: this.#codec,
        response: this.#bytes.subarray(0, this.#length),
        truncated: this.#truncated,
      };
    }
    if (!this.#response) return { truncated: false };
    const { id, model, parts, reason, usage } = this.#response;
    const written = JSON.stringify({ id, model, parts: parts.map(shownPart), reason, usage });
    const { text, truncated } = cut(written, this.#maxBytes);
    return { responseCodec: CANONICAL, response: text, truncated: truncated || this.#truncated };
  }

  /** One piece is kept as it is; a stream's many small pieces are copied together, or each would hold its own buffer. */
  #append(piece: Uint8Array): void {
    const room = this.#maxBytes - this.#length;
    const bytes = piece.length > room ? cutBytes(piece, room) : piece;
    if (bytes !== piece) this.#truncated = true;
    if (bytes.length === 0) return;
    if (!this.#bytes) {
      this.#bytes = bytes;
    } else {
      this.#grow(this.#length + bytes.length);
      this.#bytes.set(bytes, this.#length);
    }
    this.#length += bytes.length;
  }

  #grow(needed: number): void {
    const old = this.#bytes;
    if (!old || (this.#ownsBytes && old.length >= needed)) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(2 * needed, this.#maxBytes), 1_024));
    grown.set(old.subarray(0, this.#length));
    this.#bytes = grown;
    this.#ownsBytes = true;
  }

  #fold(event: StreamEvent): void {
    this.#response ??= emptyResponse();
    if (event.type === 'part-delta') {
      this.#textLength += event.delta.length;
      if (this.#textLength > this.#maxBytes) {
        this.#truncated = true;
        return;
      }
    }
    fold(this.#response, event);
  }
}

export function cutExchange({ request, response, truncated }: KeptExchange, maxBytes: number): KeptExchange {
  const [sent, came] = [cut(request, maxBytes), cut(response, maxBytes)];
  return { request: sent.text, response: came.text, truncated: truncated || sent.truncated || came.truncated };
}

/** JSON for the log, undefined when it has none; a value that JSON cannot say is logged as its failure. */
export function jsonText(value: unknown, maxBytes: number): CutText {
  if (value === undefined) return { text: undefined, truncated: false };
  try {
    return cut(JSON.stringify(value) ?? 'null', maxBytes);
  } catch (error) {
    return { text: JSON.stringify(`this value has no JSON form: ${String(error)}`), truncated: false };
  }
}

/** A part as the log shows it: the wire block beside it would say everything twice. */
function shownPart(part: Part): Part {
  if (part.type === 'opaque' || !part.origin) return part;
  const { origin: _, ...shown } = part;
  return shown;
}

const shownMessage = ({ role, parts }: ChatRequest['messages'][number]) => ({ role, parts: parts.map(shownPart) });

/** The first `maxBytes` of UTF-8 text, less what would be half a character. */
export function cutBytes(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes.length <= maxBytes) return bytes;
  let end = maxBytes;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}

/** Counted in UTF-16 units, which is near enough for a cap and costs nothing. */
function cut(text: string, maxLength: number): { text: string; truncated: boolean } {
  return text.length <= maxLength ? { text, truncated: false } : { text: text.slice(0, maxLength), truncated: true };
}
