import { isUniqueCallId, plainCallId, withoutSignature } from '../model/call-ids.ts';
import type { CodecId, Message, Part, ToolCallPart } from '../model/content.ts';
import type { Loss } from '../model/loss.ts';
import type { ChatRequest } from '../model/request.ts';
import { foreignTurn, type KeptPart, keptParts, withState } from './restore.ts';
import { contentDigest } from './state.ts';

/** Who answered whom, and in which words the client was shown it. */
export interface Answered {
  /** Another owner's key never gets what this one left. */
  readonly owner: string;
  readonly family: string;
  readonly dialect: CodecId;
}

/** An answer that travelled as bytes, read only when somebody misses its state. */
export interface UnreadAnswer {
  readonly bytes: number;
  readonly read: () => readonly Part[];
}

export interface VaultLimits {
  readonly maxBytes: number;
  readonly maxEntries: number;
  readonly ttlMs: number;
}

const DEFAULT_LIMITS: VaultLimits = { maxBytes: 64 * 1024 * 1024, maxEntries: 20_000, ttlMs: 6 * 3_600_000 };

interface Entry {
  readonly answered: Answered;
  readonly bytes: number;
  readonly expiresAtMs: number;
  kept: readonly KeptPart[];
  keys: readonly string[];
  unread: (() => readonly Part[]) | undefined;
}

/**
 * Keeps what models leave in their answers for themselves: signatures, thinking, encrypted reasoning. Most clients drop
 * what their format has no field for; when the same family answers again, it gets its own back, and no other family
 * ever sees it. A turn is found by its calls' ids and by what it says. Bounded in bytes and entries, oldest out first.
 */
export class ReasoningVault {
  readonly #entries = new Set<Entry>();
  readonly #byKey = new Map<string, Entry>();
  /** Live entries for each owner, and for each owner, dialect and family. */
  readonly #counts = new Map<string, number>();
  readonly #unread = new Map<string, Set<Entry>>();
  readonly #limits: VaultLimits;
  readonly #now: () => number;
  #bytes = 0;

