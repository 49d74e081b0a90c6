import { mkdirSync, statSync } from 'node:fs';
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
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found) throw new Error(`is impossible: ${path} is a file`);
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (thrown) {
    // another gateway that starts at the same time may have made it
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw thrown;
  }
}

function whyNot(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'ENOTDIR') return 'is impossible: one of the folders above it is a file';
  if (code !== undefined) return `cannot be made (${code})`;
  return thrown instanceof Error ? thrown.message : String(thrown);
}
