import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

export interface McpStreamOptions {
  readonly heartbeatMs: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly onHeartbeat?: () => void;
  /** Calls its argument when the stream must end early; gives what stops that. */
  readonly watch?: StreamWatch | undefined;
}

export type StreamWatch = (end: () => void) => () => void;

/** An answer as server-sent events, each JSON-RPC message one event, kept alive by comments while nothing happens. */
export class McpStream {
  readonly #response: ServerResponse;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(response: ServerResponse, { heartbeatMs, headers, onHeartbeat, watch }: McpStreamOptions) {
    this.#response = response;
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      // Or nginx holds the events back until its buffer is full.
      'x-accel-buffering': 'no',
    });
    response.flushHeaders();
    this.#heartbeat = setInterval(() => {
      response.write(': keep-alive\n\n');
      onHeartbeat?.();
    }, heartbeatMs);
    response.once('close', () => clearInterval(this.#heartbeat));
    const unwatch = watch?.(() => this.end());
    if (unwatch) response.once('close', unwatch);
  }

  /** `message` is JSON text on one line. */
  send(message: string): void {
    this.write(eventText(message));
  }

  /** Text of an event, as it goes out. */
  write(text: string): void {
    if (this.#response.writable) this.#response.write(text);
  }

  /** Ends with these messages, in one write. */
  end(messages: readonly string[] = []): void {
    clearInterval(this.#heartbeat);
    this.#response.end(messages.map(eventText).join(''));
  }
}

const eventText = (message: string): string => `event: message\ndata: ${message}\n\n`;
