import { STATUS_CODES } from 'node:http';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { GatewayError } from '../model/errors.ts';
import { ownValue } from '../model/json.ts';
import { atTurnEnd } from '../model/turn-end.ts';
import type { AnswerMode, CancellableInit } from './cancellation.ts';
import { CONNECT_TIMEOUT_MS, type NetworkOptions, openConnections } from './connections.ts';
import { type Decoder, decoderOf } from './content-encoding.ts';
import { type BodySource, DirectHeaders, DirectResponse, StreamBody } from './direct-response.ts';
import { wireOf } from './wire-of.ts';

// The only file that talks to providers over the network. A vendor SDK given this `fetch` costs a sixth of what it
// costs with Node's own, because nothing of the WHATWG machinery (streams, Request, Response) is built per request.

export type Fetch = (url: string | URL | Request, init?: CancellableInit) => Promise<Response>;

/** What is held whole: pictures and sound stay far below it, and one string of V8 holds twice as much. */
const MOST_BYTES = 256 * 1024 * 1024;

export interface Network {
  /** A fetch for vendor SDKs. Rejects with GatewayError('network') when no answer came. */
  fetchWith(options: NetworkOptions): Fetch;
  close(): Promise<void>;
}

/**
 * Owns the connections: one pool for each origin and set of options. Of an answer that is no stream, no more than
 * `mostBytes` is held.
 */
export function createNetwork(mostBytes = MOST_BYTES): Network {
  const pools = new Map<string, Dispatcher>();

  const poolsWith = (options: NetworkOptions) => {
    const { maxConnections, insecureSkipVerify, caCertPem, proxy, keepAliveMs, http2 } = options;
    const kind = JSON.stringify([maxConnections, insecureSkipVerify, caCertPem, proxy, keepAliveMs, http2]);
    return (origin: string): Dispatcher => {
      const id = `${origin} ${kind}`;
      const known = pools.get(id);
      if (known) return known;
      const pool = openConnections(origin, options);
      pools.set(id, pool);
      return pool;
    };
  };

  return {
    fetchWith: (options) => {
      const poolOf = poolsWith(options);
      return (url, init) => directFetch(poolOf, mostBytes, url, init);
    },
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
      pools.clear();
    },
  };
}

function directFetch(
  poolOf: (origin: string) => Dispatcher,
  mostBytes: number,
  url: string | URL | Request,
  init: CancellableInit = {},
): Promise<Response> {
  const address = init.exactUrl ?? (typeof url === 'string' ? url : url instanceof URL ? url.href : url.url);
  const [origin, path] = splitAddress(address);
  return new Promise((resolve, reject) => {
    // A signal costs more than the rest of this function; whoever has a cancellation needs none
    const signal = init.cancellation ? undefined : (init.signal ?? undefined);
    const exchange = new Exchange(address, origin, resolve, reject, signal, init.answerMode, mostBytes);
    init.cancellation?.onFire((reason) => exchange.abort(reason));
    if (exchange.aborted) return;
    const pool = poolOf(origin);
    const request = {
      origin,
      path,
      method: init.method?.toUpperCase() ?? 'GET',
      headers: wireOf(init.headers),
      body: init.upload ? streamed(init.upload) : bodyOf(init.body),
    };
    atTurnEnd(() => {
      if (!exchange.aborted) pool.dispatch(request, exchange);
    });
  });
}

function splitAddress(address: string): [origin: string, path: string] {
  const slash = address.indexOf('/', address.indexOf('://') + 3);
  return slash < 0 ? [address, '/'] : [address.slice(0, slash), address.slice(slash)];
}

/** undici sends whatever can be iterated, and waits while the socket is full; its types name fewer. */
const streamed = (upload: AsyncIterable<Uint8Array>) => upload as unknown as Readable;

function bodyOf(body: RequestInit['body']): string | Uint8Array | null {
  if (body === undefined || body === null) return null;
  if (typeof body === 'string' || body instanceof Uint8Array) return body;
  throw new GatewayError('internal', 'only text and bytes are sent to providers');
}

