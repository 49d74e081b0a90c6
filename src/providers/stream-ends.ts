/** What of each end of a stream is kept to read usage and outcome from. */
const END_BYTES = 8_192;
/** The finish, the token counts and `[DONE]` may be three events, and each may be longer than an end. */
const LAST_EVENTS = 3;
/** A last event may repeat the whole answer; one longer than this is read from what is left of it. */
const MAX_TAIL_BYTES = 8_388_608;

const DATA = Buffer.from('data:');

/**
 * The first and the last bytes of a stream, with a gap between them if it was long. The last events are there whole,
 * however long they are: the end of a Responses stream repeats instructions, tools and answer, Gemini's and Perplexity's
 * last chunks carry what was searched.
 */
export class StreamEnds {
  #head = Buffer.alloc(0);
  #tail: Read[] = [];
  #tailBytes = 0;
  #begun = 0;

  push(bytes: Buffer): void {
    const missing = END_BYTES - this.#head.length;
    if (missing > 0) this.#head = Buffer.concat([this.#head, bytes.subarray(0, missing)]);
    const rest = missing > 0 ? bytes.subarray(missing) : bytes;
    if (rest.length === 0) return;
    const begins = beginsEvent(rest);
    if (begins) this.#begun += 1;
    this.#tail.push({ bytes: rest, begins });
    this.#tailBytes += rest.length;
    while (this.#mayDropFirst()) this.#dropFirst();
  }

  get bytes(): Buffer {
    return Buffer.concat([this.#head, ...this.#tail.map(({ bytes }) => bytes)]);
  }

  #mayDropFirst(): boolean {
    const [first] = this.#tail;
    if (!first || this.#tailBytes - first.bytes.length < END_BYTES) return false;
    if (this.#tailBytes > MAX_TAIL_BYTES) return true;
    return this.#begun - (first.begins ? 1 : 0) >= LAST_EVENTS;
  }

  #dropFirst(): void {
    const first = this.#tail.shift();
    if (!first) return;
    this.#tailBytes -= first.bytes.length;
    if (first.begins) this.#begun -= 1;
  }
}

interface Read {
  readonly bytes: Buffer;
  readonly begins: boolean;
}

/** Whether an event begins in these bytes; nearly always at their start, so nothing is searched. */
function beginsEvent(bytes: Buffer): boolean {
  // `data:` and `event:` by their first letter and their colon
  if (bytes[0] === 0x64 && bytes[4] === 0x3a) return true;
  if (bytes[0] === 0x65 && bytes[5] === 0x3a) return true;
  return bytes.includes(DATA);
}
