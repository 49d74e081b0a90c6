const causes: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist. Look at its folder with list_directory, or find it with search_files',
  EACCES: 'may not be accessed: the operating system denies permission',
  EPERM: 'may not be changed: the operating system denies permission',
  EISDIR: 'is a folder; use list_directory to see what is in it',
  ENOTDIR: 'has a file where a folder is needed',
  EEXIST: 'exists already',
  ENOTEMPTY: 'is a folder that is not empty; set recursive to delete it with everything in it',
  ENAMETOOLONG: 'has a name that is too long',
  ENOSPC: 'cannot be written: the disk is full',
  EROFS: 'cannot be written: the disk is read-only',
  ELOOP: 'became a symbolic link while it was being opened. Try again',
  EINVAL: 'cannot be used for this: the operating system refuses it',
  EMFILE: 'cannot be opened: too many files are open. Try again',
};

/** Runs work on a path; a system error comes out as a sentence about that path as the caller wrote it. */
export async function explained<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const cause = code === undefined ? undefined : causes[code];
    if (cause === undefined) throw error;
    throw new Error(`'${path}' ${cause}.`, { cause: error });
  }
}