/** Server-sent events, and the frames of AWS. */
const EVENT_STREAM = /event-?stream/;
/** What a stream of frames never is. */
const READABLE = /json|^text\//;

/** One request and its answer, as undici calls back about it. */
class Exchange implements Dispatcher.DispatchHandler, BodySource {
  readonly #url: string;
  readonly #origin: string;
  readonly #resolve: (response: Response) => void;
  readonly #reject: (reason: Error) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #mode: AnswerMode | undefined;
  readonly #mostBytes: number;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #controller: Dispatcher.DispatchController | undefined;
  #head: { status: number; statusText: string; url: string; headers: DirectHeaders } | undefined;
  #stream: StreamBody | undefined;
  #decoder: Decoder | undefined;
  #abortReason: Error | undefined;

  constructor(
    url: string,
    origin: string,
    resolve: (response: Response) => void,
    reject: (reason: Error) => void,
    signal: AbortSignal | undefined,
    mode: AnswerMode | undefined,
    mostBytes: number,
  ) {
    this.#url = url;
    this.#origin = origin;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = signal;
    this.#mode = mode;
    this.#mostBytes = mostBytes;
    if (signal?.aborted) this.handleEvent();
    else signal?.addEventListener('abort', this, { once: true });
  }

  get aborted(): boolean {
    return this.#abortReason !== undefined;
  }

  /** The signal fired. */
  handleEvent(): void {
    this.abort(new DOMException('the request was aborted', 'AbortError'));
  }

  abort(reason: Error): void {
    this.#abortReason ??= reason;
    this.#controller?.abort(reason);
    this.#fail(reason);
  }

