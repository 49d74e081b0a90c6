import { isObject, type JsonObject, type JsonValue, ownValue } from '../../model/json.ts';

/** What a JSON pointer inside the schema leads to; undefined for pointers to anywhere else. */
export function pointed(root: JsonObject, ref: string): JsonValue | undefined {
  if (ref !== '#' && !ref.startsWith('#/')) return undefined;
  return ref
    .split('/')
    .slice(1)
    .map(keyOf)
    .reduce<JsonValue | undefined>((at, key) => {
      if (Array.isArray(at)) return at[Number(key)];
      return isObject(at) ? ownValue(at, key) : undefined;
    }, root);
}

/** A step of a pointer, its escapes read: `~1` is a slash, and the whole may be encoded as in a URL. */
function keyOf(step: string): string {
  const unescaped = (key: string) => key.replaceAll('~1', '/').replaceAll('~0', '~');
  try {
    return unescaped(decodeURIComponent(step));
  } catch {
    return unescaped(step);
  }
}

/** Deeper than any tool's arguments: properties and the schemas in them are two levels each. */
const MOST_LEVELS = 200;

/** Whether the schema, with its references followed, holds itself. */
export function isRecursive(root: JsonObject): boolean {
  const open = new Set<string>();
  const done = new Set<string>();
  const leadsBack = (value: JsonValue | undefined, level = 0): boolean => {
    // what nests so deep is refused as what holds itself
    if (level > MOST_LEVELS) return true;
    if (Array.isArray(value)) return value.some((inner) => leadsBack(inner, level + 1));
    if (!isObject(value)) return false;
    const { $ref: ref } = value;
    return (
      (typeof ref === 'string' && followed(ref)) || Object.values(value).some((inner) => leadsBack(inner, level + 1))
    );
  };
  const followed = (ref: string): boolean => {
    if (ref === '#' || open.has(ref)) return true;
    if (done.has(ref)) return false;
    open.add(ref);
    const leads = leadsBack(pointed(root, ref));
    open.delete(ref);
    done.add(ref);
    return leads;
  };
  return leadsBack(root);
}
