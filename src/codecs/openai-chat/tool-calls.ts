import type { Origin, Part } from '../../model/content.ts';
import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import type { GrowingPart, PartQueue } from './part-queue.ts';

/** A fragment of a call, as `tool_calls[n]` or the older `function_call` carry it. */
interface Fragment {
  readonly index: number | undefined;
  readonly id: string;
  readonly name: string;
  readonly input: string;
  /** Fields of the wire block that have no place in the model (`extra_content` of Gemini's compatible API). */
  readonly extras: JsonObject | undefined;
  readonly form: CallForm;
}

/** `custom` calls carry free text instead of JSON, `legacy` ones are `function_call`. */
type CallForm = 'function' | 'custom' | 'legacy';

export interface CallNaming {
  /** Wire name -> the request's own. */
  nameOf(wire: string): string;
  /** An id for the nth call of this answer that came without a usable one. */
  mintedId(ordinal: number): string;
}

/**
 * The calls of one answer. Clones leave `index` out, send 0 for all, repeat names or leave ids away, so a fragment is
 * matched by id, then by index and name, and a call whose JSON is complete takes no more (OpenAI says: by index).
 */
export class ToolCalls {
  readonly #queue: PartQueue;
  readonly #naming: CallNaming;
  #calls: KnownCalls | undefined;

  constructor(queue: PartQueue, naming: CallNaming) {
    this.#queue = queue;
    this.#naming = naming;
  }

  get any(): boolean {
    return this.#calls !== undefined;
  }

  /** `position` is set where the wire gives whole calls in a list, so that each is one of its own. */
  take(wire: unknown, position?: number): void {
    if (isObject(wire)) this.#add(fragmentOf(wire, position));
  }

  takeLegacy(wire: unknown): void {
    if (isObject(wire)) this.#add({ ...fragmentOf({ function: wire }, 0), form: 'legacy' });
  }

  /** Throws when the wire never named a call. */
  close(): void {
    const nameless = this.#calls?.firstWithoutName();
    if (nameless) {
      throw new GatewayError('bad-response', `the provider sent a tool call without a name (id "${nameless.id}")`);
    }
  }

  #add(fragment: Fragment): void {
    const { name } = fragment;
    const known = this.#find(fragment);
    const input = !known?.input && tellsNothing(fragment) ? '' : fragment.input;
    if (known) {
      if (known.name === '' && name !== '') known.name = this.#naming.nameOf(name);
      known.input += input;
      this.#queue.grow(known, known.form === 'custom' ? '' : input);
      return;
    }
    if (fragment.id === '' && name === '' && input === '') return;
    this.#calls ??= new KnownCalls();
    const call = new Call(fragment, this.#freshId(fragment.id, this.#calls), this.#naming.nameOf(name));
    this.#calls.add(call);
    this.#queue.add(call);
    call.input = input;
    if (call.form !== 'custom') this.#queue.grow(call, input);
  }

  #find({ index, id, name, input }: Fragment): Call | undefined {
    const calls = this.#calls;
    if (!calls) return undefined;
    if (id !== '') {
      const same = calls.withWireId(id);
      const another = same && name !== '' && index !== undefined && same.index !== undefined && same.index !== index;
      if (same) return another ? undefined : same;
      // an id that comes late belongs to the call that waits for one
      return name === '' ? calls.withoutWireId(index) : undefined;
    }
    const last = calls.lastAt(index);
    if (name === '' || !last || last.name === '') return last;
    if (last.name !== this.#naming.nameOf(name)) return undefined;
    // who gives ids to calls begins none without one
    const saysNoMore = input === '' && last.wireId !== '';
    return saysNoMore || !last.isComplete() ? last : undefined;
  }

  #freshId(id: string, calls: KnownCalls): string {
    return id === '' || calls.hasId(id) ? this.#naming.mintedId(calls.count) : id;
  }
}

/** The calls so far, found in one step: an answer may hold tens of thousands. Of several that fit, the last one counts. */
class KnownCalls {
  readonly #all: Call[] = [];
  readonly #ids = new Set<string>();
  readonly #byWireId = new Map<string, Call>();
  readonly #byIndex = new Map<number | undefined, Call>();
  readonly #withoutWireId = new Map<number | undefined, Call>();

