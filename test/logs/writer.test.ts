import { describe, expect, test } from 'vitest';
import { unpacked } from '../../src/logs/batch.ts';
import type { Batch } from '../../src/logs/protocol.ts';
import { type BatchOutcome, LogWriter, type QueueLimits } from '../../src/logs/writer.ts';
import type { Row } from '../../src/stores/schema.ts';

/** A database that is as slow as the test wants: a batch is done when the test says so. */
class SlowDatabase {
  readonly batches: { readonly batch: Batch; done(outcome?: Partial<BatchOutcome>): Promise<void> }[] = [];

  readonly send = (batch: Batch): Promise<BatchOutcome> =>
    new Promise((resolve) => {
      const written = batch.places.length / 3;
      this.batches.push({
        batch,
        done: async (outcome) => {
          resolve({ written, ...outcome });
          await Promise.resolve();
        },
      });
    });

  async finishAll(): Promise<void> {
    for (let batch = this.batches.shift(); batch; batch = this.batches.shift()) await batch.done();
  }
}

const LIMITS: QueueLimits = { maxRows: 1_000, maxBytes: 1_000_000 };
const row = (id: string, ...contents: (string | Uint8Array | null)[]): Row =>
  contents.length > 0 ? { facts: [id, 0], contents } : { facts: [id, 0] };
const write = (writer: LogWriter, count: number, ...contents: Uint8Array[]): void => {
  for (let index = 0; index < count; index++) writer.write('logs', row(`${index}`, ...contents));
};

describe('a batch', () => {
  test('is sent at 200 rows without waiting', () => {
    const database = new SlowDatabase();
    const writer = new LogWriter(database.send, LIMITS);
    write(writer, 199);
    expect(database.batches).toHaveLength(0);
    write(writer, 1);
    expect(database.batches[0]?.batch.places).toHaveLength(3 * 200);
  });

  test('is sent after 50 ms, however small', async () => {
    const database = new SlowDatabase();
    const writer = new LogWriter(database.send, LIMITS);
    write(writer, 1);
    await expect.poll(() => database.batches.length).toBe(1);
  });

  test('is sent at 4 MiB', () => {
    const database = new SlowDatabase();
    const writer = new LogWriter(database.send, { maxRows: 1_000, maxBytes: 100_000_000 });
    write(writer, 4, Buffer.alloc(1024 * 1024));
    expect(database.batches).toHaveLength(1);
  });

  test('carries rows of both tables, their bytes and texts and absences in place', () => {
    const database = new SlowDatabase();
    const writer = new LogWriter(database.send, LIMITS);
    writer.write('mcp_logs', row('tool', Buffer.from('{"a":1}'), null));
    writer.write('logs', row('call', 'openai-chat', Buffer.from('héllo'), null, Buffer.from('')));
    writer.write('logs', row('long', `text ${'ü'.repeat(100)}`));
    writer.write('logs', row('bare'));
    void writer.flush();
    const sent = database.batches[0]?.batch;
    const { logs, mcp_logs } = unpacked(sent as Batch);
    const readable = ({ facts, contents }: Row) => [
      facts[0],
      contents?.map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString() : value)),
    ];
    expect(logs.map(readable)).toEqual([
      ['call', ['openai-chat', 'héllo', null, '']],
      ['long', [`text ${'ü'.repeat(100)}`]],
      ['bare', undefined],
    ]);
    expect(mcp_logs.map(readable)).toEqual([['tool', ['{"a":1}', null]]]);
  });

  test('takes the block of memory that an earlier one gave back', async () => {
    const database = new SlowDatabase();
    const writer = new LogWriter(database.send, LIMITS);
    write(writer, 200, Buffer.alloc(10));
    const first = database.batches[0]?.batch.slab.buffer;
    await database.finishAll();
    await expect.poll(() => writer.counters.rowsWaiting).toBe(0);
    write(writer, 200, Buffer.alloc(10));
    expect(database.batches[0]?.batch.slab.buffer).toBe(first);
  });
});

describe('a database that does not keep up', () => {
  test('J3 costs contents first, then rows, each counted, and memory stays bounded', () => {
    const writer = new LogWriter(new SlowDatabase().send, { maxRows: 500, maxBytes: 100_000 });
    write(writer, 2_000, Buffer.alloc(1_000));
    expect(writer.counters).toEqual({
      rowsWritten: 0,
      rowsWaiting: 500,
      bytesWaiting: 100_000,
      contentsDropped: 400,
      rowsDropped: 1_500,
      rowsFailed: 0,
      rowsRepeated: 0,
    });
  });

  test('J3 gets no more than two batches at a time, or they would pile up where nobody counts', async () => {
    const database = new SlowDatabase();
    const writer = new LogWriter(database.send, LIMITS);
    write(writer, 900);
    expect(database.batches).toHaveLength(2);
    await database.batches.shift()?.done();
    await expect.poll(() => database.batches.length).toBe(2);
  });

  test('a row without its contents says why', () => {
    const database = new SlowDatabase();
    const writer = new LogWriter(database.send, { maxRows: 500, maxBytes: 10 });
    writer.write('logs', row('a', Buffer.alloc(11)));
    void writer.flush();
    expect(unpacked(database.batches[0]?.batch as Batch).logs).toEqual([{ facts: ['a', 2] }]);
  });

  test('takes everything again once it has caught up', async () => {
    const database = new SlowDatabase();
    const writer = new LogWriter(database.send, { maxRows: 300, maxBytes: 100_000 });
    write(writer, 400);
    const flushed = writer.flush();
    while (writer.counters.rowsWaiting > 0) {
      await database.finishAll();
      await Promise.resolve();
    }
    await flushed;
    write(writer, 100);
    expect(writer.counters).toMatchObject({ rowsWritten: 300, rowsDropped: 100, rowsWaiting: 100 });
  });
});

test('what the database refuses is told apart from what it had already', async () => {
  const database = new SlowDatabase();
  const writer = new LogWriter(database.send, LIMITS);
  write(writer, 200);
  await database.batches.shift()?.done({ written: 0, trouble: 'disk full' });
  await expect.poll(() => writer.counters.rowsFailed).toBe(200);
  write(writer, 200);
  await database.batches.shift()?.done({ written: 150 });
  await expect.poll(() => writer.counters.rowsRepeated).toBe(50);
});
