import { randomUUID } from 'node:crypto';
import type { McpClientConfig } from '../config/schema.ts';
import { GatewayError } from '../model/errors.ts';
import { isPerUser } from './auth/identity.ts';
import { clientIdOf } from './client-id.ts';
import type { Connection } from './connection.ts';
import type { Entry } from './status.ts';

/** The MCP clients by id and by name, and what they want of their callers together. */
export class ClientEntries {
  readonly #byId = new Map<string, Entry>();
  /** Asked for by each request; undefined after a change. */
  #extraHeaders: ReadonlySet<string> | undefined;
  #asksForLogins: boolean | undefined;

  [Symbol.iterator](): Iterator<Entry> {
    return this.#byId.values();
  }

  get all(): readonly Entry[] {
    return [...this];
  }

  get(id: string): Entry | undefined {
    return this.#byId.get(id);
  }

  /** Throws GatewayError('not-found'). */
  required(id: string): Entry {
    const entry = this.#byId.get(id);
    if (!entry) throw new GatewayError('not-found', 'MCP client not found');
    return entry;
  }

  named(name: string): Entry | undefined {
    for (const entry of this.#byId.values()) if (entry.config.name === name) return entry;
    return undefined;
  }

  /** Throws GatewayError('invalid-request') for a name that a client has. */
  requireNewName(name: string): void {
    if (this.named(name)) throw new GatewayError('invalid-request', `MCP client with name '${name}' already exists`);
  }

  /** A client without an id gets one; `connect` makes the connection of one that is not disabled. */
  admit(config: McpClientConfig, connect: (config: McpClientConfig) => Connection): Entry {
    const derivedId = clientIdOf(config.name);
    const id = config.client_id || (this.#byId.has(derivedId) ? randomUUID() : derivedId);
    const identified = { ...config, client_id: id };
    const entry: Entry = { id, config: identified, connection: config.disabled ? undefined : connect(identified) };
    this.#byId.set(id, entry);
    this.changed();
    return entry;
  }

  delete(id: string): void {
    this.#byId.delete(id);
    this.changed();
  }

  /** To be told of each change of an entry. */
  changed(): void {
    this.#extraHeaders = undefined;
    this.#asksForLogins = undefined;
  }

  /** Lower-case names of the request headers that some client wants of its callers; `*` = all. */
  get allowedExtraHeaders(): ReadonlySet<string> {
    this.#extraHeaders ??= new Set(
      this.all.flatMap(({ config }) => config.allowed_extra_headers.map((name) => name.toLowerCase())),
    );
    return this.#extraHeaders;
  }

  /** Whether some client asks its callers to log in: they must be told where. */
  get asksForLogins(): boolean {
    this.#asksForLogins ??= this.all.some(({ config }) => isPerUser(config));
    return this.#asksForLogins;
  }
}
