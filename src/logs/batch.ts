import type { LogTable, Row } from '../stores/schema.ts';
import type { Batch, PackedRows } from './protocol.ts';

type PackedContents = NonNullable<PackedRows['contents'][number]>;

const SMALLEST_SLAB = 256 * 1024;

/**
 * Rows as they are posted: arrays of plain values, and all bytes copied into one block that is then transferred. They
 * are copied as they come, so that the buffers they were read into die young; and a posted view would be cloned with
 * the whole buffer behind it.
 */
export class BatchBuilder {
  readonly #slabFor: (bytes: number) => Uint8Array;
  #logs: PackedRows = { facts: [], contents: [] };
  #mcpLogs: PackedRows = { facts: [], contents: [] };
  #slab: Uint8Array | undefined;
  #end = 0;
  rows = 0;
  /** Of all contents, texts included. */
  contentBytes = 0;

  /** `slabFor` gives memory that is free to use, at least as large as asked. */
  constructor(slabFor: (bytes: number) => Uint8Array) {
    this.#slabFor = slabFor;
  }

  add(table: LogTable, { facts, contents }: Row, contentBytes: number): void {
    const packed = table === 'logs' ? this.#logs : this.#mcpLogs;
    packed.facts.push(facts);
    packed.contents.push(contents ? this.#packed(contents) : null);
    this.rows++;
    this.contentBytes += contentBytes;
  }

  /** What was added, and a fresh start. */
  take(): Batch {
    const batch = { logs: this.#logs, mcp_logs: this.#mcpLogs, slab: this.#slab ?? this.#slabFor(0) };
    this.#logs = { facts: [], contents: [] };
    this.#mcpLogs = { facts: [], contents: [] };
    this.#slab = undefined;
    this.#end = 0;
    this.rows = 0;
    this.contentBytes = 0;
    return batch;
  }

  #packed(contents: NonNullable<Row['contents']>): PackedContents {
    const packed: (string | number | null)[] = [];
    for (const value of contents) {
      if (value instanceof Uint8Array) packed.push(this.#put(value), value.length);
      else packed.push(value);
    }
    return packed;
  }

  /** Where the bytes stand in the slab now. */
  #put(bytes: Uint8Array): number {
    const start = this.#end;
    const end = start + bytes.length;
    if (!this.#slab || this.#slab.length < end) this.#grow(end);
    this.#slab?.set(bytes, start);
    this.#end = end;
    return start;
  }

  #grow(needed: number): void {
    const grown = this.#slabFor(Math.max(SMALLEST_SLAB, 2 ** Math.ceil(Math.log2(needed + 1))));
    if (this.#slab) grown.set(this.#slab.subarray(0, this.#end));
    this.#slab = grown;
  }
}

/** The rows of both tables again, their bytes as views of the slab. */
export function unpacked({ logs, mcp_logs, slab }: Batch): Readonly<Record<LogTable, Row[]>> {
  const rowsOf = ({ facts, contents }: PackedRows): Row[] =>
    facts.map((values, index) => {
      const packed = contents[index];
      return packed ? { facts: values, contents: contentsOf(packed, slab) } : { facts: values };
    });
  return { logs: rowsOf(logs), mcp_logs: rowsOf(mcp_logs) };
}

function contentsOf(packed: PackedContents, slab: Uint8Array): (string | Uint8Array | null)[] {
  const contents: (string | Uint8Array | null)[] = [];
  const values = packed.values();
  for (const value of values) {
    if (typeof value !== 'number') contents.push(value);
    else contents.push(slab.subarray(value, value + Number(values.next().value)));
  }
  return contents;
}
