import type { McpClientConfig } from '../config/schema.ts';
import { buildCatalog, type CatalogSource } from './catalog.ts';
import type { Catalog, CatalogTool } from './contract.ts';
import { type CallerFilters, isFiltered, refusalOf } from './filters.ts';

const CACHED_VIEWS = 200;

/** The catalog of now: replaced whole when something changed, the same object while nothing did. */
export class LiveCatalog {
  readonly #listeners = new Set<(catalog: Catalog) => void>();
  readonly #views = new Map<string, readonly CatalogTool[]>();
  readonly #listenerFailed: (thrown: unknown) => void;
  #sources: readonly CatalogSource[] = [];
  #current: Catalog = buildCatalog(0, []);

  constructor(listenerFailed: (thrown: unknown) => void) {
    this.#listenerFailed = listenerFailed;
  }

  get current(): Catalog {
    return this.#current;
  }

  /** Calls `listener` after each change; gives the function that ends it. */
  onChange(listener: (catalog: Catalog) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What this caller may see of it, in its order. The same array until something changed. */
  visibleTo(caller: CallerFilters, configOf: (client: string) => McpClientConfig | undefined): readonly CatalogTool[] {
    const { includeClients, includeTools, keyTools } = caller;
    if (!isFiltered(caller) && keyTools === undefined) return this.#current.tools;
    const key = JSON.stringify([includeClients, includeTools, keyTools]);
    let view = this.#views.get(key);
    if (!view) {
      view = this.#current.tools.filter((tool) => {
        const config = configOf(tool.clientName);
        return config !== undefined && refusalOf(tool, config, caller) === undefined;
      });
      if (this.#views.size >= CACHED_VIEWS) this.#views.clear();
      this.#views.set(key, view);
    }
    return view;
  }

  rebuild(sources: readonly CatalogSource[]): void {
    const last = this.#sources;
    const isSame =
      sources.length === last.length &&
      sources.every(({ config, listed }, index) => config === last[index]?.config && listed === last[index]?.listed);
    if (isSame) return;
    this.#sources = sources;
    this.#current = buildCatalog(this.#current.version + 1, sources);
    this.#views.clear();
    for (const listener of this.#listeners) this.#tell(listener);
  }

  /** A listener that fails is its owner's trouble, not that of the connection whose change it heard of. */
  #tell(listener: (catalog: Catalog) => void): void {
    try {
      listener(this.#current);
    } catch (thrown) {
      this.#listenerFailed(thrown);
    }
  }
}
