import type { Codec } from '../codecs/codec.ts';
import { createSseReader } from '../codecs/sse.ts';
import type { CallContext } from '../model/call.ts';
import type { Part } from '../model/content.ts';
import type { StreamEvent } from '../model/event.ts';
import { isObject } from '../model/json.ts';
import { type ChatResponse, emptyResponse, fold, foldAll } from '../model/response.ts';
import { familyOf } from '../vault/family.ts';
import { mayHoldState, stateOf } from '../vault/state.ts';
import type { Answered, ReasoningVault } from '../vault/vault.ts';
import { ownerOf, type Reader } from './history.ts';

/** A longer answer is not kept for the sake of its state. */
const MOST_BYTES = 4 * 1024 * 1024;

/** Reads along with an answer, and keeps what its model left in it for itself. */
export class Witness {
  readonly #vault: ReasoningVault;
  readonly #reader: Reader;
  readonly #context: CallContext;
  readonly #codec: Codec;
  /** Undefined once the answer is too long. */
  #response: ChatResponse | undefined = emptyResponse();
  #read: Buffer[] = [];
  #bytes = 0;

  constructor(vault: ReasoningVault, reader: Reader, codec: Codec, context: CallContext) {
    this.#vault = vault;
    this.#reader = reader;
    this.#codec = codec;
    this.#context = context;
  }

  /** An event of an answer that is translated. */
  see(event: StreamEvent): void {
    if (!this.#response) return;
    if (event.type === 'part-delta') this.#bytes += event.delta.length;
    if (this.#bytes > MOST_BYTES) {
      this.#response = undefined;
      return;
    }
    fold(this.#response, event);
    if (event.type === 'response-end') this.seeParts(this.#response.parts);
  }

  seeParts(parts: readonly Part[]): void {
    if (parts.some((part) => stateOf(part) !== '')) this.#vault.remember(this.#answered(), parts);
  }

  /** A piece of an answer that travels as it is. */
  seeBytes(bytes: Buffer): void {
    this.#bytes += bytes.length;
    if (this.#bytes <= MOST_BYTES) this.#read.push(bytes);
    else this.#read = [];
  }

  /** The bytes are whole. They are decoded only when the client turns out to have dropped what they hold. */
  seeEnd(shape: 'json' | 'sse'): void {
    if (this.#bytes > MOST_BYTES) return;
    const answer = Buffer.concat(this.#read);
    this.#read = [];
    const codec = this.#codec;
    if (!mayHoldState(codec.id, answer)) return;
    this.#vault.rememberUnread(this.#answered(), { bytes: answer.length, read: () => partsOf(answer, shape, codec) });
  }

  #answered(): Answered {
    const { provider, model } = this.#reader;
    return { owner: ownerOf(this.#context), family: familyOf(provider, model), dialect: this.#context.dialect };
  }
}

function partsOf(answer: Buffer, shape: 'json' | 'sse', codec: Codec): readonly Part[] {
  try {
    if (shape === 'sse') return streamedParts(answer, codec);
    const body: unknown = JSON.parse(answer.toString('utf8'));
    return isObject(body) ? codec.decodeResponse(body).parts : [];
  } catch {
    // the client has had the answer as it was: what we cannot read of it, we cannot keep
    return [];
  }
}

function streamedParts(answer: Buffer, codec: Codec): readonly Part[] {
  const reader = createSseReader();
  const decoder = codec.decodeStream();
  const events = [...reader.push(answer), ...reader.end()].flatMap((event) => [...decoder.push(event)]);
  return foldAll([...events, ...decoder.end()]).parts;
}
