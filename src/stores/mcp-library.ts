import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { GatewayError } from '../model/errors.ts';
import { isObject } from '../model/json.ts';

const text = z.string().optional();
const texts = z.array(z.string()).optional();

/** A server that could become an MCP client: how it is reached, and what whoever adds it must bring. It holds no secret. */
export const libraryServer = z.object({
  name: z.string(),
  description: text,
  category: text,
  connection_type: z.enum(['http', 'sse', 'stdio']),
  /** For "http" and "sse". */
  connection_url: text,
  /** For "stdio"; `envs` are names of variables. */
  stdio_config: z.object({ command: z.string(), args: texts, envs: texts }).optional(),
  auth_type: z.string().default('none'),
  required_header_keys: texts,
  icon_url: text,
  docs_url: text,
  publisher: text,
  tags: texts,
  metadata: z.record(z.string(), z.unknown()).optional(),
});

const libraryEntry = libraryServer.extend({
  id: z.number(),
  /** Made of the name; two entries with one are the same. */
  slug: z.string(),
  /** `remote`: from the address that the library is read from; `custom`: published here. */
  source: z.enum(['remote', 'custom']),
  created_at: z.string(),
  updated_at: z.string(),
});

const content = z.object({
  version: z.literal(1),
  synced_at: text,
  /** With `deleted_at` an entry is hidden, and stays so when it is read again. */
  entries: z.array(libraryEntry.extend({ deleted_at: text })),
});

const payload = z.object({ servers: z.array(z.unknown()) });

export type LibraryServer = z.output<typeof libraryServer>;
export type LibraryEntry = z.output<typeof libraryEntry>;
type Content = z.output<typeof content>;

export interface McpLibraryOptions {
  /** The file that the entries are kept in. */
  readonly path: string;
  /** `framework.pricing.mcp_library_url`; without it there is only what is published here. */
  readonly url?: string | undefined;
  readonly syncIntervalMs: number;
  readonly read: (url: string) => Promise<string>;
  readonly warn: (message: string) => void;
  readonly now?: () => number;
}

const MAX_TEXT_LENGTH = 50 * 1024 * 1024;
const RETRY_SYNC_AFTER_MS = 60_000;

