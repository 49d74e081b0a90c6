import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { type McpClientConfig, mcpClient } from '../config/schema.ts';
import { GatewayError } from '../model/errors.ts';
import { isObject } from '../model/json.ts';
import { type ClientForm, clientForm, storedSecret } from './client-form.ts';

const entry = z.object({
  name: z.string(),
  /** What the config file said of this client when it was changed here; absent when the file does not name it. */
  file_hash: z.string().optional(),
  /** Absent when the client was removed here. */
  config: z.record(z.string(), z.unknown()).optional(),
});

const storedFile = z.object({ version: z.literal(1), clients: z.array(entry) });

type Entry = z.output<typeof entry>;

export interface ClientOverridesOptions {
  /** The file that the changes are kept in. */
  readonly path: string;
  /** The MCP clients of the config file. */
  readonly fileClients: readonly McpClientConfig[];
  /** True when only the config file counts: what was changed through the API is forgotten. */
  readonly fileWins?: boolean;
}

/** The MCP clients as they were changed through the API, kept over restarts. */
export interface ClientOverrides {
  /** What to start with: the file's clients and the changes, merged. */
  readonly clients: readonly McpClientConfig[];
  /** Entries that could not be used, and what to do. */
  readonly warnings: readonly string[];
  /** Keeps a client, new or changed; `formerName` when it was renamed. Resolves once it is on the disk. */
  put(config: McpClientConfig, formerName?: string): Promise<void>;
  remove(name: string): Promise<void>;
}

/**
 * Merges as Bifrost does for `source_of_truth: split`: a change made here holds until the file's own entry of that
 * name changes, and then the file's entry wins. Throws GatewayError when the file is there and cannot be read.
 */
export async function openClientOverrides(options: ClientOverridesOptions): Promise<ClientOverrides> {
  const { path, fileClients } = options;
  const fileHashes = new Map(fileClients.map((config) => [config.name, contentHash(config)]));
  const stored = await readEntries(path);
  const isCurrent = ({ name, file_hash }: Entry) => fileHashes.get(name) === file_hash || !fileHashes.has(name);
  const current = options.fileWins ? [] : stored.filter(isCurrent);
  let entries: ReadonlyMap<string, Entry> = new Map(current.map((kept) => [kept.name, kept]));
  if (current.length < stored.length) await writeEntries(path, current);

  const changed = inTurn(async (edit: (next: Map<string, Entry>) => void) => {
    const next = new Map(entries);
    edit(next);
    await writeEntries(path, [...next.values()]);
    entries = next;
  });
  const keep = (next: Map<string, Entry>, name: string, config?: ClientForm): void => {
    const fileHash = fileHashes.get(name);
    if (!config && fileHash === undefined) next.delete(name);
    else next.set(name, { name, ...(fileHash && { file_hash: fileHash }), ...(config && { config }) });
  };
  return {
    ...merged(fileClients, current, path),
    put: (config, formerName) =>
      changed((next) => {
        if (formerName !== undefined && formerName !== config.name) keep(next, formerName);
        keep(next, config.name, clientForm(config, storedSecret));
      }),
    remove: (name) => changed((next) => keep(next, name)),
  };
}

function merged(fileClients: readonly McpClientConfig[], entries: readonly Entry[], path: string) {
  const clients = new Map(fileClients.map((config) => [config.name, config]));
  const warnings: string[] = [];
  for (const { name, config } of entries) {
    if (!config) {
      clients.delete(name);
      continue;
    }
    const parsed = mcpClient.safeParse(config);
    if (parsed.success) clients.set(name, parsed.data);
    else warnings.push(`MCP client '${name}' in ${path} is left out: ${z.prettifyError(parsed.error)}`);
  }
  return { clients: [...clients.values()], warnings };
}

const SMALLEST = clientForm(
  mcpClient.parse({ name: 'smallest', connection_type: 'http', connection_string: 'x' }),
  storedSecret,
);

/** Of what differs from the defaults only, so that a default added by a later version changes no hash. */
function contentHash(config: McpClientConfig): string {
  const form = clientForm(config, storedSecret);
  const told = Object.entries(form).filter(([key, value]) => !isDeepStrictEqual(value, SMALLEST[key]));
  return createHash('sha256')
    .update(sortedJson(Object.fromEntries(told)))
    .digest('hex');
}

const sortedJson = (value: unknown): string =>
  JSON.stringify(value, (_, member) =>
    isObject(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
  );

async function readEntries(path: string): Promise<readonly Entry[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (isObject(cause) && cause.code === 'ENOENT') return [];
    throw unreadable(path, cause);
  }
  try {
    return storedFile.parse(JSON.parse(text)).clients;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

const unreadable = (path: string, cause: unknown): GatewayError =>
  new GatewayError(
    'internal',
    `${path} holds the MCP clients changed through the API and cannot be read; mend it, or remove it to start from the config file`,
    { cause },
  );

/** Whole or not at all, whatever happens half-way, and for this user's eyes only: header values are inside. */
async function writeEntries(path: string, clients: readonly Entry[]): Promise<void> {
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(`${JSON.stringify({ version: 1, clients }, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => {});
    throw new GatewayError('internal', `${path} cannot be written, so the change would be lost at the next start`, {
      cause,
    });
  }
}

/** `action` for one caller after the other: each starts from what the one before has left. */
function inTurn<Argument>(action: (argument: Argument) => Promise<void>): (argument: Argument) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (argument) => {
    last = last.catch(() => {}).then(() => action(argument));
    return last;
  };
}
