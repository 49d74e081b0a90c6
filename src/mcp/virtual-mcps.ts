import type { VirtualMcpConfig } from '../config/virtual-mcp.ts';
import type { Caller } from '../model/call.ts';
import type { Catalog, CatalogTool } from './contract.ts';
import { slugOf } from './endpoints.ts';
import { meetsKey, narrowedTo } from './filters.ts';

type Choice = Pick<VirtualMcpConfig, 'tools'>;

/**
 * What a virtual MCP lets through, in the entries of `x-bf-mcp-include-tools`: with `narrowedTo` the one policy decides
 * for it as well, in listings and calls. Tool names are compared without case, as in every white list.
 */
export function entriesOf({ tools }: Choice, catalog: Pick<Catalog, 'tools'>): readonly string[] {
  const entries = new Set<string>();
  for (const chosen of tools) {
    const isWhole = chosen.tool_names.includes('*');
    const names = new Set(chosen.tool_names.map((name) => name.toLowerCase()));
    for (const tool of catalog.tools) {
      if (!isOfClient(tool, chosen)) continue;
      if (isWhole) entries.add(`${tool.clientName}-*`);
      else if (names.has(tool.upstreamName.toLowerCase())) entries.add(tool.name);
    }
  }
  return [...entries];
}

/** The original takes a name in the place of an id as well. */
const isOfClient = (
  { clientId, clientName }: CatalogTool,
  { mcp_client_id: id, mcp_client_name: name }: VirtualMcpConfig['tools'][number],
): boolean => (id !== undefined ? clientId === id || clientName === id : clientName === name);

/** A virtual MCP with everything that others refer to it by. */
export type VirtualMcp = VirtualMcpConfig & { readonly id: string | number; readonly endpoint_slug: string };

/** A virtual MCP as its callers meet it. */
export interface ServedVirtualMcp {
  readonly name: string;
  readonly instructions: string | undefined;
  /** Who may list and call there what was chosen and nothing else, under the one policy. */
  readonly caller: Caller;
}

/** The virtual MCPs of the gateway as they are now; whoever changes them replaces the list. */
export class VirtualMcps {
  #list: readonly VirtualMcp[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #entries = new WeakMap<VirtualMcp, { readonly catalog: Catalog; readonly entries: readonly string[] }>();

  constructor(configs: readonly VirtualMcpConfig[]) {
    for (const config of configs) this.put(config);
  }

  get list(): readonly VirtualMcp[] {
    return this.#list;
  }

  /** What /mcp/<slug> serves to a caller, where that is a virtual MCP; one that is switched off is not served. */
  serving(slug: string, caller: Caller, catalog: Catalog): ServedVirtualMcp | undefined {
    const found = this.#list.find(({ enabled, endpoint_slug }) => enabled && endpoint_slug === slug);
    if (!found) return undefined;
    const { name, description: instructions } = found;
    const entries = this.#entriesOf(found, catalog);
    if (!meetsKey(caller, entries)) return undefined;
    return { name, instructions, caller: narrowedTo(caller, entries) };
  }

  /** Calls `listener` after each change; gives the function that ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get(id: string): VirtualMcp | undefined {
    return this.#list.find((virtualMcp) => String(virtualMcp.id) === id);
  }

  /** Adds one, or puts it in the place of the one with its id. */
  put(config: VirtualMcpConfig): VirtualMcp {
    const settled: VirtualMcp = {
      ...config,
      id: config.id ?? this.#freeId(config.name),
      endpoint_slug: config.endpoint_slug ?? slugOf(config.name),
    };
    const isKnown = this.#list.some(({ id }) => id === settled.id);
    this.#list = isKnown
      ? this.#list.map((known) => (known.id === settled.id ? settled : known))
      : [...this.#list, settled];
    this.#tell();
    return settled;
  }

  remove(id: VirtualMcp['id']): void {
    this.#list = this.#list.filter((known) => known.id !== id);
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #entriesOf(virtualMcp: VirtualMcp, catalog: Catalog): readonly string[] {
    let known = this.#entries.get(virtualMcp);
    if (known?.catalog !== catalog) {
      known = { catalog, entries: entriesOf(virtualMcp, catalog) };
      this.#entries.set(virtualMcp, known);
    }
    return known.entries;
  }

  /** A number, as in the original, and the same one at each start: made of the name. */
  #freeId(name: string): number {
    let id = 1;
    for (const character of name) id = (id * 31 + (character.codePointAt(0) ?? 0)) % 0x7fff_fffe;
    while (this.#list.some((known) => known.id === id)) id += 1;
    return id;
  }
}
