import type { ServerResponse } from 'node:http';
import type { Framing } from '../codecs/codec.ts';
import { atTurnEnd } from '../model/turn-end.ts';

export interface KeepAliveTiming {
  /** A stream that was silent for this long gets a keep-alive at the next check. */
  readonly silenceMs: number;
  readonly checkEveryMs: number;
}

/** So no open stream is silent for long (Claude Code shows a stall at 20 s and gives up at 300). */
const DEFAULT_TIMING: KeepAliveTiming = { silenceMs: 10_000, checkEveryMs: 2_500 };

/** Keeps open streams alive with one timer for all of them. */
export class KeepAlive {
  readonly #streams = new Set<EventStream>();
  readonly #timer: NodeJS.Timeout;

  constructor({ silenceMs, checkEveryMs } = DEFAULT_TIMING) {
    this.#timer = setInterval(() => {
      for (const stream of this.#streams) {
        stream.silentChecks += 1;
        // the first of them came at some time between two checks
        if ((stream.silentChecks - 1) * checkEveryMs >= silenceMs) stream.keepAlive();
      }
    }, checkEveryMs);
    this.#timer.unref();
  }

  get open(): number {
    return this.#streams.size;
  }

  watch(stream: EventStream): void {
    this.#streams.add(stream);
  }

  forget(stream: EventStream): void {
    this.#streams.delete(stream);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/**
 * One streamed answer, in server-sent events or another framing. Headers go out with the first bytes, so that an error
 * before them can still be a status; a client that has waited long gets them early, with a keep-alive. Honours back
 * pressure.
 */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #headers: () => string[];
  readonly #keepAlive: string;
  readonly #contentType: string;
  /** Absent for server-sent events, which are written as they come. */
  readonly #frames: ((piece: Uint8Array | string) => Uint8Array) | undefined;
  /** Between two events, where a keep-alive may stand. */
  #atBoundary = true;
  /** How often it was looked at since something was written: counted, as clocks may be set. */
  silentChecks = 0;

  /** `headers` gives further names and values in turn, in an array of its own. */
  constructor(response: ServerResponse, keepAlive: string, headers: () => string[], framing?: Framing) {
    this.#response = response;
    this.#keepAlive = keepAlive;
    this.#headers = headers;
    this.#contentType = framing?.contentType ?? 'text/event-stream; charset=utf-8';
    this.#frames = framing?.writer();
  }

  /** Writes whole events or a piece of the upstream's own bytes; gives a promise only when the client is slower. */
  write(given: Uint8Array | string): Promise<void> | undefined {
    const piece = this.#frames ? this.#frames(given) : given;
    if (piece.length === 0) return undefined;
    this.silentChecks = 0;
    // frames are made whole
    this.#atBoundary = this.#frames !== undefined || endsEvent(piece);
    const mayGoOn = this.#response.headersSent ? this.#writeWithTurn(piece) : this.#writeAtOnce(piece);
    return mayGoOn ? undefined : drained(this.#response);
  }

  keepAlive(): void {
    if (!this.#atBoundary || this.#response.destroyed || this.#response.writableNeedDrain) return;
    this.#begin();
    this.silentChecks = 0;
    this.#response.write(this.#frames ? this.#frames(this.#keepAlive) : this.#keepAlive);
  }

  end(piece = ''): void {
    this.#begin();
    // blank lines end what the upstream left unfinished
    const text = piece && (this.#frames || !this.#atBoundary) ? `\n\n${piece}` : piece;
    this.#response.end(this.#frames ? this.#frames(text) : text);
  }

  /** What comes first is what the client waits for: it goes out before anything else is done. */
  #writeAtOnce(piece: Uint8Array | string): boolean {
    const { socket } = this.#response;
    this.#begin();
    socket?.cork();
    const mayGoOn = this.#response.write(piece);
    socket?.uncork();
    return mayGoOn;
  }

  /** What this turn brings goes out in one piece. */
  #writeWithTurn(piece: Uint8Array | string): boolean {
    const { socket } = this.#response;
    if (socket && socket.writableCorked === 0) {
      socket.cork();
      atTurnEnd(() => socket.uncork());
    }
    return this.#response.write(piece);
  }

  #begin(): void {
    if (this.#response.headersSent) return;
    const headers = this.#headers();
    headers.push('content-type', this.#contentType, 'cache-control', 'no-cache');
    // or nginx holds the stream back
    headers.push('x-accel-buffering', 'no');
    this.#response.writeHead(200, headers);
  }
}

function endsEvent(piece: Uint8Array | string): boolean {
  if (typeof piece === 'string') return piece.endsWith('\n\n');
  const { length } = piece;
  const last = piece[length - 1];
  // LF LF, CR LF CR LF or CR CR end an event
  return (last === 0x0a || last === 0x0d) && (piece[length - 2] === last || piece[length - 3] === last);
}

/** Once the client has taken what was written, or has gone. */
export function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}
