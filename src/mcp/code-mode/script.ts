import type { Worker } from 'node:worker_threads';
import PQueue from 'p-queue';
import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { timerMs } from '../../model/timer-ms.ts';
import { reasonOf } from '../failures.ts';
import type { BoundServer } from './names.ts';
import type { FromSandbox, ScriptLimits, ServerBinding, ToSandbox } from './protocol.ts';
import { reportText, type ScriptOutcome } from './report.ts';

/** A thread that does not answer for this much longer than it may compute is ended from outside. */
const GRACE_MS = 2_000;
const MAX_INPUT_DEPTH = 64;
const SHOWN_RESPONSE_LENGTH = 200;

/** A tool that the script calls. */
export interface NestedCall {
  readonly number: number;
  /** Exposed name, `<client>-<tool>`. */
  readonly tool: string;
  readonly input: JsonObject;
}

/** How the calls of a script are run; looked at for each call, when it is made. */
export interface ScriptHost {
  /** Whether somebody must allow the call first, so that the script pauses. */
  needsLeave(call: NestedCall): boolean;
  /** Asks somebody who is there; a person takes time, which is not the script's. Throws when the answer is no. */
  allow(call: NestedCall, signal: AbortSignal): Promise<void>;
  /** The result as JSON text. Throws what the script gets to see as an error. */
  run(call: NestedCall, signal: AbortSignal): Promise<string>;
}

export type ScriptState =
  | { readonly type: 'ended'; readonly report: string }
  /** It waits for somebody's leave, and for nothing else. */
  | { readonly type: 'paused'; readonly calls: readonly NestedCall[] };

/** What somebody else found out for a call that the script waits for; `value` is JSON text. */
export type Answer = { readonly value: string } | { readonly message: string };

export interface ScriptOptions {
  readonly code: string;
  readonly servers: readonly BoundServer[];
  readonly limits: ScriptLimits;
  /** A thread of its own. */
  readonly thread: Worker;
}

/** One script in its thread, from here: passes its calls on, keeps its limits, and ends it. */
export class Script {
  readonly #options: ScriptOptions;
  readonly #printed: string[] = [];
  readonly #queue: PQueue;
  readonly #asked = new Map<number, NestedCall>();
  readonly #calls = new AbortController();
  #host: ScriptHost | undefined;
  #settle: ((state: ScriptState | GatewayError) => void) | undefined;
  readonly #clock: Countdown;
  #asking = 0;
  #watchdog: NodeJS.Timeout | undefined;
  #running = 0;
  #sent = 0;
  #isOver = false;