  constructor(now: () => number = () => performance.now(), limits: VaultLimits = DEFAULT_LIMITS) {
    this.#now = now;
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Keeps the state of a turn; nothing when it carries none. */
  remember(answered: Answered, parts: readonly Part[]): void {
    const kept = keptParts(parts);
    if (!kept) return;
    const keys = keysOf(answered.owner, parts);
    const bytes = JSON.stringify(kept).length + keys.join('').length;
    const entry = this.#add({ answered, bytes, kept, keys, unread: undefined });
    this.#index(entry);
  }

  rememberUnread(answered: Answered, { bytes, read }: UnreadAnswer): void {
    const entry = this.#add({ answered, bytes, kept: [], keys: [], unread: read });
    const waiting = this.#unread.get(answered.owner) ?? new Set();
    this.#unread.set(answered.owner, waiting.add(entry));
  }

  /** Whether an owner's history may hold anything that is kept here. */
  knows(owner: string): boolean {
    return this.#counts.size > 0 && this.#counts.has(owner);
  }

  /** Whether a client of this dialect was shown state of other families than this one. */
  hasForeign(owner: string, dialect: CodecId, family: string): boolean {
    const all = this.#counts.get(dialectKey(owner, dialect)) ?? 0;
    return all > (this.#counts.get(familyKey({ owner, dialect, family })) ?? 0);
  }

  /** The request as a family may see it, with its own state put back; the same request when nothing changes. */
  restored(owner: string, family: string, request: ChatRequest, losses: Loss[]): ChatRequest {
    if (request.stateless || !this.knows(owner)) return request;
    this.#readAll(owner);
    const messages = request.messages.map((message, index) => this.#turn(owner, family, message, index, losses));
    if (messages.every((message, index) => message === request.messages[index])) return request;
    return { ...withoutRaw(request), messages };
  }

  #turn(owner: string, family: string, message: Message, index: number, losses: Loss[]): Message {
    if (message.role !== 'assistant') return message;
    const entry = this.#entryOf(owner, message.parts);
    if (!entry) return message;
    const isOwn = entry.answered.family === family;
    const parts = isOwn ? withState(message.parts, entry.kept) : foreignTurn(message.parts);
    if (parts === message.parts) return message;
    const reason = isOwn
      ? 'what the model left for itself in this turn was missing, and was put back'
      : `only ${entry.answered.family} can read what it left for itself in this turn`;
    losses.push({ field: `messages.${index}`, action: isOwn ? 'invented' : 'dropped', reason });
    return { role: 'assistant', parts };
  }

  #entryOf(owner: string, parts: readonly Part[]): Entry | undefined {
    for (const key of lookupKeys(owner, parts)) {
      const entry = this.#byKey.get(key);
      if (entry && entry.expiresAtMs > this.#now()) return entry;
    }
    return undefined;
  }

  #add(given: Omit<Entry, 'expiresAtMs'>): Entry {
    const entry = { ...given, expiresAtMs: this.#now() + this.#limits.ttlMs };
    this.#entries.add(entry);
    this.#count(entry, 1);
    for (const oldest of this.#entries) {
      const fits = this.#bytes <= this.#limits.maxBytes && this.#entries.size <= this.#limits.maxEntries;
      if (fits && oldest.expiresAtMs > this.#now()) break;
      this.#forget(oldest);
    }
    return entry;
  }

  #index(entry: Entry): void {
    if (!this.#entries.has(entry)) return;
    for (const key of entry.keys) {
      const older = this.#byKey.get(key);
      this.#byKey.set(key, entry);
      if (older && older !== entry && older.keys.every((one) => this.#byKey.get(one) !== older)) this.#forget(older);
    }
  }

  #readAll(owner: string): void {
    const waiting = this.#unread.get(owner);
    this.#unread.delete(owner);
    for (const entry of waiting ?? []) {
      const parts = entry.unread?.() ?? [];
      this.#forget(entry);
      this.remember(entry.answered, parts);
    }
  }

  #forget(entry: Entry): void {
    if (!this.#entries.delete(entry)) return;
    this.#count(entry, -1);
    for (const key of entry.keys) if (this.#byKey.get(key) === entry) this.#byKey.delete(key);
    this.#unread.get(entry.answered.owner)?.delete(entry);
  }

  #count({ answered, bytes }: Entry, by: 1 | -1): void {
    this.#bytes += by * bytes;
    const { owner, dialect } = answered;
    for (const key of [owner, dialectKey(owner, dialect), familyKey(answered)]) {
      const count = (this.#counts.get(key) ?? 0) + by;
      if (count > 0) this.#counts.set(key, count);
      else this.#counts.delete(key);
    }
  }
}

const dialectKey = (owner: string, dialect: CodecId): string => `${owner}\n${dialect}`;
const familyKey = ({ owner, dialect, family }: Answered): string => `${owner}\n${dialect}\n${family}`;

/** The request to be written anew, since its body no longer says the same. */
export const withoutRaw = (request: ChatRequest): ChatRequest => ({
  model: request.model,
  stream: request.stream,
  fallbacks: request.fallbacks,
  messages: request.messages,
  tools: request.tools,
  toolChoice: request.toolChoice,
  settings: request.settings,
  untouched: false,
});

/** The request without anything that only some model can read: for a provider that refused it as another's. */
export function withoutAnyState(request: ChatRequest): ChatRequest {
  const idOf = unsignedIds(request.messages);
  const messages = request.messages.map(({ role, parts }) => ({
    role,
    parts: (role === 'assistant' ? foreignTurn(parts) : parts).map((part) => underId(part, idOf)),
  }));
  return { ...withoutRaw(request), messages, stateless: true };
}

/** A signature may ride on a call's id, and so on its result's. Ids that would be one without it stay as they are. */
function unsignedIds(messages: readonly Message[]): (id: string) => string {
  const calls = messages.flatMap(({ parts }) => parts.filter((part) => part.type === 'tool-call'));
  const ids = new Set(calls.map(({ id }) => id));
  const unsigned = new Map<string, string>();
  for (const id of ids) {
    const bare = withoutSignature(id);
    if (ids.has(bare)) continue;
    unsigned.set(id, bare);
    ids.add(bare);
  }
  return (id) => unsigned.get(id) ?? id;
}

function underId(part: Part, idOf: (id: string) => string): Part {
  if (part.type === 'tool-call') return { ...part, id: idOf(part.id) };
  return part.type === 'tool-result' ? { ...part, callId: idOf(part.callId) } : part;
}

/** Under what a turn is kept: its calls' ids where those are its own, and what it says. */
function keysOf(owner: string, parts: readonly Part[]): string[] {
  const ids = parts.flatMap((part) => (part.type === 'tool-call' && hasOwnId(part) ? [idKey(owner, part)] : []));
  const speaks = parts.some((part) => part.type === 'tool-call' || (part.type === 'text' && part.text.trim() !== ''));
  return speaks ? [...ids, contentKey(owner, parts)] : ids;
}

/** By what a turn may be known again: where a client gives every call's own id back, by nothing else. */
function lookupKeys(owner: string, parts: readonly Part[]): string[] {
  const calls = parts.filter((part): part is ToolCallPart => part.type === 'tool-call');
  // clients of Gemini may leave ids away, and then the codec gives its own
  const keepsIds = calls.length > 0 && calls.every((call) => hasOwnId(call) && call.origin?.codec !== 'gemini');
  return keepsIds ? calls.map((call) => idKey(owner, call)) : keysOf(owner, parts);
}

const contentKey = (owner: string, parts: readonly Part[]): string => `${owner}\n${contentDigest(parts)}`;
const idKey = (owner: string, { id, name }: ToolCallPart): string => `${owner}\n${plainCallId(id)}\n${name}`;
const hasOwnId = ({ id }: ToolCallPart): boolean => isUniqueCallId(id);
