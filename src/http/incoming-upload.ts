import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from '../model/errors.ts';
import type { Upload } from '../model/operation.ts';
import { StreamBody } from '../providers/direct-response.ts';
import { tooLarge } from './request-body.ts';

const NOTHING: Buffer = Buffer.alloc(0);

/** Bodies up to this size are kept, so that a request which failed can be sent again. */
export const KEPT_BYTES = 256 * 1024;

/** A client's body on its way through: it is paused while the provider is behind, and read away once nobody wants it. */
export class IncomingUpload implements Upload {
  length: number | undefined;
  isBegun = false;
  isComplete = false;
  heldBytes = 0;
  #held: Buffer[] = [];
  #comeBytes = 0;
  readonly #mostBytes: number;
  readonly #body: StreamBody;

  /** `response`: nobody wants the rest once it is out. Past `mostBytes` the body is too large. */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    length: number | undefined,
    mostBytes = Number.POSITIVE_INFINITY,
  ) {
    this.length = length;
    this.#mostBytes = mostBytes;
    const body = new StreamBody({ pause: () => request.pause(), resume: () => request.resume(), abort: () => {} });
    this.#body = body;
    const accept = (chunk: Buffer) => body.push(chunk);
    const brokenOff = (cause?: unknown) =>
      body.fail(new GatewayError('cancelled', 'the client broke off its request', { cause }));
    request.on('data', accept);
    request.on('end', () => body.end());
    request.on('error', brokenOff);
    request.on('close', () => {
      if (!request.complete) brokenOff();
    });
    response.on('finish', () => {
      request.off('data', accept);
      body.fail(new GatewayError('cancelled', 'the answer came before the request was complete'));
      request.resume();
    });
  }

  /** Holds another piece; false when all have come. */
  async more(): Promise<boolean> {
    const piece = await this.#read();
    if (!piece) {
      this.isComplete = true;
      return false;
    }
    this.#held.push(piece);
    this.heldBytes += piece.length;
    return true;
  }

  /** What is held so far. */
  begun(): Buffer {
    if (this.#held.length > 1) this.#held = [Buffer.concat(this.#held)];
    return this.#held[0] ?? NOTHING;
  }

  /** Other bytes in place of those held so far. */
  replaceBegun(bytes: Buffer): void {
    if (this.length !== undefined) this.length += bytes.length - this.heldBytes;
    this.heldBytes = bytes.length;
    this.#held = [bytes];
  }

  async #read(): Promise<Buffer | undefined> {
    const piece = await this.#body.read();
    this.#comeBytes += piece?.length ?? 0;
    if (this.#comeBytes > this.#mostBytes) throw tooLarge(this.#mostBytes);
    return piece;
  }

  async *pieces(): AsyncGenerator<Uint8Array, void> {
    this.isBegun = true;
    const held = this.begun();
    this.#held = [];
    if (held.length > 0) yield held;
    for (let piece = await this.#read(); piece; piece = await this.#read()) yield piece;
  }
}
