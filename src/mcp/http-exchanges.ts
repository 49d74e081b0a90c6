import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { RequestId } from '@modelcontextprotocol/sdk/types.js';

/** One request on its way: from its POST to the end of the body that answers it. */
interface Exchange {
  readonly headers: Readonly<Record<string, string>>;
  readonly abort: AbortController;
  answered: boolean;
  /** The answer comes as an event stream, whose end we will see. */
  streaming: boolean;
  /** The stream gave event ids, so the SDK resumes it when it is cut. */
  resumable: boolean;
}

/**
 * Knows which HTTP request belongs to which JSON-RPC request. The SDK's transports give all requests the same headers,
 * cannot end one alone, and say nothing when a stream ends without the answer; this is what the gateway adds, seen from
 * the `fetch` that the transports use.
 */
export class HttpExchanges {
  readonly #fetch: FetchLike;
  readonly #lost: (id: RequestId, reason: string) => void;
  readonly #open = new Map<RequestId, Exchange>();

  /** `lost` is told of each request that will never be answered. */
  constructor(fetch: FetchLike, lost: (id: RequestId, reason: string) => void) {
    this.#fetch = fetch;
    this.#lost = lost;
  }

  readonly fetch: FetchLike = async (url, init) => {
    const id = init?.method === 'POST' ? requestIdOf(init.body) : undefined;
    const exchange = id === undefined ? undefined : this.#open.get(id);
    if (id === undefined || !exchange) return this.#fetch(url, init);
    const headers = new Headers(init?.headers);
    for (const [name, value] of Object.entries(exchange.headers)) if (!headers.has(name)) headers.set(name, value);
    const response = await this.#fetch(url, { ...init, headers, signal: exchange.abort.signal });
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response;
    exchange.streaming = true;
    return withBodyEnd(response, () => this.#streamEnded(id));
  };

  begin(id: RequestId, headers: Readonly<Record<string, string>>): void {
    const abort = new AbortController();
    this.#open.set(id, { headers, abort, answered: false, streaming: false, resumable: false });
  }

  resumable(id: RequestId): void {
    const exchange = this.#open.get(id);
    if (exchange) exchange.resumable = true;
  }

  answered(id: RequestId): void {
    const exchange = this.#open.get(id);
    if (exchange) exchange.answered = true;
  }

  /** The POST is over. `answersLater`: by another way (the event stream of an SSE server). */
  sent(id: RequestId, answersLater: boolean): void {
    const exchange = this.#open.get(id);
    if (!exchange || exchange.streaming) return;
    this.#open.delete(id);
    if (!exchange.answered && !answersLater) this.#lost(id, 'the server accepted the request but did not answer it');
  }

  failed(id: RequestId): void {
    this.#open.delete(id);
  }

  cancel(id: RequestId): void {
    this.#open.get(id)?.abort.abort();
    this.#open.delete(id);
  }

  cancelAll(): void {
    for (const id of this.#open.keys()) this.cancel(id);
  }

  #streamEnded(id: RequestId): void {
    // The last events are still in the SDK's pipeline, which runs on microtasks only: look after those.
    setImmediate(() => {
      const exchange = this.#open.get(id);
      if (!exchange || (exchange.resumable && !exchange.answered)) return;
      this.#open.delete(id);
      if (!exchange.answered) this.#lost(id, 'the connection ended before the answer came');
    });
  }
}

/** The id of the JSON-RPC request in a body that the SDK wrote; it writes the id last. */
function requestIdOf(body: unknown): RequestId | undefined {
  const match = typeof body === 'string' ? /"id":(\d+)\}$/.exec(body) : null;
  return match ? Number(match[1]) : undefined;
}

function withBodyEnd(response: Response, ended: () => void): Response {
  const reader = response.body?.getReader();
  if (!reader) return response;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        controller.close();
      } catch (thrown) {
        controller.error(thrown);
      }
      ended();
    },
    cancel(reason) {
      ended();
      return reader.cancel(reason);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(body, { status, statusText, headers: [...headers] });
}
