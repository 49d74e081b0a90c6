const NEWLINE = 10;

/**
 * Cuts a byte stream into lines. Bytes of an unfinished line are kept in pieces and joined once, so that one line of
 * many megabytes costs its own length and not its square. Throws when a line outgrows `maxBytes`.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(this.#finish(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    return lines;
  }

  #keep(piece: Buffer): void {
    this.#size += piece.length;
    if (this.#size > this.#maxBytes) {
      this.#pieces = [];
      this.#size = 0;
      throw new Error(`the server wrote a line of more than ${this.#maxBytes} bytes`);
    }
    this.#pieces.push(piece);
  }

  #finish(piece: Buffer): string {
    if (this.#pieces.length === 0) return piece.toString('utf8');
    const line = Buffer.concat([...this.#pieces, piece]).toString('utf8');
    this.#pieces = [];
    this.#size = 0;
    return line;
  }
}

const KEPT_LINES = 200;
const LINE_LENGTH = 2_000;

/** The last 200 lines of a text that comes in pieces; very long lines are cut. */
export class Tail {
  #lines: string[] = [];
  #open = '';

  /** Text as it comes; a line may span pieces. */
  write(text: string): void {
    const lines = (this.#open + text).split('\n');
    this.#open = (lines.pop() ?? '').slice(0, LINE_LENGTH);
    for (const line of lines) this.line(line);
  }

  line(line: string): void {
    this.#lines.push(line.trimEnd().slice(0, LINE_LENGTH));
    if (this.#lines.length > 2 * KEPT_LINES) this.#lines = this.#lines.slice(-KEPT_LINES);
  }

  get lines(): string[] {
    return [...this.#lines, ...(this.#open ? [this.#open] : [])].slice(-KEPT_LINES);
  }
}
