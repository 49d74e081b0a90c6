import type { Worker } from 'node:worker_threads';
import { GatewayError } from '../model/errors.ts';
import { ownThread } from '../model/own-thread.ts';
import type { Batch, FromWorker, LogQuestions, QuestionName, ToWorker, WorkerSettings } from './protocol.ts';
import type { BatchOutcome } from './writer.ts';

/** A batch that nobody has said to be written yet. */
interface Unwritten {
  readonly batch: Batch;
  /** How many threads it was given to. */
  sent: number;
  readonly settle: (outcome: BatchOutcome) => void;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: GatewayError) => void;
}

/** After a thread that was of no use; one that was, is followed at once. */
const RESTART_AFTER_MS = 10_000;
/** A batch that ends every thread it is given to is not given to a third. */
const MOST_SENDINGS = 2;

/**
 * The thread that owns the log database. Trouble there never throws here: it is told once to `warn`, and again only
 * after things went well in between.
 */
export class LogWorker {
  readonly #settings: WorkerSettings;
  readonly #warn: (message: string) => void;
  /** In the order in which the thread does them. */
  readonly #unwritten: Unwritten[] = [];
  readonly #questions = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #restartAtMs = 0;
  #lastQuestion = 0;
  /** Whether the thread has answered anything. */
  #isOfUse = false;
  #isTroubled = false;
  #isClosing = false;

  constructor(settings: WorkerSettings, warn: (message: string) => void) {
    this.#settings = settings;
    this.#warn = warn;
  }

  /** Opens the database ahead of the first rows, which would wait for it where a killed gateway loses them. */
  start(): void {
    this.#running();
  }

  send(batch: Batch): Promise<BatchOutcome> {
    const worker = this.#running();
    if (!worker) return Promise.resolve({ written: 0, trouble: 'the log worker is not running' });
    return new Promise((settle) => {
      const unwritten = { batch, sent: 0, settle };
      this.#unwritten.push(unwritten);
      post(worker, unwritten);
    });
  }

  /** Throws GatewayError('internal') when the database cannot answer. */
  ask<Name extends QuestionName>(
    name: Name,
    ...args: Parameters<LogQuestions[Name]>
  ): Promise<ReturnType<LogQuestions[Name]>> {
    const worker = this.#running();
    if (!worker) return Promise.reject(unanswered('its worker is not running'));
    const number = ++this.#lastQuestion;
    return new Promise((resolve, reject) => {
      // the worker's answers are typed by the same table as its questions
      this.#questions.set(number, { resolve: resolve as (value: unknown) => void, reject });
      worker.postMessage({ type: 'question', number, name, args } satisfies ToWorker);
    });
  }

  /** Ends the thread once it has done what was sent before. */
  close(): Promise<void> {
    return this.#end('close');
  }

  /**
   * Ends the thread now; what it cannot write at once is lost. It ends by itself: terminated within a failing call of
   * SQLite, better-sqlite3 12 takes the whole process down ("ToLocalChecked Empty MaybeLocal").
   */
  abandon(): Promise<void> {
    return this.#end('abandon');
  }

  async #end(type: 'close' | 'abandon'): Promise<void> {
    this.#isClosing = true;
    const worker = this.#worker;
    if (!worker) return;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage({ type } satisfies ToWorker);
    await ended;
  }

  #running(): Worker | undefined {
    if (this.#worker || this.#isClosing || Date.now() < this.#restartAtMs) return this.#worker;
    const worker = this.#begun();
    if (!worker) return undefined;
    worker.on('message', (message: FromWorker) => this.#onMessage(message));
    let why = 'the log worker ended';
    worker.on('error', (error) => {
      why = `the log worker failed: ${error.message}`;
    });
    worker.on('exit', () => this.#onExit(why));
    this.#worker = worker;
    this.#isOfUse = false;
    return worker;
  }

  /** Undefined where the system has no thread to give: the request that wanted its row written knows nothing of it. */
  #begun(): Worker | undefined {
    try {
      return ownThread('worker', import.meta.url, { workerData: this.#settings });
    } catch (thrown) {
      this.#restartAtMs = Date.now() + RESTART_AFTER_MS;
      this.#trouble(`the log worker did not start: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      return undefined;
    }
  }

  #onMessage(message: FromWorker): void {
    if (message.type !== 'warning') this.#isOfUse = true;
    switch (message.type) {
      case 'batch-done': {
        if (message.trouble !== undefined) this.#trouble(message.trouble);
        else this.#isTroubled = false;
        this.#unwritten.shift()?.settle(message);
        return;
      }
      case 'answer':
        this.#takeQuestion(message.number)?.resolve(message.value);
        return;
      case 'refusal':
        this.#takeQuestion(message.number)?.reject(unanswered(message.message));
        return;
      case 'warning':
        this.#warn(message.message);
    }
  }

  #takeQuestion(number: number): Waiting | undefined {
    const waiting = this.#questions.get(number);
    this.#questions.delete(number);
    return waiting;
  }

  #onExit(why: string): void {
    this.#worker = undefined;
    if (!this.#isClosing) this.#afterLoss(why);
    for (const { reject } of this.#questions.values()) reject(unanswered('its worker ended'));
    this.#questions.clear();
    this.#sendAgain();
  }

  #afterLoss(why: string): void {
    if (this.#isOfUse) {
      this.#restartAtMs = 0;
      this.#warn(`${why}; a new one goes on with what was not written yet`);
    } else {
      this.#restartAtMs = Date.now() + RESTART_AFTER_MS;
      this.#trouble(why);
    }
  }

  /** What the thread did not live to tell of: rows that it had written all the same are in the log by their ids. */
  #sendAgain(): void {
    const unwritten = this.#unwritten.splice(0);
    const worker = unwritten.length > 0 ? this.#running() : undefined;
    for (const each of unwritten) {
      if (worker && each.sent < MOST_SENDINGS && isHere(each.batch)) {
        this.#unwritten.push(each);
        post(worker, each);
      } else each.settle({ written: 0, trouble: 'the log worker ended' });
    }
  }

  #trouble(message: string): void {
    if (this.#isTroubled) return;
    this.#isTroubled = true;
    this.#warn(`${message}; requests go on, their log rows are dropped and counted until this is mended`);
  }
}

function post(worker: Worker, unwritten: Unwritten): void {
  const { batch } = unwritten;
  const { buffer } = batch.slab;
  unwritten.sent++;
  worker.postMessage({ type: 'batch', batch } satisfies ToWorker, buffer instanceof ArrayBuffer ? [buffer] : []);
}

/** Memory that was handed over went with its thread. */
const isHere = ({ places, slab }: Batch): boolean => places.length === 0 || slab.length > 0;

const unanswered = (why: string): GatewayError =>
  new GatewayError('internal', `the request log cannot answer: ${why}; look at the gateway's own log`);