  get count(): number {
    return this.#all.length;
  }

  add(call: Call): void {
    this.#all.push(call);
    this.#ids.add(call.id);
    this.#byIndex.set(call.index, call);
    if (call.wireId === '') this.#withoutWireId.set(call.index, call);
    else this.#byWireId.set(call.wireId, call);
  }

  hasId(id: string): boolean {
    return this.#ids.has(id);
  }

  withWireId(id: string): Call | undefined {
    return this.#byWireId.get(id);
  }

  withoutWireId(index: number | undefined): Call | undefined {
    return this.#withoutWireId.get(index);
  }

  /** Without an index any call fits. */
  lastAt(index: number | undefined): Call | undefined {
    return index === undefined ? this.#all.at(-1) : this.#byIndex.get(index);
  }

  firstWithoutName(): Call | undefined {
    return this.#all.find((call) => call.name === '');
  }
}

class Call implements GrowingPart {
  readonly id: string;
  readonly wireId: string;
  readonly index: number | undefined;
  readonly form: CallForm;
  readonly #extras: JsonObject | undefined;
  name: string;
  input = '';
  /** How much of the input was found to be no whole JSON: nothing new is told by reading the same again. */
  #brokenLength = -1;

  constructor(fragment: Fragment, id: string, name: string) {
    this.id = id;
    this.wireId = fragment.id;
    this.index = fragment.index;
    this.form = fragment.form;
    this.#extras = fragment.extras;
    this.name = name;
  }

  start(): Part | undefined {
    if (this.name === '') return undefined;
    const origin = this.#origin();
    return { type: 'tool-call', id: this.id, name: this.name, input: '', ...(origin && { origin }) };
  }

  isComplete(): boolean {
    if (this.form === 'custom') return true;
    if (this.input.length === this.#brokenLength) return false;
    if (isWholeJson(this.input)) return true;
    this.#brokenLength = this.input.length;
    return false;
  }

  /** Free text is shown as the one argument `input` of a function. */
  rest(): string {
    return this.form === 'custom' ? JSON.stringify({ input: this.input }) : '';
  }

  finished(): Origin | undefined {
    return this.form === 'custom' ? this.#origin() : undefined;
  }

  #origin(): Origin | undefined {
    const { name, input } = this;
    switch (this.form) {
      case 'custom':
        return { codec: 'openai-chat', block: { ...this.#extras, type: 'custom', custom: { name, input } } };
      case 'legacy':
        return { codec: 'openai-chat', block: { function_call: { name } } };
      case 'function':
        return this.#extras && { codec: 'openai-chat', block: this.#extras };
    }
  }
}

/** Some servers write so that there are no arguments; white space may also begin them. */
const tellsNothing = ({ input, form }: Fragment): boolean =>
  input === 'null' || (form !== 'custom' && input.trim() === '');

const string = (value: unknown): string => (typeof value === 'string' ? value : '');

function fragmentOf(wire: JsonObject, position: number | undefined): Fragment {
  const custom = isObject(wire.custom) ? wire.custom : undefined;
  const body = custom ?? (isObject(wire.function) ? wire.function : {});
  const input = custom ? custom.input : body.arguments;
  return {
    index: position ?? (typeof wire.index === 'number' ? wire.index : undefined),
    id: string(wire.id),
    name: string(body.name),
    // Ollama's and others' compatible servers send the arguments as an object
    input: isObject(input) ? JSON.stringify(input) : string(input),
    extras: extrasOf(wire),
    form: custom ? 'custom' : 'function',
  };
}

const KNOWN: ReadonlySet<string> = new Set(['index', 'id', 'type', 'function', 'custom']);

function extrasOf(wire: JsonObject): JsonObject | undefined {
  let extras: JsonObject | undefined;
  for (const key in wire) {
    if (KNOWN.has(key) || wire[key] === null) continue;
    extras ??= {};
    extras[key] = wire[key];
  }
  return extras;
}

function isWholeJson(text: string): boolean {
  if (!text.trimEnd().endsWith('}')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
