import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import { CausedMessages } from './caused-messages.ts';
import type { ServerMessage } from './gateway-transport.ts';
import type { Flight, Origin } from './peer.ts';

/** One request on its way: from its POST to the end of the body that answers it. */
interface Exchange {
  readonly flight: Flight;
  readonly abort: AbortController;
  answered: boolean;
  /** The answer comes as an event stream, whose end we will see. */
  streaming: boolean;
  /** The stream gave event ids, so the SDK resumes it when it is cut. */
  resumable: boolean;
  lastEventId: string | undefined;
  /** After which the server wants the stream resumed. */
  retryMs: number | undefined;
}

export interface ExchangeEvents {
  /** No answer will ever come to this request. */
  lost(id: RequestId, reason: string): void;
  /** The server asked or said something on the stream that answers a call of this origin. */
  caused(message: ServerMessage, origin: Origin | undefined): void;
}

/**
 * Knows which HTTP request belongs to which JSON-RPC request. The SDK's transports give all requests the same headers,
 * cannot end one alone, and say nothing when a stream ends without the answer; this is what the gateway adds, seen from
 * the `fetch` that the transports use.
 */
export class HttpExchanges {
  readonly #fetch: FetchLike;
  readonly #events: ExchangeEvents;
  readonly #open = new Map<RequestId, Exchange>();

  constructor(fetch: FetchLike, events: ExchangeEvents) {
    this.#fetch = fetch;
    this.#events = events;
  }

  readonly fetch: FetchLike = async (url, init) => {
    if (init?.method !== 'POST') return this.#resumed(url, init);
    const id = requestIdOf(init.body);
    const exchange = id === undefined ? undefined : this.#open.get(id);
    if (id === undefined || !exchange) return this.#fetch(url, init);
    const headers = new Headers(init?.headers);
    for (const [name, value] of Object.entries(exchange.flight.headers))
      if (!headers.has(name)) headers.set(name, value);
    const response = await this.#fetch(url, { ...init, headers, signal: exchange.abort.signal });
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response;
    exchange.streaming = true;
    return this.#read(response, exchange, () => this.#streamEnded(id));
  };

  /** A stream that goes on where the one of a call was cut belongs to that call. */
  async #resumed(url: string | URL, init: RequestInit | undefined): Promise<Response> {
    const response = await this.#fetch(url, init);
    const lastEventId = new Headers(init?.headers).get('last-event-id');
    if (lastEventId === null || !response.ok) return response;
    for (const exchange of this.#open.values()) {
      if (exchange.lastEventId === lastEventId) return this.#read(response, exchange, () => undefined);
    }
    return response;
  }

  #read(response: Response, exchange: Exchange, ended: () => void): Response {
    const caused = new CausedMessages({
      message: (message) => this.#events.caused(message, exchange.flight.origin),
      eventId: (id) => {
        exchange.lastEventId = id;
      },
      retry: (ms) => {
        exchange.retryMs = ms;
      },
    });
    return withBodyEnd(response, caused, ended);
  }

  begin(id: RequestId, flight: Flight): void {
    const abort = new AbortController();
    this.#open.set(id, {
      flight,
      abort,
      answered: false,
      streaming: false,
      resumable: false,
      lastEventId: undefined,
      retryMs: undefined,
    });
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
    if (!exchange.answered && !answersLater)
      this.#events.lost(id, 'the server accepted the request but did not answer it');
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
      if (!exchange) return;
      if (exchange.resumable && !exchange.answered) {
        exchange.flight.origin?.peer?.pause?.(exchange.retryMs);
        return;
      }
      this.#open.delete(id);
      if (!exchange.answered) this.#events.lost(id, 'the connection ended before the answer came');
    });
  }
}

/** The id of the JSON-RPC request in a body that the SDK wrote; it writes the id last. */
function requestIdOf(body: unknown): RequestId | undefined {
  const match = typeof body === 'string' ? /"id":(\d+)\}$/.exec(body) : null;
  return match ? Number(match[1]) : undefined;
}

function withBodyEnd(response: Response, caused: CausedMessages, ended: () => void): Response {
  const reader = response.body?.getReader();
  if (!reader) return response;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        // A pull that gives nothing would not be repeated.
        for (;;) {
          const { done, value } = await reader.read();
          const passed = done ? caused.end() : caused.push(value);
          if (passed.length > 0) controller.enqueue(passed);
          if (done) break;
          if (passed.length > 0) return;
        }
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
