import { splitId } from '../gemini/signatures.ts';
import { shortHash } from '../short-hash.ts';

/** The longest that the API takes (Bedrock API, ToolUseBlock.toolUseId and ToolSpecification.name). */
const MAX_LENGTH = 64;
/** `_` and the number of a copy: no body holds a million calls. */
const LONGEST_MARK = 7;
const VALID = /^[a-zA-Z0-9_-]{1,64}$/;

/** Names that the API refuses are cleaned, cut and given a hash: the same name always becomes the same. */
export function wireName(name: string): string {
  if (VALID.test(name)) return name;
  return `${name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, MAX_LENGTH - 9)}_${shortHash(name, 8)}`;
}

/** Half a signature would be a wrong one: one that does not fit stays behind. */
function wireCallId(id: string): string {
  const fitting = id.length <= MAX_LENGTH ? id : splitId(id).id;
  const clean = fitting.replace(/[^a-zA-Z0-9_-]/g, '_');
  return clean.length <= MAX_LENGTH ? clean : `${clean.slice(0, MAX_LENGTH - 17)}_${shortHash(id, 16)}`;
}

/** Gives each call an id that no other call of the same body has; same calls in, same ids out. */
export function uniqueIds(toWire: (id: string) => string = wireCallId): (id: string) => string {
  const taken = new Set<string>();
  const copies = new Map<string, number>();
  return (id) => {
    const base = toWire(id) || 'tooluse';
    const stem = base.slice(0, MAX_LENGTH - LONGEST_MARK);
    let unique = base;
    for (let copy = copies.get(stem) ?? 2; taken.has(unique); copy++) {
      unique = `${stem}_${copy}`;
      copies.set(stem, copy);
    }
    taken.add(unique);
    return unique;
  };
}
