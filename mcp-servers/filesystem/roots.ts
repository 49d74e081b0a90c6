import { mkdir, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { messageOf } from '../support.ts';

export interface Root {
  /** As the user named it, made absolute. */
  readonly given: string;
  /** The same folder without symbolic links. */
  readonly real: string;
}

/** The folders the tools may touch; relative paths start at the first. */
export type Roots = readonly [Root, ...Root[]];

/** Opens the allowed folders; creates one that is missing if its parent exists. Throws with a message for the user. */
export async function openRoots(paths: readonly string[]): Promise<Roots> {
  const [first, ...rest] = await Promise.all(paths.map(openRoot));
  if (!first) throw new Error('name at least one folder that the tools may use: main.js <root> [<root>...]');
  return [first, ...rest];
}

async function openRoot(path: string): Promise<Root> {
  const given = resolve(path);
  try {
    await createIfMissing(given);
    const real = await realpath(given);
    return { given, real };
  } catch (error) {
    throw new Error(`cannot use '${given}' as a root: ${messageOf(error)}; name a folder whose parent exists`);
  }
}

async function createIfMissing(path: string): Promise<void> {
  if (await isFolder(path)) return;
  if (!(await isFolder(dirname(path)))) throw new Error('its parent folder does not exist');
  // Recursive, so that another server that makes the same folder at this moment is no error.
  await mkdir(path, { recursive: true });
}

const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() ?? false;

export const describeRoots = (roots: Roots): string => roots.map((root) => root.given).join(', ');
