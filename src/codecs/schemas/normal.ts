import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { objectOf, objectsOf, stringsOf, textOf } from '../members.ts';
import { Growth } from './growth.ts';
import { pointed } from './references.ts';

/** Deeper than any tool's arguments; what lies further in may be anything. */
const MOST_LEVELS = 100;

/** A JSON Schema in fewer words: `allOf` merged, `oneOf` as `anyOf`, `const` as `enum`, references inlined if asked. */
export interface NormalSchema {
  readonly schema: JsonObject;
  /** True when inlining met a reference inside itself, where the schema is cut off. */
  readonly isRecursive: boolean;
}

interface Walk {
  readonly root: JsonObject;
  readonly inlines: boolean;
  readonly growth: Growth;
  level: number;
  isRecursive: boolean;
}

export function normalSchema(root: JsonObject, { inlines }: { inlines: boolean }): NormalSchema {
  const walk: Walk = { root, inlines, growth: new Growth(), level: 0, isRecursive: false };
  const schema = normal(root, walk, []);
  if (!inlines) {
    const shared = { ...objectOf(root.definitions), ...objectOf(root.$defs) };
    if (Object.keys(shared).length > 0) schema.$defs = mapped(shared, (inner) => normal(inner, walk, []));
  }
  return { schema, isRecursive: walk.isRecursive };
}

/** `trail`: the references that led here. */
function normal(given: JsonValue | undefined, walk: Walk, trail: readonly string[]): JsonObject {
  // `true` and what is no schema at all allow anything
  if (!isObject(given) || walk.level >= MOST_LEVELS) return {};
  walk.growth.countPlace();
  walk.level += 1;
  const written = normalObject(given, walk, trail);
  walk.level -= 1;
  return written;
}

function normalObject(given: JsonObject, walk: Walk, trail: readonly string[]): JsonObject {
  if (typeof given.$ref === 'string') return referred(given.$ref, given, walk, trail);
  const { allOf, oneOf, const: only, definitions: _1, $defs: _2, ...rest } = given;
  const own = withInsides(rest, walk, trail);
  if (only !== undefined && own.enum === undefined) own.enum = [only];
  if (oneOf !== undefined) {
    own.anyOf = [...objectsOf(own.anyOf), ...objectsOf(oneOf).map((branch) => normal(branch, walk, trail))];
  }
  return mergedAll([own, ...objectsOf(allOf).map((part) => normal(part, walk, trail))]);
}

function withInsides(schema: JsonObject, walk: Walk, trail: readonly string[]): JsonObject {
  const inside = (value: JsonValue | undefined) => normal(value, walk, trail);
  const { properties, items, prefixItems, anyOf, additionalProperties: others } = schema;
  return {
    ...schema,
    ...(isObject(properties) && { properties: mapped(properties, inside) }),
    // a list of items is the older form of a tuple
    ...(Array.isArray(items)
      ? { items: undefined, prefixItems: items.map(inside) }
      : items && { items: inside(items) }),
    ...(Array.isArray(prefixItems) && { prefixItems: prefixItems.map(inside) }),
    ...(Array.isArray(anyOf) && { anyOf: anyOf.map(inside) }),
    ...(isObject(others) && { additionalProperties: inside(others) }),
  };
}

function referred(ref: string, schema: JsonObject, walk: Walk, trail: readonly string[]): JsonObject {
  if (!walk.inlines) return { $ref: ref.replace('#/definitions/', '#/$defs/') };
  const { $ref: _, ...beside } = schema;
  const target = pointed(walk.root, ref);
  if (!walk.growth.allows(ref, target, trail)) {
    walk.isRecursive = true;
    return { type: objectOf(target).type ?? 'object', ...beside };
  }
  return merged(normal(target, walk, [...trail, ref]), normal(beside, walk, trail));
}

/** All at once, as if one after the other: each property is looked at once, and not once for each part behind it. */
export function mergedAll(parts: readonly JsonObject[]): JsonObject {
  if (parts.length <= 2) return parts.reduce(merged, {});
  const words = new Map<string, JsonValue | undefined>();
  const properties = new Map<string, JsonObject[]>();
  const required = new Set<string>();
  const told = new Set<string>();
  for (const part of parts) {
    for (const word in part) words.set(word, part[word]);
    for (const name of stringsOf(part.required)) required.add(name);
    if (textOf(part.description) !== '') told.add(textOf(part.description));
    for (const [name, value] of Object.entries(objectOf(part.properties))) addTo(properties, name, objectOf(value));
  }
  const sum: JsonObject = Object.fromEntries(words);
  if (isObject(sum.properties)) sum.properties = Object.fromEntries(mergedEach(properties));
  if (Array.isArray(sum.required)) sum.required = [...required];
  if (told.size > 0) sum.description = [...told].join(' ');
  return sum;
}

const mergedEach = (lists: ReadonlyMap<string, readonly JsonObject[]>): [string, JsonObject][] =>
  Array.from(lists, ([name, parts]) => [name, mergedAll(parts)]);

function addTo(lists: Map<string, JsonObject[]>, name: string, value: JsonObject): void {
  const known = lists.get(name);
  if (known) known.push(value);
  else lists.set(name, [value]);
}

/** Both at once: `more` wins where two words exclude each other. */
export function merged(base: JsonObject, more: JsonObject): JsonObject {
  const sum: JsonObject = { ...base, ...more };
  if (isObject(base.properties) && isObject(more.properties)) {
    const before = base.properties;
    sum.properties = {
      ...before,
      ...mapped(more.properties, (value, key) =>
        merged(Object.hasOwn(before, key) ? objectOf(before[key]) : {}, objectOf(value)),
      ),
    };
  }
  if (base.required !== undefined && more.required !== undefined) {
    sum.required = [...new Set([...stringsOf(base.required), ...stringsOf(more.required)])];
  }
  const told = [textOf(base.description), textOf(more.description)].filter((text) => text !== '');
  if (told.length > 0) sum.description = [...new Set(told)].join(' ');
  return sum;
}

export const mapped = (
  members: JsonObject,
  map: (value: JsonValue | undefined, key: string) => JsonObject,
): JsonObject => Object.fromEntries(Object.entries(members).map(([key, value]) => [key, map(value, key)]));
