import type { CallContext } from '../model/call.ts';
import type { Message, Part, ToolCallPart, ToolResultPart } from '../model/content.ts';
import type { ChatRequest } from '../model/request.ts';
import type { PausedRun, ToolOutput } from './tools.ts';

/** A run that a client was asked about, from its first pause until it is forgotten. */
interface Entry {
  /** Ids of all calls that the client was handed for it. */
  readonly handed: Set<string>;
  /** Stands in the text that the model would read as the run's result: the first of those ids. */
  readonly mark: string;
  readonly keys: string[];
  run: PausedRun | undefined;
  output: ToolOutput | undefined;
  resuming: Promise<ToolOutput> | undefined;
  expiry: NodeJS.Timeout | undefined;
}

export interface PauseLimits {
  /** Runs that wait; each holds a thread. The one that waits longest is given up for a new one. */
  readonly maxWaiting: number;
  /** How long a run waits. */
  readonly waitMs: number;
  /** Entries that are known, waiting or over. */
  readonly maxKnown: number;
}

const DEFAULT_LIMITS: PauseLimits = { maxWaiting: 16, waitMs: 600_000, maxKnown: 1_000 };

/** What a request is, once what it brings for paused runs was used. */
export interface Settled {
  readonly request: ChatRequest;
  /** Calls for which runs have paused again: the client is handed these, and the model is not asked. */
  readonly calls: readonly ToolCallPart[];
}

/**
 * Runs that wait for a client to bring the results of calls. The client saw those calls as ordinary ones; the model never
 * did. So they are taken out of the history again, and what the run gave stands where its result belongs.
 */
export class PausedRuns {
  readonly #entries = new Map<string, Entry>();
  readonly #limits: PauseLimits;

