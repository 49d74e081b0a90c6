import { createHash } from 'node:crypto';
import type { Message, Part, ToolCallPart, ToolResultPart } from '../model/content.ts';
import type { ChatRequest } from '../model/request.ts';

/** What happened inside a run before its open calls went to the client, as messages the model has seen. */
export interface Transcript {
  /** Whole rounds that came before the last turn. */
  readonly rounds: readonly Message[];
  /** The last turn as the model wrote it, with our calls and the client's. */
  readonly turn: Message;
  /** Results of our calls in that turn. */
  readonly results: readonly ToolResultPart[];
}

interface Entry {
  readonly transcript: Transcript;
  readonly bytes: number;
  readonly expiresAtMs: number;
}

export interface MemoryLimits {
  readonly maxBytes: number;
  readonly ttlMs: number;
}

const DEFAULT_LIMITS: MemoryLimits = { maxBytes: 64 * 1024 * 1024, ttlMs: 3_600_000 };

/**
 * Keeps what the gateway ran in a mixed turn, for clients whose dialect has no words for it. When the client comes
 * back with the results of its own calls, the whole turn is put in front of the model again, so no result is lost.
 * Entries are found by the caller, the calls it was handed, and the message that they answered: some models number
 * their calls (`functions.weather:0`), so that an id alone would find another conversation's turn. Bounded in bytes,
 * oldest out first.
 */
export class TranscriptMemory {
  readonly #entries = new Map<string, Entry>();
  readonly #limits: MemoryLimits;
  readonly #now: () => number;
  #bytes = 0;

  constructor(now: () => number, limits: MemoryLimits = DEFAULT_LIMITS) {
    this.#now = now;
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** `asked`: the last message of the client's own request. */
  remember(
    owner: string,
    asked: Message | undefined,
    handedOver: readonly ToolCallPart[],
    transcript: Transcript,
  ): void {
    const first = handedOver[0];
    if (!first) return;
    const bytes = JSON.stringify(transcript).length;
    const key = keyOf(owner, asked, first);
    this.#forget(key);
    this.#entries.set(key, { transcript, bytes, expiresAtMs: this.#now() + this.#limits.ttlMs });
    this.#bytes += bytes;
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#limits.maxBytes && entry.expiresAtMs > this.#now()) break;
      this.#forget(oldest);
    }
  }

  /** The request with every remembered turn put back in its place; the same request when there is none. */
  restore(owner: string, request: ChatRequest): ChatRequest {
    if (this.isEmpty) return request;
    let found = false;
    const messages: Message[] = [];
    for (const [index, message] of request.messages.entries()) {
      const transcript = this.#transcriptOf(owner, request.messages[index - 1], message);
      if (!transcript) {
        messages.push(message);
        continue;
      }
      found = true;
      messages.push(...transcript.rounds, transcript.turn);
      if (transcript.results.length > 0) messages.push({ role: 'tool', parts: transcript.results });
    }
    if (!found) return request;
    return {
      model: request.model,
      stream: request.stream,
      fallbacks: request.fallbacks,
      messages,
      tools: request.tools,
      toolChoice: request.toolChoice,
      settings: request.settings,
      untouched: false,
    };
  }

  #transcriptOf(owner: string, asked: Message | undefined, message: Message): Transcript | undefined {
    if (message.role !== 'assistant') return undefined;
    const call = message.parts.find((part): part is ToolCallPart => part.type === 'tool-call');
    const entry = call && this.#entries.get(keyOf(owner, asked, call));
    if (!entry || entry.expiresAtMs <= this.#now()) return undefined;
    return entry.transcript;
  }

  #forget(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#bytes -= entry.bytes;
    this.#entries.delete(key);
  }
}

/** Codecs may write an id in their own alphabet on the way out, so ids are compared by what every alphabet keeps. */
const keyOf = (owner: string, asked: Message | undefined, { id, name }: ToolCallPart): string =>
  [owner, id.replace(/[^A-Za-z0-9]/g, '_').slice(0, 64), name, digestOf(asked)].join('\n');

const digestOf = (message: Message | undefined): string =>
  createHash('sha256')
    .update(message ? textOf(message.parts) : '')
    .digest('base64');

/** What was said, without how it travelled: cache marks and the like come and go between requests. */
const textOf = (parts: readonly Part[]): string =>
  parts
    .map((part) => {
      if (part.type === 'text') return part.text;
      return part.type === 'tool-result' ? `${part.callId}: ${textOf(part.content)}` : '';
    })
    .join('\n');
