import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, copyFile, link, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { assertNoLinks, assertSameFile } from './confine.ts';
import { fingerprintOf } from './content.ts';

const newFileMode = 0o666 & ~process.umask();

/** Runs one piece of work after the other, in the order they came: changes to the same file cannot lose each other. */
export function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
}

/** Writes a file that must not exist yet, whole or not at all; missing folders are made. Throws EEXIST. */
export async function createFile(real: string, text: string): Promise<void> {
  await makeParents(real);
  await withTemporaryFile(real, text, newFileMode, async (temporary) => {
    try {
      // Unlike rename, link never replaces what is there.
      await link(temporary, real);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EPERM' && code !== 'ENOSYS' && code !== 'ENOTSUP') throw error;
      // A disk without hard links.
      await copyFile(temporary, real, constants.COPYFILE_EXCL);
    }
  });
}

/** Writes a file over the one that is there, whole or not at all, and keeps its mode; creates it if it is missing. */
export async function writeFile(real: string, text: string): Promise<void> {
  const stats = await lstat(real).catch(() => undefined);
  if (stats && !stats.isFile())
    throw new Error('Only files can be written; there is a folder or a device of that name.');
  // A rename asks the folder for permission only: the file's own must count too.
  if (stats) await access(real, constants.W_OK);
  await makeParents(real);
  const mode = stats ? stats.mode & 0o7777 : newFileMode;
  await withTemporaryFile(real, text, mode, (temporary) => rename(temporary, real));
}

/** Writes an edited file back unless another process changed it since it was read. */
export async function replaceFile(
  real: string,
  text: string,
  { fingerprint, mode }: { fingerprint: string; mode: number },
): Promise<void> {
  await access(real, constants.W_OK);
  await withTemporaryFile(real, text, mode, async (temporary) => {
    if (fingerprintOf(await lstat(real, { bigint: true })) !== fingerprint) {
      throw new Error('The file was changed by somebody else during the edit. Read it again and repeat the edit.');
    }
    await rename(temporary, real);
  });
}

/** Missing folders of the path, as move_file and the others make them. */
export async function makeParents(real: string): Promise<void> {
  try {
    await mkdir(dirname(real), { recursive: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new Error(`There is a file where the folder '${basename(dirname(real))}' is needed.`, { cause: error });
  }
}

/** Beside the target, because a rename is atomic only within one disk. Gone afterwards, whatever happened. */
async function withTemporaryFile(
  real: string,
  text: string,
  mode: number,
  publish: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = join(dirname(real), `.${randomUUID()}.tmp`);
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const handle = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    try {
      await assertSameFile(handle, temporary);
      await handle.writeFile(text);
      await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await assertNoLinks(dirname(real));
    await publish(temporary);
  } finally {
    await rm(temporary, { force: true });
  }
}
