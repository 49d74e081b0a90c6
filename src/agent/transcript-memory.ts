import { createHash } from 'node:crypto';
import { isUniqueCallId, plainCallId } from '../model/call-ids.ts';
import type { Message, Part, ToolCallPart } from '../model/content.ts';
import type { ChatRequest } from '../model/request.ts';
import { inputDigest } from '../vault/state.ts';
import { asTheClientHasIt, callsIn, type Transcript } from './returned-turn.ts';

interface Entry {
  readonly transcript: Transcript;
  readonly bytes: number;
  readonly expiresAtMs: number;
  readonly keys: readonly string[];
}

export interface MemoryLimits {
  readonly maxBytes: number;
  readonly ttlMs: number;
}

const DEFAULT_LIMITS: MemoryLimits = { maxBytes: 64 * 1024 * 1024, ttlMs: 3_600_000 };

/**
 * Keeps what the gateway ran in a mixed turn, for clients whose dialect has no words for it. When the client comes
 * back with the results of its own calls, the whole turn is put in front of the model again, so no result is lost.
 * Entries are found by the caller and any of the calls it was handed: by its id; where that may stand in any
 * conversation (some models number their calls, `functions.weather:0`) by the message that was answered as well; and
 * where the client gave no id back by that message and what the calls say. Bounded in bytes, oldest out first.
 */
export class TranscriptMemory {
  readonly #entries = new Set<Entry>();
  readonly #byKey = new Map<string, Entry>();
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
    if (handedOver.length === 0) return;
    const keys = keysOf(owner, asked, handedOver);
    const bytes = JSON.stringify(transcript).length;
    const entry = { transcript, bytes, expiresAtMs: this.#now() + this.#limits.ttlMs, keys };
    this.#entries.add(entry);
    this.#bytes += bytes;
    for (const key of keys) {
      const older = this.#byKey.get(key);
      this.#byKey.set(key, entry);
      if (older?.keys.every((one) => this.#byKey.get(one) !== older)) this.#forget(older);
    }
    for (const oldest of this.#entries) {
      if (this.#bytes <= this.#limits.maxBytes && oldest.expiresAtMs > this.#now()) break;
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
      messages.push(...transcript.rounds, asTheClientHasIt(transcript, message));
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
    const calls = callsIn(message);
    if (calls.length === 0) return undefined;
    for (const key of keysOf(owner, asked, calls)) {
      const entry = this.#byKey.get(key);
      if (entry && entry.expiresAtMs > this.#now()) return entry.transcript;
    }
    return undefined;
  }

  #forget(entry: Entry): void {
    if (!this.#entries.delete(entry)) return;
    this.#bytes -= entry.bytes;
    for (const key of entry.keys) if (this.#byKey.get(key) === entry) this.#byKey.delete(key);
  }
}

/** Under what a turn is kept, and looked for: the surest first. */
function keysOf(owner: string, asked: Message | undefined, calls: readonly ToolCallPart[]): string[] {
  const question = digestOf(asked);
  const ids = calls.map(({ id, name }) =>
    [owner, plainCallId(id), name, isUniqueCallId(id) ? '' : question].join('\n'),
  );
  const said = calls.map(({ name, input }) => `${name}(${inputDigest(input)})`);
  return [...ids, [owner, 'said', question, ...said].join('\n')];
}

const digestOf = (message: Message | undefined): string =>
  createHash('sha256')
    .update(message ? textOf(message.parts) : '')
    .digest('base64');

/** What was said, without how it travelled: cache marks come and go between requests, and ids take other forms. */
const textOf = (parts: readonly Part[]): string =>
  parts
    .map((part) => {
      if (part.type === 'text') return part.text;
      return part.type === 'tool-result' ? textOf(part.content) : '';
    })
    .join('\n');
