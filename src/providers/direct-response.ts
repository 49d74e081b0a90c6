import { GatewayError } from '../model/errors.ts';

/** Bytes that may wait in memory before the upstream is asked to pause. */
const HIGH_WATER_BYTES = 65_536;

/** The way back to the connection that a body comes from. */
export interface BodySource {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

/**
 * Response headers as the vendors' SDKs read them. All of it is private, because an SDK lists the fields of an object
 * of a class it does not know for a debug log that is off.
 */
export class DirectHeaders {
  readonly #record: Readonly<Record<string, string>>;
  #response: DirectResponse | undefined;

  constructor(record: Readonly<Record<string, string>>) {
    this.#record = record;
  }

  /** By lower-case names. */
  get record(): Readonly<Record<string, string>> {
    return this.#record;
  }

  /** What they came with; set by it. */
  get response(): DirectResponse | undefined {
    return this.#response;
  }

  set response(response: DirectResponse) {
    this.#response = response;
  }

  get(name: string): string | null {
    return this.record[name.toLowerCase()] ?? null;
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  entries(): IterableIterator<[string, string]> {
    return Object.entries(this.record)[Symbol.iterator]();
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }
}

/**
 * A body that grows while it is read: pushed by the connection, pulled by one reader. The connection is paused while
 * the reader is behind, so a slow client slows its upstream instead of filling our memory.
 */
export class StreamBody {
  readonly #source: BodySource;
  #chunks: Buffer[] = [];
  #waitingBytes = 0;
  #paused = false;
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  /** Told what is read, where somebody wants to see it. */
  onRead: ((bytes: Buffer) => void) | undefined;

  constructor(source: BodySource) {
    this.#source = source;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#waitingBytes += chunk.length;
    if (!this.#paused && this.#waitingBytes > HIGH_WATER_BYTES) {
      this.#paused = true;
      this.#source.pause();
    }
    this.#wakeReader();
  }

  end(): void {
    this.#ended = true;
    this.#wakeReader();
  }

  /** What already came is still read first. */
  fail(failure: Error): void {
    this.#failure ??= failure;
    this.end();
  }

  /**
   * All that came since the last read as one piece, undefined at the end. Chunks of one socket read come together,
   * because the reader wakes only after the parser has handed over all of them.
   */
  async read(): Promise<Buffer | undefined> {
    if (this.#chunks.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#chunks.length > 0) return this.#take();
    if (this.#failure) throw this.#failure;
    return undefined;
  }

  /** Ends the upstream request; a read under way or to come throws `reason`. */
  cancel(reason: Error): void {
    if (this.#ended) return;
    this.fail(reason);
    this.#source.abort(reason);
  }

  #take(): Buffer | undefined {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#waitingBytes = 0;
    if (this.#paused) {
      this.#paused = false;
      this.#source.resume();
    }
    const read = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    if (read && this.onRead) this.onRead(read);
    return read;
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

/** The response whose headers these are: an SDK's error keeps the headers object but not the body as it came. */
export const responseOf = (headers: unknown): DirectResponse | undefined =>
  headers instanceof DirectHeaders ? headers.response : undefined;

/**
 * The part of a WHATWG Response that the vendors' SDKs read. An event stream has `stream`; any other answer was
 * collected whole and is in `bytes`.
 */
export class DirectResponse {
  readonly status: number;
  readonly statusText: string;
  readonly url: string;
  readonly headers: DirectHeaders;
  readonly stream: StreamBody | undefined;
  readonly bytes: Buffer;

  constructor(
    head: { status: number; statusText: string; url: string; headers: DirectHeaders },
    body: StreamBody | Buffer,
  ) {
    this.status = head.status;
    this.statusText = head.statusText;
    this.url = head.url;
    this.headers = head.headers;
    this.stream = body instanceof StreamBody ? body : undefined;
    this.bytes = body instanceof StreamBody ? Buffer.alloc(0) : body;
    // not in a WeakMap: what a scavenge finds in an old one lives on, so every answer did until a full collection
    this.headers.response = this;
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get body(): StreamBody | null {
    return this.stream ?? null;
  }

  async text(): Promise<string> {
    return this.bytes.toString('utf8');
  }

  async json(): Promise<unknown> {
    return JSON.parse(this.bytes.toString('utf8'));
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return new Uint8Array(this.bytes).buffer;
  }
}

/** What an SDK gave back is what our fetch gave it. */
export function asDirectResponse(response: unknown): DirectResponse {
  if (response instanceof DirectResponse) return response;
  throw new GatewayError('internal', 'a vendor SDK answered with a response that did not come from our fetch');
}
