import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { type LogStore, logStoreOn } from '../stores/log-store.ts';
import { adviceOn, isBusy, openSqlite } from '../stores/sqlite.ts';
import { answersFrom } from './answers.ts';
import { unpacked } from './batch.ts';
import type { Codecs } from './decoded.ts';
import type { Batch, FromWorker, ToWorker, WorkerSettings } from './protocol.ts';

// The only thread that opens the log database: writes, reads and clean-up take turns here, off the request path.

const RETRY_OPEN_AFTER_MS = 10_000;
const RETRY_BUSY_FOR_MS = 60_000;
const RETRY_BUSY_AFTER_MS = 50;
const FIRST_SWEEP_AFTER_MS = 60_000;

// set by the one who starts this file
const { path, limits, sweepEveryMs } = workerData as WorkerSettings;

let isClosing = false;
let isAbandoned = false;
let retryOpenAtMs = 0;
let opening = opened();

/** The store; a failed opening is tried again, but not with every batch. */
async function store(): Promise<LogStore> {
  if (retryOpenAtMs > 0 && Date.now() >= retryOpenAtMs) opening = opened();
  const current = opening;
  const open = await current;
  if (!open.isGone()) return open;
  if (opening === current) {
    post({ type: 'warning', message: `the log database ${path} was moved or deleted in use; a new one is made` });
    // the old one takes its journal along, which the new one would read as its own
    opening = opened(open.close().catch(() => undefined));
  }
  return opening;
}

function opened(before: Promise<void> = Promise.resolve()): Promise<LogStore> {
  retryOpenAtMs = 0;
  const next = before.then(() => untilFree(() => openSqlite(path))).then(logStoreOn);
  next.catch(() => {
    retryOpenAtMs = Date.now() + RETRY_OPEN_AFTER_MS;
  });
  return next;
}

/** Loaded once somebody reads what was said; writing needs none. */
const loadCodecs = async (): Promise<Codecs> => (await import('../codecs/index.ts')).codecs;

const post = (message: FromWorker): void => parentPort?.postMessage(message);

function reasonOf(error: unknown): string {
  const advice = adviceOn(error);
  const words = error instanceof Error ? error.message : String(error);
  return `the log database ${path} failed: ${words}${advice === undefined ? '' : `; ${advice}`}`;
}

async function writeBatch(batch: Batch): Promise<void> {
  let written = 0;
  let trouble: string | undefined;
  try {
    const { logs, mcp_logs } = unpacked(batch);
    const open = await store();
    written += await untilFree(() => open.insert('logs', logs));
    written += await untilFree(() => open.insert('mcp_logs', mcp_logs));
  } catch (error) {
    trouble = reasonOf(error);
  }
  post({ type: 'batch-done', written, ...(trouble !== undefined && { trouble }) });
}

/** Somebody's backup or inspection may hold the database for a while; what waits meanwhile is bounded. */
async function untilFree<Result>(write: () => Promise<Result>): Promise<Result> {
  const giveUpAtMs = Date.now() + RETRY_BUSY_FOR_MS;
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!isBusy(error) || isAbandoned || Date.now() >= giveUpAtMs) throw error;
    }
    await delay(RETRY_BUSY_AFTER_MS);
  }
}

async function answer({ number, name, args }: Extract<ToWorker, { type: 'question' }>): Promise<void> {
  try {
    const answers = answersFrom(await store(), loadCodecs);
    // LogQuestions pairs each name with its arguments; the compiler cannot follow that through a message
    const give = answers[name] as (...args: readonly unknown[]) => Promise<unknown>;
    post({ type: 'answer', number, value: await give(...args) });
  } catch (error) {
    post({ type: 'refusal', number, message: reasonOf(error) });
  }
}

/** Beside the queue of messages, not in it: writes take their turn between its batches. */
async function sweepNow(): Promise<void> {
  try {
    await (await store()).sweep(limits, Date.now());
  } catch (error) {
    if (!isClosing) post({ type: 'warning', message: `old log rows could not be removed: ${reasonOf(error)}` });
  }
  if (!isClosing) sweepTimer = setTimeout(sweepNow, sweepEveryMs);
}

async function close(): Promise<void> {
  if (isClosing) return;
  isClosing = true;
  clearTimeout(sweepTimer);
  await opening.then((open) => open.close()).catch(() => undefined);
  parentPort?.close();
}

async function handle(message: ToWorker): Promise<void> {
  switch (message.type) {
    case 'batch':
      return writeBatch(message.batch);
    case 'question':
      return answer(message);
    case 'close':
    case 'abandon':
      return close();
  }
}

let sweepTimer = setTimeout(sweepNow, Math.min(FIRST_SWEEP_AFTER_MS, sweepEveryMs));

// one after the other, in the order of asking; none of them throws
let last: Promise<void> = Promise.resolve();
parentPort?.on('message', (message: ToWorker) => {
  if (message.type === 'abandon') isAbandoned = true;
  last = last.then(() => handle(message));
});
