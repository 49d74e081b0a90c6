import { lstat, readFile, stat } from 'node:fs/promises';
import { ConfigError } from './config-error.ts';

/** What is larger is no configuration, and reading it would take the memory of the start. */
const MOST_MIB = 32;

/** The text of a file, undefined where there is none. Throws ConfigError when there is something else, or it cannot be read. */
export async function textOfFile(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path);
    if (found.isFile()) refuseLarge(path, found.size);
    else if (!found.isDirectory()) throw new ConfigError(`${path} is no file; put one in its place, or remove it`);
    return utf8Of(path, await readFile(path));
  } catch (thrown) {
    if (thrown instanceof ConfigError) throw thrown;
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
    if (code === 'ENOENT') return nothingAt(path);
    throw new ConfigError(`${path} cannot be read (${code}); make it a file that this user may read, or remove it`, {
      cause: thrown,
    });
  }
}

function refuseLarge(path: string, bytes: number): void {
  const mib = Math.ceil(bytes / 1024 / 1024);
  if (mib > MOST_MIB) throw new ConfigError(`${path} has ${mib} MB, and ${MOST_MIB} are read at most; make it smaller`);
}

/** A link that leads nowhere was meant to be a configuration. */
async function nothingAt(path: string): Promise<undefined> {
  const link = await lstat(path).catch(() => undefined);
  if (link) throw new ConfigError(`${path} is a link to what is not there; correct where it leads, or remove it`);
}

/** Editors on Windows may put a byte order mark in front, and its shell writes two bytes for each character. */
function utf8Of(path: string, bytes: Buffer): string {
  const isWide = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (isWide) throw new ConfigError(`${path} is written in UTF-16; save it as UTF-8`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ConfigError(`${path} is not written in UTF-8; save it as UTF-8`, { cause });
  }
}
