import type { ServerResponse } from 'node:http';
import { createSseReader } from '../codecs/sse.ts';
import { asGatewayError } from '../model/errors.ts';
import type { Frame } from '../model/event.ts';
import { drained } from './event-stream.ts';
import type { Exchange } from './reply.ts';
import { responseHeaders } from './response-headers.ts';

/**
 * Answers with one JSON array that grows by an element for each chunk: what Google's API streams to whoever does not
 * ask for `alt=sse`. A failure before the first element is thrown, after it, it is the last element.
 */
export async function replyArray(frames: AsyncIterable<Frame>, exchange: Exchange): Promise<void> {
  const { codec, response, model, asked } = exchange;
  const array = new GrowingArray(response, () => responseHeaders(exchange.context, model));
  const encode = codec.encodeStream({ model, createdAtMs: Date.now(), asked });
  try {
    for await (const frame of frames) {
      const isTaken = array.take(frame.raw ? frame.raw.bytes : Buffer.from(frame.events.map(encode).join('')));
      if (!isTaken) await drained(response);
      if (response.destroyed) return;
    }
  } catch (thrown) {
    if (!response.headersSent) throw thrown;
    if (response.destroyed) return;
    array.take(Buffer.from(codec.encodeStreamError(asGatewayError(thrown))));
  }
  array.end();
}

/** The data of server-sent events as elements of an array. */
class GrowingArray {
  readonly #response: ServerResponse;
  readonly #headers: () => string[];
  readonly #reader = createSseReader();

  constructor(response: ServerResponse, headers: () => string[]) {
    this.#response = response;
    this.#headers = headers;
  }

  /** False when the client is slower. */
  take(bytes: Uint8Array): boolean {
    return this.#write(this.#reader.push(bytes));
  }

  end(): void {
    this.#write(this.#reader.end());
    this.#response.end(this.#response.headersSent ? '\n]\n' : this.#begin('[]\n'));
  }

  #write(elements: readonly { readonly data: string }[]): boolean {
    let isTaken = true;
    for (const { data } of elements) {
      isTaken = this.#response.write(this.#response.headersSent ? `,\n${data}` : this.#begin(`[${data}`));
    }
    return isTaken;
  }

  #begin(text: string): string {
    this.#response.writeHead(200, [...this.#headers(), 'content-type', 'application/json; charset=UTF-8']);
    return text;
  }
}
