import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { GatewayError } from '../model/errors.ts';
import { isObject } from '../model/json.ts';

/** One kind of thing that the config file lists and the API changes. */
export interface OverrideKind<Config> {
  /** In messages: `MCP client`. */
  readonly noun: string;
  /** The list's name in the file of changes. */
  readonly list: string;
  readonly nameOf: (config: Config) => string;
  /** The config as it is written. */
  readonly formOf: (config: Config) => Record<string, unknown>;
  /** Reads what `formOf` wrote. */
  readonly parse: (form: unknown) => z.ZodSafeParseResult<Config>;
  /** The form of the smallest config there is: what differs from it was said by somebody. */
  readonly smallest: Readonly<Record<string, unknown>>;
}

export interface OverridesOptions<Config> {
  /** The file that the changes are kept in. */
  readonly path: string;
  readonly fileEntries: readonly Config[];
  /**
   * Given where only the config file counts and has such a list: the names in it, usable or not. What was changed
   * through the API is forgotten then, but for entries that the file names and spells wrong.
   */
  readonly fileNames?: readonly string[] | undefined;
}

export interface Overrides<Config> {
  /** What to start with: the file's entries and the changes, merged. */
  readonly entries: readonly Config[];
  /** Entries that could not be used, and what to do. */
  readonly warnings: readonly string[];
  /** Keeps an entry, new or changed; `formerName` when it was renamed. Resolves once it is on the disk. */
  put(config: Config, formerName?: string): Promise<void>;
  remove(name: string): Promise<void>;
}

const entry = z.object({
  name: z.string(),
  /** What the config file said of this entry when it was changed here; absent when the file does not name it. */
  file_hash: z.string().optional(),
  /** Absent when the entry was removed here. */
  config: z.record(z.string(), z.unknown()).optional(),
});

type Entry = z.output<typeof entry>;

/**
 * Merges as Bifrost does for `source_of_truth: split`: a change made here holds until the file's own entry of that
 * name changes, and then the file's entry wins. Throws GatewayError when the file is there and cannot be read.
 */
export async function openOverrides<Config>(
  kind: OverrideKind<Config>,
  { path, fileEntries, fileNames }: OverridesOptions<Config>,
): Promise<Overrides<Config>> {
  const fileHashes = new Map(fileEntries.map((config) => [kind.nameOf(config), contentHash(kind, config)]));
  const place = { path, list: kind.list, noun: kind.noun };
  const stored = await readEntries(place);
  const isCurrent = ({ name, file_hash }: Entry) =>
    fileNames ? fileNames.includes(name) && !fileHashes.has(name) : (fileHashes.get(name) ?? file_hash) === file_hash;
  const current = stored.filter(isCurrent);
  if (current.length < stored.length) await writeEntries(place, current);

  const changed = inTurn(async (edit: (next: Map<string, Entry>) => void) => {
    // Read anew: the command line may have written since.
    const next = new Map((await readEntries(place)).map((kept) => [kept.name, kept]));
    edit(next);
    await writeEntries(place, [...next.values()]);
  });
  const keep = (next: Map<string, Entry>, name: string, config?: Record<string, unknown>): void => {
    const fileHash = fileHashes.get(name);
    if (!config && fileHash === undefined) next.delete(name);
    else next.set(name, { name, ...(fileHash && { file_hash: fileHash }), ...(config && { config }) });
  };
  return {
    ...merged(kind, fileEntries, current, path),
    put: (config, formerName) =>
      changed((next) => {
        const name = kind.nameOf(config);
        if (formerName !== undefined && formerName !== name) keep(next, formerName);
        keep(next, name, kind.formOf(config));
      }),
    remove: (name) => changed((next) => keep(next, name)),
  };
}

function merged<Config>(
  kind: OverrideKind<Config>,
  fileEntries: readonly Config[],
  changes: readonly Entry[],
  path: string,
) {
  const entries = new Map(fileEntries.map((config) => [kind.nameOf(config), config]));
  const warnings: string[] = [];
  for (const { name, config } of changes) {
    if (!config) {
      entries.delete(name);
      continue;
    }
    const parsed = kind.parse(config);
    if (parsed.success) entries.set(name, parsed.data);
    else warnings.push(`${kind.noun} '${name}' in ${path} is left out: ${z.prettifyError(parsed.error)}`);
  }
  return { entries: [...entries.values()], warnings };
}

/** Of what differs from the defaults only, so that a default added by a later version changes no hash. */
function contentHash<Config>({ formOf, smallest }: OverrideKind<Config>, config: Config): string {
  const told = Object.entries(formOf(config)).filter(([key, value]) => !isDeepStrictEqual(value, smallest[key]));
  return createHash('sha256')
    .update(sortedJson(Object.fromEntries(told)))
    .digest('hex');
}

const sortedJson = (value: unknown): string =>
  JSON.stringify(value, (_, member) =>
    isObject(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
  );

interface Place {
  readonly path: string;
  readonly list: string;
  readonly noun: string;
}

async function readEntries(place: Place): Promise<readonly Entry[]> {
  let text: string;
  try {
    text = await readFile(place.path, 'utf8');
  } catch (cause) {
    if (isObject(cause) && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')) return [];
    throw unreadable(place, cause);
  }
  try {
    const stored = z.looseObject({ version: z.literal(1), [place.list]: z.array(entry) }).parse(JSON.parse(text));
    return z.array(entry).parse(stored[place.list]);
  } catch (cause) {
    throw unreadable(place, cause);
  }
}

const unreadable = ({ path, noun }: Place, cause: unknown): GatewayError =>
  new GatewayError(
    'internal',
    `${path} holds the ${noun}s changed through the API and cannot be read; mend it, or remove it to start from the config file`,
    { cause },
  );

/** Whole or not at all, whatever happens half-way, and for this user's eyes only: secrets may be inside. */
async function writeEntries({ path, list }: Place, entries: readonly Entry[]): Promise<void> {
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(`${JSON.stringify({ version: 1, [list]: entries }, null, 2)}\n`);
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
