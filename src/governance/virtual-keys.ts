import { createHash } from 'node:crypto';
import type { VirtualKeyConfig } from '../config/governance-section.ts';
import type { McpClientConfig } from '../config/schema.ts';
import type { Catalog } from '../mcp/contract.ts';
import { isForEveryKey } from '../mcp/filters.ts';
import { entriesOf, type VirtualMcp } from '../mcp/virtual-mcps.ts';
import type { Caller } from '../model/call.ts';
import { GatewayError } from '../model/errors.ts';

export interface VirtualKeysOptions {
  readonly keys: readonly VirtualKeyConfig[];
  /** What a key promises and nobody enforces, by its id: such a key is refused. */
  readonly unenforced: ReadonlyMap<string, readonly string[]>;
  /** Of the config file: 1 = an empty list allows everything, 2 = nothing. */
  readonly version: 1 | 2;
  readonly clients: () => readonly McpClientConfig[];
  readonly catalog: () => Catalog;
  readonly virtualMcps: () => readonly VirtualMcp[];
  readonly now?: () => number;
}

/** Everything that a list of tools was made of. */
interface KnownTools {
  readonly catalog: Catalog;
  readonly virtualMcps: readonly VirtualMcp[];
  readonly entries: readonly string[];
}

/** What callers show says who they are, and what of the MCP clients they may use. */
export class VirtualKeys {
  readonly #options: VirtualKeysOptions;
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();
  #keys: readonly VirtualKeyConfig[] = [];
  #byHash: ReadonlyMap<string, VirtualKeyConfig> = new Map();
  readonly #tools = new WeakMap<VirtualKeyConfig, KnownTools>();

  constructor(options: VirtualKeysOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#take(options.keys);
  }

  /** The keys as they are now. */
  get list(): readonly VirtualKeyConfig[] {
    return this.#keys;
  }

  get isEmpty(): boolean {
    return this.#keys.length === 0;
  }

  /** Of the config file: in version 1 a key that names no client may use every one. */
  get version(): 1 | 2 {
    return this.#options.version;
  }

