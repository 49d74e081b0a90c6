import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/** One import statement. `from` and a relative `to` are paths from the root that was read; else `to` is a package. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

export interface SourceFile {
  /** From the root that was read, with `/`. */
  readonly path: string;
  readonly text: string;
}

export function sourceFiles(root: string): SourceFile[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => ({ path: path.replaceAll('\\', '/'), text: readFileSync(join(root, path), 'utf8') }))
    .sort((left, right) => left.path.localeCompare(right.path));
}

const STATEMENT = /^(?:import|export)\s+[^'"`;]*?from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]/gm;
const EXPRESSION = /\bimport\(\s*['"]([^'"]+)['"]/g;

/** Static, re-exporting and dynamic imports, also `import('x').Type`. */
export function importsOf({ path, text }: SourceFile): Import[] {
  const statements = [...text.matchAll(STATEMENT)].map((match) => match[1] ?? match[2] ?? '');
  const expressions = [...text.matchAll(EXPRESSION)].map((match) => match[1] ?? '');
  return [...statements, ...expressions].map((target) => ({
    from: path,
    to: target.startsWith('.') ? posix.normalize(posix.join(posix.dirname(path), target)) : target,
  }));
}