  pause(): void {
    if (this.#decoder) this.#decoder.pause();
    else this.#controller?.pause();
  }

  resume(): void {
    if (this.#decoder) this.#decoder.resume();
    else this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#abortReason) controller.abort(this.#abortReason);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    const record = joined(headers);
    this.#head = { status, statusText: STATUS_CODES[status] ?? '', url: this.#url, headers: new DirectHeaders(record) };
    const encoding = record['content-encoding']?.trim().toLowerCase();
    if (encoding && encoding !== 'identity' && this.#mode !== 'untouched') {
      this.#decoder = this.#decoderOf(encoding, controller);
      if (!this.#decoder) {
        this.abort(new GatewayError('bad-response', unasked(this.#origin, encoding)));
        return;
      }
    }
    if (this.#comesAsStream(status, record['content-type'])) {
      this.#stream = new StreamBody(this);
      this.#resolve(asFetchResponse(new DirectResponse(this.#head, this.#stream)));
    }
  }

  #comesAsStream(status: number, contentType = ''): boolean {
    if (this.#mode === 'untouched') return true;
    if (status >= 300) return false;
    if (this.#mode === 'streamed' || EVENT_STREAM.test(contentType)) return true;
    return this.#mode === 'framed' && !READABLE.test(contentType);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#decoder) this.#decoder.write(chunk);
    else this.#accept(chunk);
  }

  onResponseEnd(): void {
    if (this.#decoder) this.#decoder.end();
    else this.#finish();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(this.#abortReason ?? connectionError(this.#origin, error, this.#head !== undefined));
  }

  #decoderOf(encoding: string, controller: Dispatcher.DispatchController): Decoder | undefined {
    return decoderOf(encoding, controller, {
      data: (chunk) => this.#accept(chunk),
      end: () => this.#finish(),
      error: (cause) =>
        this.abort(new GatewayError('bad-response', `${this.#origin} sent a broken ${encoding} body`, { cause })),
    });
  }

  #accept(chunk: Buffer): void {
    const head = this.#head;
    if (!this.#stream && head && head.status < 300 && this.#chunks.length === 0 && beginsEvents(chunk)) {
      this.#stream = new StreamBody(this);
      this.#resolve(asFetchResponse(new DirectResponse(head, this.#stream)));
    }
    if (this.#stream) this.#stream.push(chunk);
    else this.#keep(chunk);
  }

  /** Counted as it is once decoded: a small bomb is large as well. */
  #keep(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#mostBytes) this.#chunks.push(chunk);
    else if (!this.aborted) this.abort(new GatewayError('bad-response', endless(this.#origin, this.#mostBytes)));
  }

  #finish(): void {
    this.#signal?.removeEventListener('abort', this);
    if (this.#stream) this.#stream.end();
    else atTurnEnd(() => this.#answer());
  }

  #answer(): void {
    if (this.#head) this.#resolve(asFetchResponse(new DirectResponse(this.#head, this.#collected())));
  }

  #collected(): Buffer {
    const [only] = this.#chunks;
    return this.#chunks.length === 1 && only ? only : Buffer.concat(this.#chunks);
  }

  #fail(reason: Error): void {
    this.#signal?.removeEventListener('abort', this);
    if (this.#stream) this.#stream.fail(reason);
    else this.#reject(reason);
  }
}

/** Some servers and proxies send events without saying so, or as plain text or JSON; no JSON begins like them. */
const beginsEvents = (chunk: Buffer): boolean => /^(data:|event:|: )/.test(chunk.toString('latin1', 0, 6));

const endless = (origin: string, mostBytes: number): string =>
  `${origin} sent more than ${mostBytes} bytes of an answer that is no stream, and is not listened to any longer; look at what answers there`;

const unasked = (origin: string, encoding: string): string =>
  `${origin} sent its answer in the encoding "${encoding}", which was not asked for and cannot be read here; switch it off there`;

function joined(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const record: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) record[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return record;
}

// The SDKs read status, ok, headers, body, text(), json() and arrayBuffer() of a response, and DirectResponse has those
const asFetchResponse = (response: DirectResponse): Response => response as unknown as Response;

const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'ECONNREFUSED; is it running?',
  ENOTFOUND: 'ENOTFOUND: its name does not resolve; check base_url',
  EAI_AGAIN: 'EAI_AGAIN: name lookup failed; check the network',
  ECONNRESET: 'ECONNRESET: it closed the connection',
  EPIPE: 'EPIPE: it closed the connection',
  UND_ERR_SOCKET: 'it closed the connection',
  // The SDKs take every message with "timeout" in it for one of their own timeouts, so the word is avoided
  UND_ERR_CONNECT_TIMEOUT: `no connection within ${CONNECT_TIMEOUT_MS / 1_000} s; check base_url and the network`,
  UND_ERR_HEADERS_OVERFLOW: 'its headers are larger than 128 KB; look at what answers there',
  ETIMEDOUT: 'no connection; check base_url and the network',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'its certificate is self-signed; trust it with NODE_EXTRA_CA_CERTS, or set network_config.insecure_skip_verify',
  SELF_SIGNED_CERT_IN_CHAIN:
    'its certificate chain is self-signed; trust it with NODE_EXTRA_CA_CERTS, or set network_config.insecure_skip_verify',
};

/** Says what broke and at which origin: never a path, a query or a header, where keys may be. */
function connectionError(origin: string, error: Error, answered: boolean): GatewayError {
  const code = codeOf(error);
  const why =
    proxysWords(error) ?? unaskedAnswer(error) ?? ownValue(ADVICE, code ?? '') ?? code ?? 'the connection failed';
  const what = answered ? `the answer of ${origin} was cut` : `could not reach ${origin}`;
  return new GatewayError('network', `${what}: ${why}`, { cause: error, ...(code && { code }) });
}

/** What undici says when the proxy does not let through. */
function proxysWords({ message }: Error): string | undefined {
  const status = /^Proxy response \((\d+)\)/.exec(message)?.[1];
  return (
    status && `the proxy answered ${status}; check proxy_config${status === '407' ? ', its username and password' : ''}`
  );
}

/** undici reads 102 and 103 before an answer, and ends the connection over a 100 that it did not ask for (7.30). */
const unaskedAnswer = ({ message }: Error): string | undefined =>
  message === 'bad response'
    ? 'it sent "100 Continue", which nobody asked for and which cannot be read here; switch it off there, or put a proxy in between'
    : undefined;

function codeOf(error: Error): string | undefined {
  if ('code' in error && typeof error.code === 'string') return error.code;
  const [first] = error instanceof AggregateError ? error.errors : [];
  return first instanceof Error ? codeOf(first) : undefined;
}
