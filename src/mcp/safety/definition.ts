import { createHash } from 'node:crypto';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';

/** What of a definition a model or a person who approves a call goes by; icons and `_meta` change nothing of that. */
const PINNED = ['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations'] as const;

const hashes = new WeakMap<JsonObject, string>();

/** SHA-256 of what counts in a definition, whatever order its members have. */
export function definitionHash(definition: JsonObject): string {
  const known = hashes.get(definition);
  if (known !== undefined) return known;
  const hash = hashOf(pinnedPart(definition));
  hashes.set(definition, hash);
  return hash;
}

export const pinnedPart = (definition: JsonObject): JsonObject =>
  Object.fromEntries(PINNED.flatMap((key) => (definition[key] === undefined ? [] : [[key, definition[key]]])));

/** The same for two tools that differ in nothing but their names. */
export const namelessHash = (definition: JsonObject): string => hashOf({ ...pinnedPart(definition), name: '' });

export const hashOf = (value: JsonValue): string => createHash('sha256').update(canonicalJson(value)).digest('hex');

/** JSON with the members of each object in the order of their names. */
function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members: string[] = [];
  for (const name of Object.keys(value).sort()) {
    const member = value[name];
    if (member !== undefined) members.push(`${JSON.stringify(name)}:${canonicalJson(member)}`);
  }
  return `{${members.join(',')}}`;
}