  /** What a key says of the MCP clients from now on, in the place of what it said; holds from the next request on. */
  setAccess(id: string, access: VirtualKeyConfig['mcp_configs']): void {
    this.#take(this.#keys.map((key) => (key.id === id ? { ...key, mcp_configs: access } : key)));
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` after each change; gives the function that ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What an admin should know of the keys: those that can never be shown, and those that are refused. */
  get warnings(): readonly string[] {
    const { unenforced } = this.#options;
    return this.#keys.flatMap((key) => {
      const lacking = unenforced.get(key.id) ?? [];
      const named = `virtual key '${key.name}'`;
      return [
        ...(key.value.value === '' ? [`${named} has no value: nobody can show it; set "value"`] : []),
        ...(lacking.length > 0
          ? [
              `${named} is refused: ${lacking.join(', ')} would not be enforced by this version; take it out to use the key`,
            ]
          : []),
        ...(key.provider_configs.length > 0
          ? [`${named} may ask no model: its provider_configs would not be enforced by this version`]
          : []),
      ];
    });
  }

  /** The key of this value. Compared by hash, so that no time tells how much of a guess was right. */
  find(value: string): VirtualKeyConfig | undefined {
    return this.#byHash.get(hashOf(value));
  }

  byId(id: string): VirtualKeyConfig | undefined {
    return this.#keys.find((key) => key.id === id);
  }

  /** The caller as its key makes it; the same one where it shows none. Throws GatewayError when the key is not good. */
  identified(caller: Caller): Caller {
    const { virtualKey } = caller;
    if (virtualKey === undefined) return caller;
    const key = this.find(virtualKey);
    if (!key) throw refusedKey(401, 'virtual_key_not_found', 'virtual key not found');
    return this.as(key, caller);
  }

  /** The caller under this key. Throws GatewayError when the key is not good. */
  as(key: VirtualKeyConfig, caller: Caller): Caller {
    this.#check(key);
    const keyTools = this.#toolsOf(key);
    const modelsRefused = this.#modelsRefused(key);
    return {
      ...caller,
      virtualKey: key.value.value,
      keyOwner: { id: key.id, name: key.name },
      ...(keyTools && { keyTools }),
      ...(modelsRefused !== undefined && { modelsRefused }),
    };
  }

  #take(keys: readonly VirtualKeyConfig[]): void {
    this.#keys = keys;
    const withValue = keys.filter(({ value }) => value.value !== '');
    // the first of two with one value has it, as in a list that is searched
    this.#byHash = new Map(withValue.map((key) => [hashOf(key.value.value), key] as const).reverse());
  }

  #check({ id, name, is_active: isActive, expires_at: expiresAt }: VirtualKeyConfig): void {
    if (!isActive) throw refusedKey(403, 'virtual_key_blocked', 'virtual key is inactive');
    if (expiresAt && Date.parse(expiresAt) <= this.#now()) {
      throw refusedKey(403, 'virtual_key_blocked', 'virtual key has expired');
    }
    const lacking = this.#options.unenforced.get(id) ?? [];
    if (lacking.length === 0) return;
    const why = `virtual key '${name}' promises what this version does not enforce (${lacking.join(', ')})`;
    throw refusedKey(403, 'virtual_key_blocked', `${why}; take it out of the config to use the key`);
  }

  #modelsRefused({ name, provider_configs: providers }: VirtualKeyConfig): string | undefined {
    if (providers.length > 0) {
      return `virtual key '${name}' names its providers (provider_configs), which this version does not enforce`;
    }
    if (this.#options.version === 1) return undefined;
    return `virtual key '${name}' names no provider (provider_configs), and so may ask none`;
  }

  /** In the entries of `x-bf-mcp-include-tools`; undefined = everything. The same array until something changed. */
  #toolsOf(key: VirtualKeyConfig): readonly string[] | undefined {
    if (this.#options.version === 1 && key.mcp_configs.length === 0) return undefined;
    const catalog = this.#options.catalog();
    const virtualMcps = this.#options.virtualMcps();
    let known = this.#tools.get(key);
    if (known?.catalog !== catalog || known.virtualMcps !== virtualMcps) {
      const own = this.#options.clients().flatMap((client) => entriesFor(key, client, catalog));
      const attached = virtualMcps.filter((each) => each.enabled && each.virtual_key_ids.includes(key.id));
      const chosen = attached.flatMap((each) => entriesOf(each, catalog));
      known = { catalog, virtualMcps, entries: [...new Set([...own, ...chosen])] };
      this.#tools.set(key, known);
    }
    return known.entries;
  }
}

/** What a key lets through of one client: what it says of it, else what the client says of every key. */
function entriesFor(key: VirtualKeyConfig, client: McpClientConfig, catalog: Catalog): readonly string[] {
  const { name } = client;
  const given = toolsGivenBy(key, client);
  if (given === undefined) return isForEveryKey(client) ? [`${name}-*`] : [];
  if (given.includes('*')) return [`${name}-*`];
  const wanted = new Set(given.map((tool) => tool.toLowerCase()));
  // names are compared without case, as in every white list
  const listed = catalog.tools.filter(
    (tool) => tool.clientName === name && wanted.has(tool.upstreamName.toLowerCase()),
  );
  return [...given.map((tool) => `${name}-${tool}`), ...listed.map((tool) => tool.name)];
}

/** What a key says of one client, in names without the prefix; undefined when it does not name it. */
export function toolsGivenBy(
  { mcp_configs: configs }: Pick<VirtualKeyConfig, 'mcp_configs'>,
  { name, client_id: id }: Pick<McpClientConfig, 'name' | 'client_id'>,
): readonly string[] | undefined {
  const lists = configs
    .filter((access) => isOfClient(access, { name, client_id: id }))
    .map(({ tools_to_execute: tools }) => tools);
  if (lists.length === 0) return undefined;
  return lists.some((tools) => tools.includes('*')) ? ['*'] : [...new Set(lists.flat())];
}

/** Whether an entry of `mcp_configs` speaks of this client; an id goes above a name, and a name is taken for an id as well. */
export const isOfClient = (
  { mcp_client_id: byId, mcp_client_name: byName }: VirtualKeyConfig['mcp_configs'][number],
  { name, client_id: id }: Pick<McpClientConfig, 'name' | 'client_id'>,
): boolean => (byId === undefined || byId === null ? byName === name : String(byId) === id || byId === name);

const hashOf = (value: string): string => createHash('sha256').update(value).digest('base64');

const refusedKey = (status: 401 | 403, type: string, message: string): GatewayError =>
  new GatewayError(status === 401 ? 'authentication' : 'permission', message, { type });
