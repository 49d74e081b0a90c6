import { mkdirSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StartError } from './listen.ts';

/** Makes the app-dir where it is missing. Throws StartError that says what stands in the way. */
export function openAppDir(appDir: string): void {
  try {
    makeFolder(appDir);
  } catch (thrown) {
    throw new StartError(`the app-dir ${appDir} ${whyNot(thrown)}; choose another with -app-dir DIR`, {
      cause: thrown,
    });
  }
}

/** One folder at a time: Node's own recursive mkdir never returns below folders that refuse children, such as /proc. */
function makeFolder(path: string): void {
  const found = foundAt(path);
  if (found?.isDirectory()) return;
  if (found) throw new Error(`is impossible: ${path} is a file`);
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (thrown) {
    // another gateway that starts at the same time may have made it
    if (!foundAt(path)?.isDirectory()) throw thrown;
  }
}

/** What stands there; undefined also below a file, where Node 20 throws and later ones do not. */
function foundAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOTDIR') return undefined;
    throw thrown;
  }
}

const codeOf = (thrown: unknown): unknown => (thrown instanceof Error && 'code' in thrown ? thrown.code : undefined);

function whyNot(thrown: unknown): string {
  const code = codeOf(thrown);
  if (code !== undefined) return `cannot be made (${code})`;
  return thrown instanceof Error ? thrown.message : String(thrown);
}
