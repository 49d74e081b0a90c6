import type { LogTable, Row } from '../stores/schema.ts';
import type { Batch, PackedRows } from './protocol.ts';

export interface QueuedRow {
  readonly table: LogTable;
  readonly row: Row;
}

/**
 * Rows as they are posted: arrays of plain values, and all bytes copied once into one block that is then transferred.
 * A posted view would be cloned with the whole buffer behind it: a socket read's 64 KB for a body of 600 bytes.
 */
export function packed(rows: readonly QueuedRow[], slabFor: (bytes: number) => Uint8Array): Batch {
  const slab = slabFor(totalBytes(rows));
  let end = 0;
  const put = (bytes: Uint8Array): number => {
    slab.set(bytes, end);
    end += bytes.length;
    return bytes.length;
  };
  const pack = (table: LogTable): PackedRows => {
    const result: PackedRows = { facts: [], contents: [] };
    for (const { table: own, row } of rows) {
      if (own !== table) continue;
      result.facts.push(row.facts);
      result.contents.push(
        row.contents ? row.contents.map((value) => (value instanceof Uint8Array ? put(value) : value)) : null,
      );
    }
    return result;
  };
  return { logs: pack('logs'), mcp_logs: pack('mcp_logs'), slab };
}

function totalBytes(rows: readonly QueuedRow[]): number {
  let total = 0;
  for (const { row } of rows) {
    for (const value of row.contents ?? []) if (value instanceof Uint8Array) total += value.length;
  }
  return total;
}

/** The rows of both tables again, their bytes as views of the slab. */
export function unpacked({ logs, mcp_logs, slab }: Batch): Readonly<Record<LogTable, Row[]>> {
  let start = 0;
  const take = (length: number): Uint8Array => {
    start += length;
    return slab.subarray(start - length, start);
  };
  const rowsOf = ({ facts, contents }: PackedRows): Row[] =>
    facts.map((values, index) => {
      const packedContents = contents[index];
      if (!packedContents) return { facts: values };
      return {
        facts: values,
        contents: packedContents.map((value) => (typeof value === 'number' ? take(value) : value)),
      };
    });
  return { logs: rowsOf(logs), mcp_logs: rowsOf(mcp_logs) };
}
