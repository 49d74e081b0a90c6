import { later } from '../timing.ts';

/** Where the events of a log go while somebody reads it: an open response. */
export interface EventSink {
  write(text: string): void;
  end(): void;
}

/** What a session may hold for clients that come back; beyond it the oldest events are forgotten. */
const MAX_LOGS = 32;
const MAX_EVENTS = 1_000;
const MAX_BYTES = 4 * 1024 * 1024;

interface Kept {
  readonly number: number;
  readonly text: string;
}

/**
 * The events of one stream of one session, numbered, so that a client that lost its connection reads on where it was
 * (MCP transports, resumability). Events are kept for a while whether somebody reads them or not.
 */
export class EventLog {
  readonly id: number;
  /** Nobody came back in time. */
  onabandoned: (() => void) | undefined;
  readonly #graceMs: number;
  #waiting: NodeJS.Timeout | undefined;
  readonly #kept: Kept[] = [];
  #bytes = 0;
  #last = 0;
  #sink: EventSink | undefined;
  #isEnded = false;

  constructor(id: number, graceMs: number) {
    this.id = id;
    this.#graceMs = graceMs;
  }

  get isRead(): boolean {
    return this.#sink !== undefined;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  append(message: string): void {
    this.#last += 1;
    const text = `id: ${this.id}-${this.#last}\nevent: message\ndata: ${message}\n\n`;
    this.#keep({ number: this.#last, text });
    this.#sink?.write(text);
  }

  /** An event without a message: from it on the stream can be resumed. */
  prime(): void {
    this.#last += 1;
    this.#sink?.write(`id: ${this.id}-${this.#last}\ndata: \n\n`);
  }

  /** Reads on behind event `after`; whoever read before is let go. */
  attach(sink: EventSink, after: number): void {
    clearTimeout(this.#waiting);
    this.#sink?.end();
    this.#sink = sink;
    for (const { number, text } of this.#kept) if (number > after) sink.write(text);
    if (this.#isEnded) this.#let();
  }

  /** The reader has gone. True when it was the one that read. */
  detach(sink: EventSink): boolean {
    if (this.#sink !== sink) return false;
    this.#sink = undefined;
    this.#wait();
    return true;
  }

  /** Closes the connection; the stream goes on for whoever comes back after `retryMs`. */
  pause(retryMs: number): void {
    this.#sink?.write(`retry: ${retryMs}\n\n`);
    this.#let();
    this.#wait();
  }

  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#waiting);
    this.#let();
  }

  #wait(): void {
    clearTimeout(this.#waiting);
    if (!this.#isEnded) this.#waiting = later(this.#graceMs, () => this.onabandoned?.());
  }

  #let(): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.end();
  }

  #keep(event: Kept): void {
    this.#kept.push(event);
    this.#bytes += event.text.length;
    // the newest stays whatever its size: it may be the answer
    while (this.#kept.length > 1 && (this.#kept.length > MAX_EVENTS || this.#bytes > MAX_BYTES)) {
      this.#bytes -= this.#kept.shift()?.text.length ?? 0;
    }
  }
}

/** The streams of one session, the oldest of which are forgotten. */
export class EventLogs {
  readonly #logs = new Map<number, EventLog>();
  #lastId = 0;

  /** `graceMs`: how long a reader may be away before the stream is given up. */
  open(graceMs: number): EventLog {
    this.#lastId += 1;
    const log = new EventLog(this.#lastId, graceMs);
    this.#logs.set(log.id, log);
    if (this.#logs.size > MAX_LOGS) this.#forgetOldest();
    return log;
  }

  /** The stream that an event belongs to, and the event's number in it. */
  find(eventId: string): { readonly log: EventLog; readonly number: number } | undefined {
    const [, id, number] = /^(\d+)-(\d+)$/.exec(eventId) ?? [];
    const log = this.#logs.get(Number(id));
    return log && { log, number: Number(number) };
  }

  #forgetOldest(): void {
    for (const log of this.#logs.values()) {
      if (!log.isEnded) continue;
      this.#logs.delete(log.id);
      return;
    }
    const [oldest] = this.#logs.keys();
    if (oldest !== undefined) this.#logs.delete(oldest);
  }
}
