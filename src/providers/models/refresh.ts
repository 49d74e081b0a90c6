import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { timerMs } from '../../model/timer-ms.ts';
import { type ModelRow, rowsOfSheet } from './rows.ts';

export interface SheetSource {
  /** Where the sheet is; whatever `read` can read. */
  readonly url: string;
  /** The copy that is kept between starts. */
  readonly copyPath: string;
  readonly intervalMs: number;
  readonly read: (url: string) => Promise<string>;
  readonly learn: (rows: Readonly<Record<string, ModelRow>>) => void;
  readonly warn: (message: string) => void;
  readonly now: () => number;
}

export interface SheetRefresh {
  /** Settles when what was begun at the start is done; for tests. */
  readonly begun: Promise<void>;
  stop(): void;
}

/**
 * Keeps a sheet of models fresh behind everybody's back: the kept copy first, then, if it is older than the interval,
 * the address, and again after each interval. What cannot be read is a warning, and what is known stays known.
 */
export function keepSheetFresh(source: SheetSource): SheetRefresh {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const next = (inMs: number): void => {
    if (stopped) return;
    timer = setTimeout(() => void refreshed(source).then(() => next(source.intervalMs)), timerMs(inMs));
    timer.unref();
  };
  const begin = async (): Promise<void> => {
    const ageMs = await learntFromCopy(source);
    const isFresh = ageMs !== undefined && ageMs < source.intervalMs;
    if (!isFresh) await refreshed(source);
    next(isFresh ? source.intervalMs - ageMs : source.intervalMs);
  };
  return {
    begun: begin(),
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** How old the kept copy is; undefined when there is none that can be read. */
async function learntFromCopy({ copyPath, learn, now }: SheetSource): Promise<number | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(copyPath, 'utf8'), stat(copyPath)]);
    learn(rowsOfSheet(text));
    return now() - mtimeMs;
  } catch {
    return undefined;
  }
}

async function refreshed({ url, copyPath, read, learn, warn }: SheetSource): Promise<void> {
  try {
    const text = await read(url);
    learn(rowsOfSheet(text));
    await mkdir(dirname(copyPath), { recursive: true });
    await writeFile(`${copyPath}.new`, text);
    await rename(`${copyPath}.new`, copyPath);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    warn(`the model sheet at ${nameOf(url)} could not be refreshed (${why}); what is known of models stays in use`);
  }
}

/** An address without what may be secret in it. */
const nameOf = (url: string): string => url.replace(/^(\w+:\/\/)(?:[^@/]*@)?([^?#]*).*$/, '$1$2');
