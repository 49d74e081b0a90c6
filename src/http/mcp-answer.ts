import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { McpStream } from './mcp-stream.ts';

export interface AnswerOptions {
  readonly accepts: { readonly json: boolean; readonly stream: boolean };
  readonly isBatch: boolean;
  readonly keepAliveMs: number;
}

/**
 * The answer to one POST: JSON as long as the result comes first, which is nearly always. The first notification, or
 * `keepAliveMs` of silence (proxies and clients give up on those), turns it into an event stream, for clients that
 * accept one.
 */
export class McpAnswer {
  readonly headers: OutgoingHttpHeaders = {};
  /** What runs for this answer: aborted when the client leaves. */
  readonly calls = new Set<AbortController>();
  readonly #response: ServerResponse;
  readonly #options: AnswerOptions;
  readonly #patience: NodeJS.Timeout | undefined;
  #stream: McpStream | undefined;

  constructor(response: ServerResponse, options: AnswerOptions) {
    this.#response = response;
    this.#options = options;
    if (options.accepts.stream) this.#patience = setTimeout(() => this.#openStream(), options.keepAliveMs);
    response.on('close', () => {
      clearTimeout(this.#patience);
      for (const call of this.calls) call.abort();
    });
  }

  /** Sends ahead of the result; undefined for a client that takes nothing but the result. */
  get notify(): ((message: string) => void) | undefined {
    if (!this.#options.accepts.stream) return undefined;
    return (message) => {
      if (this.#response.writable) this.#openStream().send(message);
    };
  }

  /** Ends with the answers to the requests; none when the POST held no request, or the client cancelled them all. */
  end(answers: readonly string[]): void {
    clearTimeout(this.#patience);
    if (this.#response.destroyed) return;
    if (this.#stream) this.#stream.end(answers);
    else if (answers.length === 0) this.#response.writeHead(202, this.headers).end();
    else if (this.#options.accepts.json) this.#endJson(answers);
    else this.#openStream().end(answers);
  }

  #endJson(answers: readonly string[]): void {
    const text = this.#options.isBatch ? `[${answers.join(',')}]` : (answers[0] ?? '');
    this.headers['content-type'] = 'application/json';
    this.headers['content-length'] = Buffer.byteLength(text);
    this.#response.writeHead(200, this.headers);
    this.#response.end(text);
  }

  #openStream(): McpStream {
    this.#stream ??= new McpStream(this.#response, {
      heartbeatMs: this.#options.keepAliveMs,
      headers: this.headers,
    });
    return this.#stream;
  }
}