/** Known MCP servers to choose from. Nothing is read before somebody asks, neither the file nor the address. */
export class McpLibrary {
  readonly #options: McpLibraryOptions;
  readonly #now: () => number;
  #content: Promise<Content> | undefined;
  #lastWork: Promise<unknown> = Promise.resolve();
  #triedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: McpLibraryOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Those that are not hidden; read from the address first where they are older than the interval. */
  async list(): Promise<readonly LibraryEntry[]> {
    if (this.#isOutdated(await this.#read())) {
      this.#triedAtMs = this.#now();
      await this.sync().catch((thrown: unknown) => this.#options.warn(messageOf(thrown)));
    }
    const { entries } = await this.#read();
    return entries.flatMap(({ deleted_at: deletedAt, ...entry }) => (deletedAt === undefined ? [entry] : []));
  }

  /** Publishes a server here. Throws GatewayError with status 409 where there is one of that name. */
  add(server: LibraryServer): Promise<LibraryEntry> {
    const slug = librarySlug(server.name);
    return this.#change((entries) => {
      if (entries.some((entry) => entry.slug === slug && entry.deleted_at === undefined)) {
        const message = 'an MCP library server with this name already exists';
        throw new GatewayError('invalid-request', message, { status: 409 });
      }
      const others = entries.filter((entry) => entry.slug !== slug);
      const moment = this.#moment();
      const times = { created_at: moment, updated_at: moment };
      const added: LibraryEntry = { ...server, id: freeId(entries), slug, source: 'custom', ...times };
      return { entries: [...others, added], result: added };
    });
  }

  /** Hides an entry, for good; false when there is none of this id. */
  remove(id: number): Promise<boolean> {
    const isIt = (entry: Content['entries'][number]) => entry.id === id && entry.deleted_at === undefined;
    return this.#change((entries) => ({
      entries: entries.map((entry) => (isIt(entry) ? { ...entry, deleted_at: this.#moment() } : entry)),
      result: entries.some(isIt),
    }));
  }

  /** Reads the address now and gives how many servers it has; what is hidden or published here stays as it is. Throws GatewayError. */
  async sync(): Promise<number> {
    const { url } = this.#options;
    if (url === undefined) {
      const advice = 'set framework.pricing.mcp_library_url in the config file';
      throw new GatewayError('invalid-request', `the MCP library has no address to be read from: ${advice}`);
    }
    const servers = await this.#servers(url);
    return this.#change((entries) => {
      const merged = new Map(entries.map((entry) => [entry.slug, entry]));
      let count = 0;
      for (const [slug, server] of servers) {
        const known = merged.get(slug);
        if (known && (known.source === 'custom' || known.deleted_at !== undefined)) continue;
        const id = known?.id ?? freeId([...merged.values()]);
        const updated_at = this.#moment();
        const created_at = known?.created_at ?? updated_at;
        merged.set(slug, { ...server, id, slug, source: 'remote', created_at, updated_at });
        count += 1;
      }
      return { entries: [...merged.values()], result: count, synced_at: this.#moment() };
    });
  }

  async #servers(url: string): Promise<ReadonlyMap<string, LibraryServer>> {
    try {
      const read = await this.#options.read(url);
      if (read.length > MAX_TEXT_LENGTH) throw new Error('it is longer than 50 MiB');
      const found = new Map<string, LibraryServer>();
      for (const given of payload.parse(JSON.parse(read)).servers) {
        const { success, data } = libraryServer.safeParse(given);
        const slug = success ? librarySlug(data.name) : '';
        if (success && slug !== '' && !found.has(slug)) found.set(slug, data);
      }
      return found;
    } catch (cause) {
      const message = `failed to sync MCP library: ${url} cannot be read: ${messageOf(cause)}`;
      throw new GatewayError('internal', message, { cause });
    }
  }

  #isOutdated({ synced_at: syncedAt }: Content): boolean {
    const { url, syncIntervalMs } = this.#options;
    if (url === undefined || this.#now() - this.#triedAtMs < RETRY_SYNC_AFTER_MS) return false;
    return syncedAt === undefined || this.#now() - Date.parse(syncedAt) > syncIntervalMs;
  }

  #moment(): string {
    return new Date(this.#now()).toISOString();
  }

  #read(): Promise<Content> {
    this.#content ??= readContent(this.#options.path);
    return this.#content;
  }

  /** One after the other: each starts from what the one before has left. */
  #change<Result>(
    edit: (entries: Content['entries']) => Pick<Content, 'entries'> & Partial<Content> & { result: Result },
  ): Promise<Result> {
    const work = this.#lastWork.then(async () => {
      const current = await this.#read();
      const { result, ...changes } = edit(current.entries);
      const next = { ...current, ...changes };
      await writeContent(this.#options.path, next);
      this.#content = Promise.resolve(next);
      return result;
    });
    this.#lastWork = work.catch(() => undefined);
    return work;
  }
}

/** Letters and digits of ASCII, with single hyphens between; empty for a name that has none. */
export const librarySlug = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

const freeId = (entries: readonly { readonly id: number }[]): number => Math.max(0, ...entries.map(({ id }) => id)) + 1;

async function readContent(path: string): Promise<Content> {
  try {
    return content.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    if (isObject(cause) && cause.code === 'ENOENT') return { version: 1, entries: [] };
    throw new GatewayError('internal', `${path} holds the MCP library and cannot be read; mend or remove it`, {
      cause,
    });
  }
}

async function writeContent(path: string, value: Content): Promise<void> {
  const draft = `${path}.${randomUUID()}.tmp`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(draft, `${JSON.stringify(value)}\n`, { mode: 0o600 });
  await rename(draft, path);
}

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
