import type { Kysely } from 'kysely';
import type { LogSchema, LogTable, Row } from './schema.ts';

/** What differs between databases; everything else of a log store is written once, on Kysely. */
export interface LogDriver {
  readonly db: Kysely<LogSchema>;
  /** Writes the rows in one transaction and gives how many were new: an id that is there already is left as it is. */
  insert(table: LogTable, rows: readonly Row[]): Promise<number>;
  /** Bytes in use on disk, with what waits in the journal, without what deletes have freed. */
  usedBytes(): Promise<number>;
  /** Gives a bounded part of the freed space back to the file system; true = there is more. */
  giveBackSpace(): Promise<boolean>;
  /** Whether the file was moved or deleted since it was opened: what is written to it is lost. */
  isGone(): boolean;
  close(): Promise<void>;
}
