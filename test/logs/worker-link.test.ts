import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Logs, openLogs } from '../../src/logs/logs.ts';
import { createMetrics } from '../../src/logs/metrics.ts';
import { callRecord } from './samples.ts';

// The thread that owns the log database dies: of its memory, say.

let folder: string;
let threads: Worker[];
let logs: Logs;
let warnings: string[];
const onWorker = (worker: Worker) => void threads.push(worker);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'log-worker-'));
  threads = [];
  warnings = [];
  process.on('worker', onWorker);
  logs = openLogs({
    path: join(folder, 'logs.db'),
    enabled: true,
    contentLogging: true,
    metrics: createMetrics(),
    costOf: () => undefined,
    warn: (message) => void warnings.push(message),
  });
});

afterEach(async () => {
  await logs.close();
  process.off('worker', onWorker);
  rmSync(folder, { recursive: true });
});

const record = (from: number, to: number, contents = {}) => {
  for (let index = from; index < to; index++) logs.sink.recordCall(callRecord({ id: `${index}`, ...contents }));
};

/** Rows in the database, read beside the gateway. */
function rowsThere(): number {
  const database = new Database(join(folder, 'logs.db'), { readonly: true });
  try {
    return database.prepare<[], { rows: number }>('select count(*) as rows from logs').get()?.rows ?? 0;
  } finally {
    database.close();
  }
}

const last = (): Worker => {
  const thread = threads.at(-1);
  if (!thread) throw new Error('a thread was started');
  return thread;
};

test('rows that it had not written yet are given to the next one, and none is there twice', async () => {
  record(0, 1);
  await logs.flush();
  const before = threads.length;
  record(1, 700);
  await last().terminate();
  record(700, 1_000);
  await logs.flush();
  const { rowsWritten, rowsRepeated, ...others } = logs.counters();
  expect(others).toMatchObject({ rowsFailed: 0, rowsDropped: 0, rowsWaiting: 0, bytesWaiting: 0 });
  expect(rowsWritten + rowsRepeated).toBe(1_000);
  expect(rowsThere()).toBe(1_000);
  expect(threads).toHaveLength(before + 1);
  expect(warnings).toEqual(['the log worker ended; a new one goes on with what was not written yet']);
});

test('whoever asks it just then is told, and the next one who asks is answered', async () => {
  record(0, 1);
  await logs.flush();
  const ended = last().terminate();
  await expect(logs.getLog('0')).rejects.toMatchObject({ kind: 'internal' });
  await ended;
  expect(await logs.getLog('0')).toBeDefined();
});

test('rows that end every thread they are given to are lost and counted, once for all', async () => {
  record(0, 1);
  await logs.flush();
  const end = (thread: Worker) => void thread.terminate();
  process.on('worker', end);
  record(1, 101);
  const first = last().terminate();
  await Promise.all([first, logs.flush()]);
  process.off('worker', end);
  expect(logs.counters()).toMatchObject({ rowsWritten: 1, rowsFailed: 100, rowsWaiting: 0 });
  expect(warnings).toHaveLength(2);
});
