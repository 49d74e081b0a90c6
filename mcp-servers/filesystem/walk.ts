import type { Dirent, Stats } from 'node:fs';
import { lstat, opendir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { assertNoLinks } from './confine.ts';

export type EntryType = 'file' | 'directory' | 'symlink' | 'other';

/** Folders of thousands of files that hardly anybody asks about: shown, but not entered unasked. */
const heavyFolders = new Set(['.git', 'node_modules']);

export const isEntered = (name: string): boolean => !heavyFolders.has(name);

export function typeOf(entry: Dirent | Stats): EntryType {
  if (entry.isSymbolicLink()) return 'symlink';
  if (entry.isDirectory()) return 'directory';
  return entry.isFile() ? 'file' : 'other';
}

/** What a folder holds, by name. Sorted by code unit: the same everywhere, whatever the locale. */
export async function entriesOf(real: string): Promise<{ name: string; type: EntryType }[]> {
  const entries = await readdir(real, { withFileTypes: true });
  await assertNoLinks(real);
  return entries
    .map((entry) => ({ name: entry.name, type: typeOf(entry) }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** A name on one line of a list: line ends in it would look like further entries. */
export const onOneLine = (name: string): string =>
  name.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));

export interface WalkedEntry {
  readonly real: string;
  /** With `/`, relative to the folder the walk began in; the name of a file that was named itself. */
  readonly path: string;
  readonly type: EntryType;
}

/** Everything below a folder, or the file itself that was named. Throws when there is neither. */
export async function* walkFrom(real: string): AsyncGenerator<WalkedEntry> {
  const stats = await lstat(real);
  if (stats.isDirectory()) {
    await assertReadable(real);
    yield* walk(real);
  } else {
    yield { real, path: basename(real), type: typeOf(stats) };
  }
}

/** The walk passes over folders that it cannot read; the one it was asked for must be readable. */
const assertReadable = async (real: string): Promise<void> => (await opendir(real)).close();

/** Everything below a folder, depth first; links are named but not followed, folders that cannot be read are passed over. */
async function* walk(real: string, prefix = ''): AsyncGenerator<WalkedEntry> {
  const entries = await entriesOf(real).catch(() => []);
  for (const { name, type } of entries) {
    const entry = { real: join(real, name), path: prefix + name, type };
    yield entry;
    if (type === 'directory' && isEntered(name)) yield* walk(entry.real, `${entry.path}/`);
  }
}
