import { isObject, type JsonObject } from '../model/json.ts';
import type { Offer, OfferKind } from './server/source.ts';
import type { Session } from './session.ts';

/** How a kind is listed, and where its key stands. */
const LISTED: Readonly<Record<OfferKind, { method: string; member: string; key: string; capability: string }>> = {
  resources: { method: 'resources/list', member: 'resources', key: 'uri', capability: 'resources' },
  templates: {
    method: 'resources/templates/list',
    member: 'resourceTemplates',
    key: 'uriTemplate',
    capability: 'resources',
  },
  prompts: { method: 'prompts/list', member: 'prompts', key: 'name', capability: 'prompts' },
};

/** A server that does not say when its lists change is asked anew after this long. */
const FRESH_MS = 30_000;
const FRESH_WHEN_TOLD_MS = 600_000;

export interface OfferListOptions {
  readonly clientName: () => string;
  readonly capabilities: () => JsonObject;
  readonly use: <Result>(work: (session: Session) => Promise<Result>) => Promise<Result>;
  readonly timeoutMs: number;
  readonly warn: (message: string) => void;
}

interface Kept {
  readonly offers: readonly Offer[];
  readonly freshUntilMs: number;
}

/** What one server offers beside tools, asked for when somebody wants it. The last good list outlives failures (G9). */
export class OfferLists {
  readonly #options: OfferListOptions;
  readonly #kept = new Map<OfferKind, Kept>();
  readonly #asking = new Map<OfferKind, Promise<readonly Offer[]>>();
  /** Grows with each change, so that an answer from before it is not kept as fresh. */
  #changes = 0;

  constructor(options: OfferListOptions) {
    this.#options = options;
  }

  async of(kind: OfferKind): Promise<readonly Offer[]> {
    if (!isObject(this.#options.capabilities()[LISTED[kind].capability])) return [];
    const kept = this.#kept.get(kind);
    if (kept && performance.now() < kept.freshUntilMs) return kept.offers;
    const known = this.#asking.get(kind);
    if (known) return known;
    const asking = this.#ask(kind);
    this.#asking.set(kind, asking);
    const done = () => this.#asking.get(kind) === asking && this.#asking.delete(kind);
    return asking.finally(done);
  }

  /** The lists changed, or the server is another one. */
  outdated(): void {
    this.#changes += 1;
    this.#asking.clear();
    for (const [kind, { offers }] of this.#kept) this.#kept.set(kind, { offers, freshUntilMs: 0 });
  }

  async #ask(kind: OfferKind): Promise<readonly Offer[]> {
    const { method, member, key, capability } = LISTED[kind];
    const changes = this.#changes;
    try {
      const listed = await this.#options.use((session) => session.listAll(method, member, this.#options.timeoutMs));
      const offers = this.#offersOf(listed, key);
      const declared = this.#options.capabilities()[capability];
      const tells = isObject(declared) && declared.listChanged === true;
      const freshMs = changes === this.#changes ? (tells ? FRESH_WHEN_TOLD_MS : FRESH_MS) : 0;
      this.#kept.set(kind, { offers, freshUntilMs: performance.now() + freshMs });
      return offers;
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      // Servers that announce resources need not have templates.
      if (!/-32601|method not found/i.test(reason)) this.#options.warn(`${method} failed: ${reason}`);
      return this.#kept.get(kind)?.offers ?? [];
    }
  }

  #offersOf(listed: readonly unknown[], key: string): Offer[] {
    const clientName = this.#options.clientName();
    const byKey = new Map<string, Offer>();
    for (const definition of listed) {
      const value = isObject(definition) ? definition[key] : undefined;
      if (!isObject(definition) || typeof value !== 'string' || value === '') continue;
      if (!byKey.has(value)) byKey.set(value, { clientName, key: value, definition });
    }
    return [...byKey.values()];
  }
}
