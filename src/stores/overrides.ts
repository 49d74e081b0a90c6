import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { isObject } from '../model/json.ts';
import { type Entry, OverridesFile } from './overrides-file.ts';

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
  /** Keeps the changes from whoever reads the disk; without it they are plain text. */
  readonly encryptionKey?: string | undefined;
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

/**
 * Merges as Bifrost does for `source_of_truth: split`: a change made here holds until the file's own entry of that
 * name changes, and then the file's entry wins. Throws GatewayError when the file is there and cannot be read,
 * or was encrypted with another key.
 */
export async function openOverrides<Config>(
  kind: OverrideKind<Config>,
  { path, fileEntries, fileNames, encryptionKey }: OverridesOptions<Config>,
): Promise<Overrides<Config>> {
  const fileHashes = new Map(fileEntries.map((config) => [kind.nameOf(config), contentHash(kind, config)]));
  const file = new OverridesFile({ path, list: kind.list, noun: kind.noun, encryptionKey });
  const { entries: stored, isOutdated } = await file.read();
  const isCurrent = ({ name, file_hash }: Entry) =>
    fileNames ? fileNames.includes(name) && !fileHashes.has(name) : (fileHashes.get(name) ?? file_hash) === file_hash;
  const current = stored.filter(isCurrent);
  if (isOutdated || current.length < stored.length) await file.write(current);

  const changed = inTurn(async (edit: (next: Map<string, Entry>) => void) => {
    // Read anew: the command line may have written since.
    const { entries } = await file.read();
    const next = new Map(entries.map((kept) => [kept.name, kept]));
    edit(next);
    await file.write([...next.values()]);
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

/** `action` for one caller after the other: each starts from what the one before has left. */
function inTurn<Argument>(action: (argument: Argument) => Promise<void>): (argument: Argument) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (argument) => {
    last = last.catch(() => {}).then(() => action(argument));
    return last;
  };
}
