import type { LogTable, Row } from '../stores/schema.ts';
import type { Batch } from './protocol.ts';

const SMALLEST_SLAB = 256 * 1024;
/** Names of formats; what was said is longer. */
const SHORT_TEXT = 64;

/** A row as it travels: its facts, and its contents; two numbers stand for bytes: where they start and how many they are. */
type PackedRow = readonly [
  facts: readonly (string | number | null)[],
  contents: readonly (string | number | null)[] | null,
];

/**
 * Rows as they are posted: all in one block of bytes that both threads see, so that nothing is copied. They are written as they
 * come, facts as JSON and contents as they are, so that nothing of a request outlives it: what waits for its batch in
 * JavaScript's own memory would be copied by each collection.
 */
export class BatchBuilder {
  readonly #slabFor: (bytes: number) => Uint8Array;
  #places: number[] = [];
  #slab: Buffer | undefined;
  #end = 0;
  rows = 0;
  /** Of all contents, texts included. */
  contentBytes = 0;

  /** `slabFor` gives memory that is free to use, at least as large as asked. */
  constructor(slabFor: (bytes: number) => Uint8Array) {
    this.#slabFor = slabFor;
  }

  add(table: LogTable, { facts, contents }: Row, contentBytes: number): void {
    const row: PackedRow = [
      facts,
      contents ? contents.flatMap<string | number | null>((value) => this.#packed(value)) : null,
    ];
    const start = this.#putText(JSON.stringify(row));
    this.#places.push(table === 'logs' ? 0 : 1, start, this.#end - start);
    this.rows++;
    this.contentBytes += contentBytes;
  }

  /** What was added, and a fresh start. */
  take(): Batch {
    const batch = { places: this.#places, slab: this.#slab ?? this.#slabFor(0) };
    this.#places = [];
    this.#slab = undefined;
    this.#end = 0;
    this.rows = 0;
    this.contentBytes = 0;
    return batch;
  }

  #packed(value: string | Uint8Array | null): string | null | [start: number, length: number] {
    if (value === null || (typeof value === 'string' && value.length <= SHORT_TEXT)) return value;
    const start = typeof value === 'string' ? this.#putText(value) : this.#put(value);
    return [start, this.#end - start];
  }

  /** Where the bytes stand in the slab now; they reach to its end. */
  #put(bytes: Uint8Array): number {
    const start = this.#end;
    this.#end += bytes.length;
    this.#withRoomFor(this.#end, start).set(bytes, start);
    return start;
  }

  #putText(text: string): number {
    const start = this.#end;
    // a UTF-16 unit is three bytes at most
    this.#end += this.#withRoomFor(start + 3 * text.length, start).write(text, start);
    return start;
  }

  #withRoomFor(needed: number, used: number): Buffer {
    if (this.#slab && this.#slab.length >= needed) return this.#slab;
    const room = this.#slabFor(Math.max(SMALLEST_SLAB, 2 ** Math.ceil(Math.log2(needed + 1))));
    const grown = Buffer.from(room.buffer, room.byteOffset, room.byteLength);
    if (this.#slab) grown.set(this.#slab.subarray(0, used));
    this.#slab = grown;
    return grown;
  }
}

/** The rows of both tables again, their bytes as views of the slab. */
export function unpacked({ places, slab }: Batch): Readonly<Record<LogTable, Row[]>> {
  const bytes = Buffer.from(slab.buffer, slab.byteOffset, slab.byteLength);
  const rows: Record<LogTable, Row[]> = { logs: [], mcp_logs: [] };
  for (let at = 0; at < places.length; at += 3) {
    const [table = 0, start = 0, length = 0] = [places[at], places[at + 1], places[at + 2]];
    // written by a builder
    const [facts, contents] = JSON.parse(bytes.toString('utf8', start, start + length)) as PackedRow;
    rows[table === 0 ? 'logs' : 'mcp_logs'].push(
      contents ? { facts, contents: contentsOf(contents, slab) } : { facts },
    );
  }
  return rows;
}

function contentsOf(packed: readonly (string | number | null)[], slab: Uint8Array): (string | Uint8Array | null)[] {
  const contents: (string | Uint8Array | null)[] = [];
  const values = packed.values();
  for (const value of values) {
    if (typeof value !== 'number') contents.push(value);
    else contents.push(slab.subarray(value, value + Number(values.next().value)));
  }
  return contents;
}
