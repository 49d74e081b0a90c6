import type { LogTable, Row } from '../stores/schema.ts';
import { BatchBuilder } from './batch.ts';
import type { Batch } from './protocol.ts';
import { CONTENT_STATE } from './record.ts';

export interface BatchOutcome {
  readonly written: number;
  /** Why rows were lost; absent when those not written were in the log already. */
  readonly trouble?: string;
}

/** Where batches go. Never rejects: what happened to the rows is in the outcome. */
export type SendBatch = (batch: Batch) => Promise<BatchOutcome>;

/** What may wait in memory, sent or not, before contents and then rows are dropped. */
export interface QueueLimits {
  readonly maxRows: number;
  readonly maxBytes: number;
}

export interface WriterCounters {
  readonly rowsWritten: number;
  /** Rows that came while `maxRows` were waiting. */
  readonly rowsDropped: number;
  /** Rows whose contents were left out because `maxBytes` were waiting. */
  readonly contentsDropped: number;
  /** Rows that the database refused. */
  readonly rowsFailed: number;
  /** Rows whose id was in the log already. */
  readonly rowsRepeated: number;
  readonly rowsWaiting: number;
  readonly bytesWaiting: number;
}

interface LooseRow {
  readonly table: LogTable;
  readonly row: Row;
  /** Of its contents. */
  readonly bytes: number;
}

const BATCH_ROWS = 200;
const BATCH_BYTES = 4 * 1024 * 1024;
/**
 * Rows are packed a few at a time, which costs each a third of what it costs alone, with nothing of it in the processor's
 * caches; not all at once, or what they hold would live long enough to be copied by the collector.
 */
const PACK_ROWS = 50;
const PACK_BYTES = 256 * 1024;
const BATCH_DELAY_MS = 50;
/** One that is being written, and one that waits at the door. */
const BATCHES_UNDER_WAY = 2;
/** What a database that was behind has grown is given back to the system, and handed over: V8 does not count what is shared. */
const LARGEST_SPARE_SLAB = 8 * 1024 * 1024;

/**
 * Gathers rows and hands them on in batches: at 200 rows, 4 MiB or 50 ms, whichever comes first, or larger ones once
 * the database is behind. Bounded, never waits.
 */
export class LogWriter {
  readonly #send: SendBatch;
  readonly #limits: QueueLimits;
  readonly #underWay = new Set<Promise<void>>();
  readonly #counters = { rowsWritten: 0, rowsDropped: 0, contentsDropped: 0, rowsFailed: 0, rowsRepeated: 0 };
  readonly #next = new BatchBuilder((needed) => this.#takeSlab(needed));
  #loose: LooseRow[] = [];
  #looseBytes = 0;
  #spareSlabs: Uint8Array[] = [];
  #rowsWaiting = 0;
  #bytesWaiting = 0;
  #timer: NodeJS.Timeout | undefined;
  #isDue = false;

  constructor(send: SendBatch, limits: QueueLimits) {
    this.#send = send;
    this.#limits = limits;
  }

  get counters(): WriterCounters {
    return { ...this.#counters, rowsWaiting: this.#rowsWaiting, bytesWaiting: this.#bytesWaiting };
  }

  write(table: LogTable, given: Row): void {
    if (this.#rowsWaiting >= this.#limits.maxRows) {
      this.#counters.rowsDropped++;
      return;
    }
    let row = given;
    let bytes = contentBytes(given);
    if (bytes > 0 && this.#bytesWaiting + bytes > this.#limits.maxBytes) {
      row = withoutContents(given);
      bytes = 0;
      this.#counters.contentsDropped++;
    }
    this.#loose.push({ table, row, bytes });
    this.#looseBytes += bytes;
    this.#rowsWaiting++;
    this.#bytesWaiting += bytes;
    if (this.#loose.length >= PACK_ROWS || this.#looseBytes >= PACK_BYTES) this.#pack();
    if (this.#isFull) this.#post();
    else this.#timer ??= setTimeout(() => this.#onTimer(), BATCH_DELAY_MS);
  }

  /** Hands on what waits, unless the database is behind: whoever reads next finds his own rows. */
  sendNow(): void {
    this.#pack();
    this.#isDue = true;
    this.#post();
  }

  /** Resolves once every row taken so far is written, or lost and counted. */
  async flush(): Promise<void> {
    while (this.#rowsWaiting > 0) {
      this.sendNow();
      await Promise.race(this.#underWay);
    }
  }

  get #isFull(): boolean {
    return this.#next.rows >= BATCH_ROWS || this.#next.contentBytes >= BATCH_BYTES;
  }

  #pack(): void {
    for (const { table, row, bytes } of this.#loose) this.#next.add(table, row, bytes);
    this.#loose = [];
    this.#looseBytes = 0;
  }

  #onTimer(): void {
    this.#timer = undefined;
    this.sendNow();
  }

  #post(): void {
    const isReady = this.#isFull || (this.#isDue && this.#next.rows > 0);
    if (!isReady || this.#underWay.size >= BATCHES_UNDER_WAY) return;
    const { rows, contentBytes: bytes } = this.#next;
    this.#isDue = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#next.take();
    const sent = this.#send(batch).then((outcome) => {
      this.#underWay.delete(sent);
      this.#keepSpare(batch.slab);
      this.#settle(rows, bytes, outcome);
      this.#post();
    });
    this.#underWay.add(sent);
  }

  /**
   * Memory that was written to before: the first touch of new pages costs ten times the copy. It is shared and not
   * handed over and back, because V8 takes each return for new memory, and starts a full collection for every few.
   */
  #takeSlab(bytes: number): Uint8Array {
    const index = this.#spareSlabs.findIndex(({ length }) => length >= bytes);
    const [spare] = index === -1 ? [] : this.#spareSlabs.splice(index, 1);
    if (spare) return spare;
    return bytes > LARGEST_SPARE_SLAB ? Buffer.allocUnsafeSlow(bytes) : new Uint8Array(new SharedArrayBuffer(bytes));
  }

  #keepSpare(slab: Uint8Array): void {
    if (slab.length === 0 || slab.length > LARGEST_SPARE_SLAB) return;
    this.#spareSlabs = [slab, ...this.#spareSlabs].slice(0, BATCHES_UNDER_WAY + 1);
  }

  #settle(rows: number, bytes: number, { written, trouble }: BatchOutcome): void {
    this.#rowsWaiting -= rows;
    this.#bytesWaiting -= bytes;
    this.#counters.rowsWritten += written;
    if (trouble === undefined) this.#counters.rowsRepeated += rows - written;
    else this.#counters.rowsFailed += rows - written;
  }
}

function contentBytes({ contents }: Row): number {
  if (!contents) return 0;
  let bytes = 0;
  for (const value of contents) if (value !== null) bytes += value.length;
  return bytes;
}

/** `content_state`, the last fact of both tables, then says why there are none. */
const withoutContents = ({ facts }: Row): Row => ({ facts: facts.with(facts.length - 1, CONTENT_STATE.dropped) });
