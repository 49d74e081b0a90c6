import type { Worker } from 'node:worker_threads';
import PQueue from 'p-queue';
import { GatewayError } from '../../model/errors.ts';
import { ownThread } from '../../model/own-thread.ts';
import { expressionOf, type Found, grep, isLiteral, type Search } from './grep.ts';

const MAX_THREADS = 2;
const MAX_PATTERN_LENGTH = 1_000;
/** Of the search alone, without the start of its thread. */
const MAX_MS = 2_000;
const MEMORY_MB = 256;

const threads = new PQueue({ concurrency: MAX_THREADS });

/**
 * `grep` for patterns that nobody has checked: expressions run on a thread of their own, which ends with its time, as
 * backtracking can take longer than anybody lives. Throws GatewayError that says what to change.
 */
export async function safeGrep(lines: readonly string[], search: Search, maxMs = MAX_MS): Promise<Found> {
  checkPattern(search.pattern);
  if (isLiteral(search.pattern)) return grep(lines, search);
  return threads.add(() => onThread(lines.join('\n'), search, maxMs));
}

function checkPattern(pattern: string): void {
  if (pattern === '') throw new GatewayError('invalid-request', 'pattern is empty: give some text or an expression');
  if (pattern.length > MAX_PATTERN_LENGTH) {
    throw new GatewayError('invalid-request', `pattern is longer than ${MAX_PATTERN_LENGTH} characters: shorten it`);
  }
  try {
    expressionOf(pattern);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayError('invalid-request', `pattern is no regular expression: ${why}`, { cause });
  }
}

function onThread(text: string, search: Search, maxMs: number): Promise<Found> {
  const worker = newWorker({ text, search });
  return new Promise<Found>((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    worker.on('message', (message: Found | 'ready') => {
      if (message !== 'ready') return resolve(message);
      timer = setTimeout(() => reject(tooSlow(maxMs)), maxMs);
    });
    worker.once('error', (error) => reject(new GatewayError('internal', `the search failed: ${error.message}`)));
    worker.once('exit', () => {
      clearTimeout(timer);
      reject(new GatewayError('internal', 'the search ended without an answer: try a simpler pattern'));
    });
  }).finally(() => worker.terminate());
}

const tooSlow = (maxMs: number): GatewayError =>
  new GatewayError(
    'timeout',
    `the pattern took longer than ${maxMs} ms: write one without repetitions inside repetitions`,
  );

const newWorker = (workerData: object): Worker =>
  ownThread('grep-worker', import.meta.url, { workerData, resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB } });
