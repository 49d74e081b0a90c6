import {
  newQuickJSWASMModuleFromVariant,
  type QuickJSContext,
  type QuickJSDeferredPromise,
  type QuickJSHandle,
  type QuickJSRuntime,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core';
import { PRELUDE } from './prelude.ts';
import type { FromSandbox, ScriptErrorKind, ScriptLimits, ServerBinding } from './protocol.ts';

/** How many jobs run between two looks at the clock and at the outside world. */
const JOBS_AT_ONCE = 1_000;
/** Of WebAssembly memory. */
const PAGE_BYTES = 65_536;

/** WebAssembly with nothing in it yet: it takes a moment, which a spare sandbox spends before it is needed. */
export const loadEngine = (): Promise<QuickJSWASMModule> =>
  newQuickJSWASMModuleFromVariant(import('@jitl/quickjs-wasmfile-release-sync'));

/**
 * The engine's own limit counts blocks and not their bytes (its C library cannot tell how large a block is), so the memory
 * that it lives in is kept from growing: an allocation that finds no room is an error inside of the script.
 */
function limitMemory(engine: QuickJSWASMModule, maxBytes: number): void {
  const memory = engine.getWasmMemory();
  const grow = memory.grow.bind(memory);
  memory.grow = (pages: number) => {
    if (memory.buffer.byteLength + pages * PAGE_BYTES > maxBytes) throw new RangeError('out of memory');
    return grow(pages);
  };
}

interface SandboxOptions {
  readonly engine: QuickJSWASMModule;
  readonly limits: ScriptLimits;
  readonly send: (message: FromSandbox) => void;
}

/**
 * One script in an engine of its own: QuickJS, compiled to WebAssembly. It can reach its own memory and what is put into
 * it here, functions that take and give strings; there is no network, no file, no timer, no process.
 */
export class Sandbox {
  readonly #limits: ScriptLimits;
  readonly #send: SandboxOptions['send'];
  readonly #runtime: QuickJSRuntime;
  readonly #context: QuickJSContext;
  readonly #calls = new Map<number, QuickJSDeferredPromise>();
  #callCount = 0;
  #answered = 0;
  #printed = 0;
  #spentMs = 0;
  /** The script's own time has not begun yet. */
  #sliceStartedMs = Number.POSITIVE_INFINITY;
  #show: QuickJSHandle | undefined;
  #outcome: QuickJSHandle | undefined;
  #isOver = false;

  constructor({ engine, limits, send }: SandboxOptions) {
    this.#limits = limits;
    this.#send = send;
    this.#runtime = engine.newRuntime();
    limitMemory(engine, limits.memoryBytes);
    this.#runtime.setMaxStackSize(limits.stackBytes);
    this.#runtime.setInterruptHandler(() => this.#cpuMs > limits.cpuMs);
    this.#context = this.#runtime.newContext();
  }

  /** `code` is JavaScript: the body of an async function. */
  async start(code: string, servers: readonly ServerBinding[]): Promise<void> {
    this.#install(servers);
    this.#sliceStartedMs = performance.now();
    const evaluated = this.#context.evalCode(asProgram(code), 'script.js');
    if (evaluated.error) {
      this.#fail(evaluated.error);
      return;
    }
    this.#outcome = evaluated.value;
    await this.#settle();
  }

  async answer(number: number, answer: { readonly value: string } | { readonly message: string }): Promise<void> {
    this.#answered += 1;
    const call = this.#calls.get(number);
    this.#calls.delete(number);
    if (!call || this.#isOver) return;
    this.#sliceStartedMs = performance.now();
    if ('value' in answer) this.#context.newString(answer.value).consume((value) => call.resolve(value));
    else this.#context.newError(answer.message).consume((error) => call.reject(error));
    call.dispose();
    await this.#settle();
  }

  get #cpuMs(): number {
    return this.#spentMs + performance.now() - this.#sliceStartedMs;
  }

  #install(servers: readonly ServerBinding[]): void {
    const context = this.#context;
    const prelude = context.unwrapResult(context.evalCode(PRELUDE, 'prelude.js'));
    const call = context.newFunction('call', (tool, input) =>
      this.#call(context.getString(tool), context.getString(input)),
    );
    const emit = context.newFunction('emit', (line) => this.#print(context.getString(line)));
    const table = context.newString(JSON.stringify(servers));
    this.#show = context.unwrapResult(context.callFunction(prelude, context.undefined, call, emit, table));
    for (const handle of [prelude, call, emit, table]) handle.dispose();
  }

  #call(tool: string, input: string): QuickJSHandle {
    const { maxCalls, inputLength } = this.#limits;
    this.#callCount += 1;
    if (this.#callCount > maxCalls) throw new Error(`a script may make ${maxCalls} tool calls, this one makes more`);
    if (input.length > inputLength)
      throw new Error(`the arguments of ${tool} are longer than ${inputLength} characters`);
    const number = this.#callCount;
    const promise = this.#context.newPromise();
    this.#calls.set(number, promise);
    this.#send({ type: 'call', number, tool, input });
    return promise.handle;
  }

  #print(line: string): void {
    const left = this.#limits.outputLength - this.#printed;
    if (left <= 0) return;
    const isCut = line.length >= left;
    this.#printed += line.length + 1;
    this.#send({
      type: 'printed',
      line: isCut ? `${line.slice(0, left)}\n[the rest of the output was left out]` : line,
    });
  }

  /** Lets the script go on until it waits for the outside, or is over. */
  async #settle(): Promise<void> {
    while (!this.#isOver && this.#runtime.hasPendingJob()) {
      const ran = this.#runtime.executePendingJobs(JOBS_AT_ONCE);
      if (ran.error) {
        this.#fail(ran.error);
        return;
      }
      if (this.#cpuMs > this.#limits.cpuMs) this.#failWith('runtime', this.#tooLong());
    }
    this.#spentMs = this.#cpuMs;
    if (!this.#isOver) this.#look();
  }

  #look(): void {
    const state = this.#outcome && this.#context.getPromiseState(this.#outcome);
    if (!state || state.type === 'pending') {
      if (this.#calls.size > 0) this.#send({ type: 'idle', answered: this.#answered });
      else this.#failWith('runtime', 'the script waits for a promise that nothing will ever settle');
    } else if (state.type === 'rejected') this.#fail(state.error);
    else this.#finish(state.value);
  }

  #finish(value: QuickJSHandle): void {
    const context = this.#context;
    this.#sliceStartedMs = performance.now();
    const shown = this.#show && context.callFunction(this.#show, context.undefined, value);
    if (!shown) return;
    if (shown.error) {
      this.#fail(shown.error, 'the returned value is no JSON: ');
      return;
    }
    this.#isOver = true;
    const text = context.typeof(shown.value) === 'string' ? context.getString(shown.value) : undefined;
    this.#send({ type: 'done', ...(text !== undefined && { value: cut(text, this.#limits.outputLength) }) });
  }

  #fail(error: QuickJSHandle, before = ''): void {
    const { kind, message } = this.#errorOf(error);
    this.#failWith(kind, `${before}${message}`);
  }

  #failWith(kind: ScriptErrorKind, message: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#send({ type: 'failed', kind, message: cut(message, this.#limits.outputLength) });
  }

  /** An error is an object of the script: reading it may run the script's code again. */
  #errorOf(error: QuickJSHandle): { kind: ScriptErrorKind; message: string } {
    const text = (property: string): string => {
      const handle = this.#context.getProp(error, property);
      return this.#context.typeof(handle) === 'string' ? this.#context.getString(handle) : '';
    };
    try {
      if (this.#context.typeof(error) !== 'object') return { kind: 'runtime', message: this.#thrownText(error) };
      const [name, message, stack] = [text('name'), text('message'), text('stack')];
      if (name === 'InternalError' && message === 'interrupted') return { kind: 'runtime', message: this.#tooLong() };
      const place = /script\.js:(\d+)/.exec(stack)?.[1];
      const kind =
        name === 'SyntaxError' && !stack.includes('at <anonymous>') && !stack.includes('(native)')
          ? 'syntax'
          : 'runtime';
      return { kind, message: `${name || 'Error'}: ${message}${place ? ` (line ${place})` : ''}` };
    } catch (thrown) {
      return { kind: 'runtime', message: `an error that cannot be read: ${String(thrown)}` };
    }
  }

  #thrownText(value: QuickJSHandle): string {
    const dumped: unknown = this.#context.dump(value);
    return `${typeof dumped === 'symbol' ? 'a symbol' : String(dumped)} was thrown`;
  }

  #tooLong(): string {
    return `the script computed for more than ${this.#limits.cpuMs} ms and was stopped`;
  }
}

/** What a top-level variable named `result` holds counts as returned. The code keeps its line numbers. */
const asProgram = (code: string): string =>
  `(async () => {${code}\n;return typeof result === 'undefined' ? undefined : result;\n})()`;

const cut = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max)}\n[${text.length - max} more characters were left out]`;
