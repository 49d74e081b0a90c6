import type { JsonObject, JsonValue } from '../../model/json.ts';
import { withoutInvisible } from './invisible.ts';

/** One place at which two definitions differ; invisible characters are written out. */
export interface Change {
  readonly path: string;
  /** Absent = was not there. */
  readonly before?: string;
  /** Absent = is there no more. */
  readonly after?: string;
}

/** Where two definitions differ, in the order of the first one. */
export function changesOf(before: JsonObject, after: JsonObject): Change[] {
  const [old, current] = [leaves(before), leaves(after)];
  const paths = [...new Set([...old.keys(), ...current.keys()])];
  return paths.flatMap((path): Change[] => {
    const [was, is] = [old.get(path), current.get(path)];
    if (was === is) return [];
    return [{ path, ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) }];
  });
}

/** The changes as people read them: a heading for each place, `-` for what was and `+` for what is. */
export const diffText = (changes: readonly Change[]): string =>
  changes.map(({ path, before, after }) => [`@@ ${path}`, ...changedLines(before, after)].join('\n')).join('\n');

function changedLines(before: string | undefined, after: string | undefined): string[] {
  const [old, current] = [before?.split('\n') ?? [], after?.split('\n') ?? []];
  const start = sharedStart(old, current);
  const end = sharedStart(old.slice(start).reverse(), current.slice(start).reverse());
  const context = (line: string | undefined): string[] => (line === undefined ? [] : [`  ${line}`]);
  return [
    ...context(start > 0 ? old[start - 1] : undefined),
    ...old.slice(start, old.length - end).map((line) => `- ${line}`),
    ...current.slice(start, current.length - end).map((line) => `+ ${line}`),
    ...context(end > 0 ? old[old.length - end] : undefined),
  ];
}

function sharedStart(a: readonly string[], b: readonly string[]): number {
  let count = 0;
  while (count < a.length && count < b.length && a[count] === b[count]) count += 1;
  return count;
}

/** Each value that holds no other, by its path. */
function leaves(value: JsonValue | undefined, path = '', into = new Map<string, string>()): Map<string, string> {
  const members = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  for (const [name, member] of members) leaves(member, path === '' ? name : `${path}.${name}`, into);
  if (members.length === 0 && value !== undefined) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    into.set(withoutInvisible(path, 'escape'), withoutInvisible(text, 'escape'));
  }
  return into;
}
