import { constants } from 'node:fs';
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { describeRoots, type Root, type Roots } from './roots.ts';

/**
 * Where a path really is, links followed. Throws unless that is inside a root; the path itself need not exist yet.
 * What is returned holds no link, so that opening it with O_NOFOLLOW meets a link only if one was put there since.
 */
export async function resolveTarget(roots: Roots, path: string): Promise<string> {
  const real = await realPathOfNearest(lexicalPath(roots, path));
  if (real === undefined || !isInsideAny(roots, real)) throw refusal(roots, path);
  return real;
}

/** Like resolveTarget, but for the directory entry itself: of a link the link, not what it points to. Never a root. */
export async function resolveEntry(roots: Roots, path: string): Promise<string> {
  const lexical = lexicalPath(roots, path);
  const isRoot = roots.some((root) => root.given === lexical || root.real === lexical);
  const parent = isRoot ? undefined : await realPathOfNearest(dirname(lexical));
  const entry = parent === undefined ? undefined : join(parent, basename(lexical));
  if (entry !== undefined && isInsideAny(roots, entry) && !holdsRoot(roots, entry)) return entry;
  if (isRoot || (entry !== undefined && holdsRoot(roots, entry))) {
    throw new Error(
      `'${printable(path)}' is or holds an allowed folder itself, which can be neither moved nor deleted.`,
    );
  }
  throw refusal(roots, path);
}

/** The path as the tools show it and take it back: relative to the first root where that holds it. */
export function displayPath(roots: Roots, real: string): string {
  const [first] = roots;
  return isInside(first.real, real) ? relative(first.real, real) || '.' : real;
}

/** Opens a file for reading that resolveTarget has found, and makes sure that nobody swapped a link in meanwhile. */
export async function openForReading(real: string): Promise<FileHandle> {
  // Non-blocking: opening a named pipe would otherwise wait for its writer for ever.
  const handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    await assertSameFile(handle, real);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** O_NOFOLLOW guards the last name only: this tells whether a folder above it was swapped for a link. */
export async function assertSameFile(handle: FileHandle, real: string): Promise<void> {
  await assertNoLinks(real);
  const [opened, named] = await Promise.all([handle.stat({ bigint: true }), lstat(real, { bigint: true })]);
  if (opened.ino !== named.ino || opened.dev !== named.dev) throw changedMeanwhile(real);
}

export async function assertNoLinks(real: string): Promise<void> {
  if ((await realpath(real)) !== real) throw changedMeanwhile(real);
}

const changedMeanwhile = (real: string): Error =>
  new Error(`'${basename(real)}' or a folder above it was replaced while it was being opened. Try again.`);

function lexicalPath(roots: Roots, path: string): string {
  if (path.includes('\0')) throw refusal(roots, path);
  const lexical = resolve(roots[0].given, path);
  const isAllowed = roots.some((root) => isInside(root.given, lexical) || isInside(root.real, lexical));
  // Before anything is looked up, so that answers tell nothing about what exists elsewhere.
  if (!isAllowed) throw refusal(roots, path);
  return lexical;
}

/** Real path of the nearest existing ancestor plus the rest; undefined for links that lead nowhere or in circles. */
async function realPathOfNearest(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ELOOP') return undefined;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
  }
  // The name exists but its real path does not: a link whose target is missing, which writing would create.
  if (await lstat(path).catch(() => undefined)) return undefined;
  const parent = dirname(path);
  if (parent === path) return undefined;
  const realParent = await realPathOfNearest(parent);
  return realParent === undefined ? undefined : join(realParent, basename(path));
}

const isInside = (folder: string, path: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

const isInsideAny = (roots: Roots, real: string): boolean => roots.some((root) => isInside(root.real, real));

const holdsRoot = (roots: readonly Root[], entry: string): boolean => roots.some((root) => isInside(entry, root.real));

function refusal(roots: Roots, path: string): Error {
  return new Error(
    `Access denied: '${printable(path)}' is not inside an allowed folder. Allowed: ${describeRoots(roots)}. ` +
      `Use a path inside ${roots.length === 1 ? 'it' : 'one of them'}; relative paths start at ${roots[0].given}.`,
  );
}

const printable = (path: string): string => JSON.stringify(path.slice(0, 500)).slice(1, -1);