  constructor(options: ScriptOptions) {
    this.#options = options;
    const { wallMs } = options.limits;
    this.#clock = new Countdown(wallMs, () => this.#fail(`the script took longer than ${wallMs} ms`));
    this.#queue = new PQueue({ concurrency: options.limits.maxParallelCalls });
    options.thread.on('message', (message: FromSandbox) => this.#take(message));
    options.thread.on('error', (error) => this.#fail(`the sandbox gave up: ${error.message}`));
    options.thread.on('exit', () => this.#fail('the sandbox gave up'));
  }

  /** Runs until the end or the first pause. Rejects with GatewayError('cancelled') when `signal` is aborted. */
  start(host: ScriptHost, signal: AbortSignal): Promise<ScriptState> {
    const { code, servers, limits } = this.#options;
    if (code.length > limits.codeLength) {
      const message = `the code is ${code.length} characters long, more than ${limits.codeLength}`;
      return Promise.resolve(this.#ended({ type: 'failed', kind: 'syntax', message }));
    }
    return this.#leg(host, signal, () => this.#post({ type: 'start', code, servers: servers.map(bindingOf), limits }));
  }

  /** Goes on after a pause; calls without an answer fail. */
  resume(answers: ReadonlyMap<number, Answer>, host: ScriptHost, signal: AbortSignal): Promise<ScriptState> {
    const waiting = [...this.#asked.values()];
    this.#asked.clear();
    return this.#leg(host, signal, () => {
      for (const call of waiting) {
        const answer = answers.get(call.number) ?? { message: 'nobody gave a result for this call' };
        this.#note(call, answer);
        this.#answer(call.number, answer);
      }
    });
  }

  /** Ends it for good, wherever it is. */
  abandon(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#watchdog);
    this.#calls.abort();
    void this.#options.thread.terminate();
  }

  #leg(host: ScriptHost, signal: AbortSignal, begin: () => void): Promise<ScriptState> {
    this.#host = host;
    return new Promise((resolve, reject) => {
      const cancel = (): void => settle(new GatewayError('cancelled', 'the script was cancelled'));
      const settle = (state: ScriptState | GatewayError): void => {
        this.#settle = undefined;
        this.#clock.hold();
        clearTimeout(this.#watchdog);
        signal.removeEventListener('abort', cancel);
        if (state instanceof GatewayError || state.type === 'ended') this.abandon();
        else this.#options.thread.unref();
        if (state instanceof GatewayError) reject(state);
        else resolve(state);
      };
      this.#settle = settle;
      if (this.#isOver) this.#fail('the script was ended before it was done');
      else if (signal.aborted) cancel();
      else {
        signal.addEventListener('abort', cancel, { once: true });
        this.#options.thread.ref();
        this.#clock.run();
        begin();
      }
    });
  }

  #take(message: FromSandbox): void {
    if (this.#isOver) return;
    switch (message.type) {
      case 'started':
        this.#watch();
        return;
      case 'printed':
        this.#printed.push(message.line);
        return;
      case 'call':
        this.#call(message.number, message.tool, message.input);
        return;
      case 'idle':
        this.#idle(message.answered);
        return;
      case 'done':
      case 'failed':
        this.#settle?.(this.#ended(message));
    }
  }

  #call(number: number, tool: string, text: string): void {
    let call: NestedCall;
    try {
      call = { number, tool, input: inputOf(tool, text) };
    } catch (thrown) {
      this.#answer(number, { message: reasonOf(thrown) });
      return;
    }
    if (this.#host?.needsLeave(call)) this.#asked.set(number, call);
    else this.#run(call);
  }

  #run(call: NestedCall): void {
    this.#running += 1;
    const answered = async (): Promise<void> => {
      const answer = await this.#answerOf(call);
      this.#running -= 1;
      this.#note(call, answer);
      this.#answer(call.number, answer);
    };
    void this.#queue.add(answered);
  }

  async #answerOf(call: NestedCall): Promise<Answer> {
    try {
      const host = this.#host;
      if (!host || this.#isOver) return { message: 'the script is over' };
      await this.#allowed(call, host);
      const value = await host.run(call, this.#calls.signal);
      const { resultLength } = this.#options.limits;
      if (value.length <= resultLength) return { value };
      return {
        message: `the result of ${call.tool} is ${value.length} characters long, more than ${resultLength}: ask it for less`,
      };
    } catch (thrown) {
      return { message: `Error executing tool ${call.tool}: ${reasonOf(thrown)}` };
    }
  }

  async #allowed(call: NestedCall, host: ScriptHost): Promise<void> {
    this.#asking += 1;
    this.#clock.hold();
    try {
      await host.allow(call, this.#calls.signal);
    } finally {
      this.#asking -= 1;
      if (this.#asking === 0 && this.#settle) this.#clock.run();
    }
  }

  /** The model sees what a call gave, in short, also where its code does not print it. */
  #note({ tool }: NestedCall, answer: Answer): void {
    const text = 'value' in answer ? answer.value : answer.message;
    const shown = text.length <= SHOWN_RESPONSE_LENGTH ? text : `${text.slice(0, SHOWN_RESPONSE_LENGTH)}…`;
    this.#printed.push(`[TOOL] ${tool.replace('-', '.')} raw response: ${shown}`);
  }

  #answer(number: number, answer: Answer): void {
    if (this.#isOver) return;
    this.#sent += 1;
    this.#post(
      'value' in answer ? { type: 'call-done', number, ...answer } : { type: 'call-failed', number, ...answer },
    );
  }

  /** What was sent after the thread fell idle has woken it again. */
  #idle(answered: number): void {
    if (answered !== this.#sent) return;
    clearTimeout(this.#watchdog);
    if (this.#running > 0 || this.#asked.size === 0) return;
    this.#settle?.({ type: 'paused', calls: [...this.#asked.values()] });
  }

  #post(message: ToSandbox): void {
    this.#options.thread.postMessage(message);
    if (message.type !== 'start') this.#watch();
  }

  #watch(): void {
    const { cpuMs } = this.#options.limits;
    const tooLong = `the script computed for more than ${cpuMs} ms and was stopped`;
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#fail(tooLong), timerMs(cpuMs + GRACE_MS));
  }

  #fail(message: string): void {
    if (this.#settle) this.#settle(this.#ended({ type: 'failed', kind: 'runtime', message }));
    else this.abandon();
  }

  #ended(outcome: ScriptOutcome): ScriptState {
    const names = this.#options.servers.map(({ name }) => name);
    return { type: 'ended', report: reportText(outcome, this.#printed, names) };
  }
}

/** Time that can be stopped, as for as long as nobody but a person is waited for. */
class Countdown {
  readonly #late: () => void;
  #leftMs: number;
  #startedAtMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(totalMs: number, late: () => void) {
    this.#leftMs = totalMs;
    this.#late = late;
  }

  run(): void {
    if (this.#timer) return;
    this.#startedAtMs = performance.now();
    this.#timer = setTimeout(this.#late, timerMs(Math.max(this.#leftMs, 0)));
  }

  hold(): void {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#leftMs -= performance.now() - this.#startedAtMs;
  }
}

const bindingOf = ({ name, aliases, tools }: BoundServer): ServerBinding => ({
  names: [name, ...aliases],
  functions: tools.map((bound) => [[bound.name, ...bound.aliases], bound.tool.name]),
});

/** The arguments of a call, as JSON and nothing else. */
function inputOf(tool: string, text: string): JsonObject {
  if (isDeep(text)) throw new Error(`the arguments of ${tool} are nested deeper than ${MAX_INPUT_DEPTH} levels`);
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new Error(`the arguments of ${tool} must be one object`);
  return value;
}

/** Looked at before anything walks the value: what calls itself for each level could run out of stack. */
function isDeep(text: string): boolean {
  let depth = 0;
  let isString = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (isString) {
      if (char === '\\') at += 1;
      else if (char === '"') isString = false;
    } else if (char === '"') isString = true;
    else if (char === '{' || char === '[') {
      depth += 1;
      if (depth > MAX_INPUT_DEPTH) return true;
    } else if (char === '}' || char === ']') depth -= 1;
  }
  return false;
}
