import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { EventLog } from '../mcp/server/event-log.ts';
import type { AnswerWay } from '../mcp/server/exchange.ts';
import { McpStream, type StreamWatch } from './mcp-stream.ts';

export interface AnswerOptions {
  readonly accepts: { readonly json: boolean; readonly stream: boolean };
  readonly isBatch: boolean;
  readonly keepAliveMs: number;
  /** Keeps the events for a client that comes back; absent where it has no session to come back to. */
  readonly openLog?: (() => EventLog) | undefined;
  /** Whether the client knows streams that begin with an event without data, and may be told to poll. */
  readonly primes?: boolean;
  /** Where whoever asks may lose the right to it while the answer is made. */
  readonly watch?: StreamWatch | undefined;
}

/** For servers that did not say after how long. */
const RETRY_MS = 1_000;

/**
 * The answer to one POST: JSON as long as the result comes first, which is nearly always. The first notification, or
 * `keepAliveMs` of silence (proxies and clients give up on those), turns it into an event stream, for clients that
 * accept one.
 */
export class McpAnswer implements AnswerWay {
  readonly headers: OutgoingHttpHeaders = {};
  /** Of an answer that is one JSON text; a stream has begun well. */
  status = 200;
  /** What runs for this answer: aborted when the client leaves. */
  readonly calls = new Set<AbortController>();
  readonly #response: ServerResponse;
  readonly #options: AnswerOptions;
  readonly #patience: NodeJS.Timeout | undefined;
  #stream: McpStream | undefined;
  #log: EventLog | undefined;

  constructor(response: ServerResponse, options: AnswerOptions) {
    this.#response = response;
    this.#options = options;
    if (options.accepts.stream) this.#patience = setTimeout(() => this.#openStream(), options.keepAliveMs);
    response.on('close', () => {
      clearTimeout(this.#patience);
      // A stream that can be resumed was perhaps only lost: its calls run on until nobody comes back for them.
      if (this.#log && this.#stream) this.#log.detach(this.#stream);
      else this.#abort();
    });
  }

  /** Sends ahead of the result; undefined for a client that takes nothing but the result. */
  get notify(): ((message: string) => void) | undefined {
    if (!this.#options.accepts.stream) return undefined;
    return (message) => {
      if (!this.#log && !this.#response.writable) return;
      const stream = this.#openStream();
      if (this.#log) this.#log.append(message);
      else stream.send(message);
    };
  }

  /** Ends the connection while the calls run on; the client comes back for their answers. */
  get pause(): ((retryMs: number | undefined) => void) | undefined {
    const { accepts, openLog, primes } = this.#options;
    if (!accepts.stream || !openLog || !primes) return undefined;
    return (retryMs) => {
      if (!this.#log && !this.#response.writable) return;
      this.#openStream();
      this.#log?.pause(retryMs ?? RETRY_MS);
    };
  }

  /** Ends with the answers to the requests; none when the POST held no request, or the client cancelled them all. */
  end(answers: readonly string[]): void {
    clearTimeout(this.#patience);
    if (!this.#log && this.#response.destroyed) return;
    if (this.#stream) this.#endStream(answers);
    else if (answers.length === 0) this.#response.writeHead(202, this.headers).end();
    else if (this.#options.accepts.json) this.#endJson(answers);
    else this.#endStream(answers);
  }

  #endStream(answers: readonly string[]): void {
    const stream = this.#openStream();
    if (!this.#log) {
      stream.end(answers);
      return;
    }
    for (const answer of answers) this.#log.append(answer);
    this.#log.end();
  }

  #endJson(answers: readonly string[]): void {
    const text = this.#options.isBatch ? `[${answers.join(',')}]` : (answers[0] ?? '');
    this.headers['content-type'] = 'application/json';
    this.headers['content-length'] = Buffer.byteLength(text);
    this.#response.writeHead(this.status, this.headers);
    this.#response.end(text);
  }

  #openStream(): McpStream {
    if (this.#stream) return this.#stream;
    const { keepAliveMs, openLog, primes, watch } = this.#options;
    this.#stream = new McpStream(this.#response, { heartbeatMs: keepAliveMs, headers: this.headers, watch });
    this.#log = openLog?.();
    if (!this.#log) return this.#stream;
    this.#log.onabandoned = () => this.#abort();
    this.#log.attach(this.#stream, 0);
    if (primes) this.#log.prime();
    return this.#stream;
  }

  #abort(): void {
    for (const call of this.calls) call.abort();
  }
}
