import { isObject, type JsonObject, type JsonValue, parsedJson } from '../model/json.ts';

interface Entry {
  readonly text: string;
  readonly keys: readonly string[];
  readonly expiresAtMs: number;
}

export interface KeptItemsLimits {
  readonly maxCharacters: number;
  readonly ttlMs: number;
}

const DEFAULT_LIMITS: KeptItemsLimits = { maxCharacters: 32 * 1024 * 1024, ttlMs: 6 * 3_600_000 };

const REFERENCE = '"item_reference"';
/** Ids as the items of an answer have them; those of other objects in it find nothing, and harm nothing. */
const ITEM_ID = /"id":"(\w+)"/g;

/**
 * Answers of the Responses API that were put together here. Clients that take them for stored (the Vercel AI SDK, unless
 * told `store: false`) name their items in the next request by `item_reference` instead of sending them, and no provider
 * knows these. Kept as text, which is read only when somebody names an item of it; found by the caller and the item's
 * id. Bounded in size and age, oldest out first.
 */
export class KeptItems {
  readonly #byKey = new Map<string, Entry>();
  readonly #entries = new Set<Entry>();
  readonly #limits: KeptItemsLimits;
  readonly #now: () => number;
  #characters = 0;

  constructor(now: () => number = () => performance.now(), limits: KeptItemsLimits = DEFAULT_LIMITS) {
    this.#now = now;
    this.#limits = limits;
  }

  /** `answer`: a response as JSON, or the server-sent events that end with it. */
  remember(owner: string, answer: string): void {
    const text = answer.slice(answer.lastIndexOf('\ndata: ') + 1).replace(/^data: /, '');
    const keys = Array.from(text.matchAll(ITEM_ID), ([, id = '']) => keyOf(owner, id));
    const entry: Entry = { text, keys, expiresAtMs: this.#now() + this.#limits.ttlMs };
    this.#entries.add(entry);
    this.#characters += text.length;
    for (const key of keys) this.#byKey.set(key, entry);
    for (const oldest of this.#entries) {
      if (this.#characters <= this.#limits.maxCharacters && oldest.expiresAtMs > this.#now()) break;
      this.#forget(oldest);
    }
  }

  /** The body with every item that is kept here in the place of its reference; the same bytes when there is none. */
  restored(owner: string, bytes: Buffer): Buffer {
    if (this.#entries.size === 0 || !bytes.includes(REFERENCE)) return bytes;
    const body = parsedJson(bytes.toString());
    if (!isObject(body) || !Array.isArray(body.input)) return bytes;
    const answers = new Map<Entry, readonly JsonObject[]>();
    let isSame = true;
    const input = body.input.map((item) => {
      const found = isReference(item) ? this.#find(owner, item.id, answers) : undefined;
      if (found) isSame = false;
      return found ?? item;
    });
    return isSame ? bytes : Buffer.from(JSON.stringify({ ...body, input }));
  }

  #find(owner: string, id: string, answers: Map<Entry, readonly JsonObject[]>): JsonObject | undefined {
    const entry = this.#byKey.get(keyOf(owner, id));
    if (!entry || entry.expiresAtMs <= this.#now()) return undefined;
    const items = answers.get(entry) ?? itemsOf(entry.text);
    answers.set(entry, items);
    return items.find((item) => item.id === id);
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry);
    this.#characters -= entry.text.length;
    for (const key of entry.keys) if (this.#byKey.get(key) === entry) this.#byKey.delete(key);
  }
}

const keyOf = (owner: string, id: string): string => `${owner} ${id}`;

const isReference = (item: JsonValue): item is JsonObject & { id: string } =>
  isObject(item) && item.type === 'item_reference' && typeof item.id === 'string';

/** The output of a response, or of the event that carries one. */
function itemsOf(text: string): JsonObject[] {
  const told = parsedJson(text);
  if (!isObject(told)) return [];
  const { output } = isObject(told.response) ? told.response : told;
  return Array.isArray(output) ? output.filter(isObject) : [];
}