  constructor(limits: PauseLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  hold(owner: string, run: PausedRun): void {
    const [first] = run.calls;
    if (!first) return;
    const entry: Entry = {
      handed: new Set(),
      mark: first.id,
      keys: [],
      run: undefined,
      output: undefined,
      resuming: undefined,
      expiry: undefined,
    };
    this.#wait(owner, entry, run);
    this.#makeRoom();
  }

  /** The way to use what a request brings for runs of this owner; undefined when it brings nothing. */
  settling(owner: string, request: ChatRequest): ((context: CallContext) => Promise<Settled>) | undefined {
    if (this.#entries.size === 0) return undefined;
    // the calls themselves may be gone: a turn that was put back in its place holds only what the model said
    const ids = [...calledIn(request).map(({ id }) => id), ...resultsIn(request).map(({ callId }) => callId)];
    const asked = ids.flatMap((id) => this.#entries.get(keyOf(owner, id)) ?? []);
    // where the run's own call is gone from the history, its result would have no place
    const entries = [...new Set(asked)].filter(({ mark }) => isMarked(request, mark));
    if (entries.length === 0) return undefined;
    return (context) => this.#settle(owner, entries, request, context);
  }

  /** Gives up all that wait. */
  close(): void {
    for (const entry of this.#entries.values()) giveUp(entry);
    this.#entries.clear();
  }

  async #settle(
    owner: string,
    entries: readonly Entry[],
    request: ChatRequest,
    context: CallContext,
  ): Promise<Settled> {
    const results = new Map(resultsIn(request).map((result) => [result.callId, result]));
    const outputs = await Promise.all(entries.map((entry) => this.#outputOf(owner, entry, results, context)));
    context.signal.throwIfAborted();
    const calls = outputs.flatMap((output) => output?.paused?.calls ?? []);
    return { request: withOutputs(request, entries), calls };
  }

  /** A request that comes twice goes on once: the second waits for the first. */
  async #outputOf(
    owner: string,
    entry: Entry,
    results: ReadonlyMap<string, ToolResultPart>,
    context: CallContext,
  ): Promise<ToolOutput | undefined> {
    const { run } = entry;
    if (!run) return entry.output;
    if (!entry.resuming && !run.calls.some(({ id }) => results.has(id))) return undefined;
    entry.resuming ??= resumed(run, results, context);
    const output = await entry.resuming;
    if (entry.run !== run) return output;
    clearTimeout(entry.expiry);
    entry.resuming = undefined;
    if (output.paused) this.#wait(owner, entry, output.paused);
    else {
      entry.run = undefined;
      entry.output = output;
    }
    return output;
  }

  #wait(owner: string, entry: Entry, run: PausedRun): void {
    entry.run = run;
    for (const { id } of run.calls) {
      const key = keyOf(owner, id);
      entry.handed.add(id);
      entry.keys.push(key);
      this.#entries.set(key, entry);
    }
    entry.expiry = setTimeout(() => giveUp(entry), this.#limits.waitMs).unref();
  }

  /** The oldest come first. */
  #makeRoom(): void {
    const entries = [...new Set(this.#entries.values())];
    const waiting = entries.filter(({ run }) => run !== undefined);
    for (const entry of waiting.slice(0, Math.max(0, waiting.length - this.#limits.maxWaiting))) giveUp(entry);
    for (const { keys } of entries.slice(0, Math.max(0, entries.length - this.#limits.maxKnown))) {
      for (const key of keys) this.#entries.delete(key);
    }
  }
}

const keyOf = (owner: string, id: string): string => `${owner}\n${id}`;

const GIVEN_UP = 'The run was given up, because it waited too long to be allowed. Run it again if it is still needed.';

function giveUp(entry: Entry): void {
  clearTimeout(entry.expiry);
  if (!entry.run || entry.resuming) return;
  entry.run.abandon();
  entry.run = undefined;
  entry.output = failure(GIVEN_UP);
}

/** Never rejects: what goes wrong is what the model reads. */
async function resumed(
  run: PausedRun,
  results: ReadonlyMap<string, ToolResultPart>,
  context: CallContext,
): Promise<ToolOutput> {
  try {
    return await run.resume(results, context);
  } catch (thrown) {
    return failure(`The run ended: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
}

const failure = (text: string): ToolOutput => ({ content: [{ type: 'text', text }], isError: true });

const calledIn = ({ messages }: ChatRequest): ToolCallPart[] =>
  messages.flatMap(({ parts }) => parts.filter((part): part is ToolCallPart => part.type === 'tool-call'));

const resultsIn = ({ messages }: ChatRequest): ToolResultPart[] =>
  messages.flatMap(({ parts }) => parts.filter((part): part is ToolResultPart => part.type === 'tool-result'));

const isMarked = (request: ChatRequest, mark: string): boolean =>
  resultsIn(request).some((result) => holdsMark(result, mark));

const holdsMark = ({ content }: ToolResultPart, mark: string): boolean =>
  content.some((part) => part.type === 'text' && part.text.includes(mark));

/** The history as the model made it: without the calls that only the client saw, and with what their runs gave. */
function withOutputs(request: ChatRequest, entries: readonly Entry[]): ChatRequest {
  const messages = request.messages.flatMap((message): Message[] => {
    const parts = message.parts.flatMap((part) => partWithOutput(part, entries));
    return parts.length > 0 || message.parts.length === 0 ? [{ ...message, parts }] : [];
  });
  const { model, stream, fallbacks, tools, toolChoice, settings } = request;
  return { model, stream, fallbacks, messages, tools, toolChoice, settings, untouched: false };
}

function partWithOutput(part: Part, entries: readonly Entry[]): Part[] {
  if (part.type === 'tool-call') return entries.some(({ handed }) => handed.has(part.id)) ? [] : [part];
  if (part.type !== 'tool-result') return [part];
  if (entries.some(({ handed }) => handed.has(part.callId))) return [];
  const output = entries.find(({ mark }) => holdsMark(part, mark))?.output;
  if (!output) return [part];
  // the block as it came says what is no longer true
  const { origin: _, ...rest } = part;
  return [{ ...rest, content: output.content, isError: output.isError }];
}
