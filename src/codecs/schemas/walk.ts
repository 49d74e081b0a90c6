import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { NAMED_SCHEMAS, ONE_SCHEMA, SCHEMA_LIST } from './keywords.ts';

/** Deeper than any tool's arguments; a schema that nests further is left as it is from there on. */
const MOST_LEVELS = 100;

/** What becomes of one schema; `path` is where it stands, as in `.properties.a`, and empty for the root. */
export type SchemaChange = (schema: JsonObject, path: string) => JsonObject;

/**
 * The schema with `change` made of each schema in it, the insides before what holds them. It walks by position, so a
 * user's property that is called "type" or "properties" is not taken for the keyword. Where nothing changes, the very
 * same objects come back.
 */
export function mapSchemas(schema: JsonObject, change: SchemaChange, path = '', level = 0): JsonObject {
  if (level > MOST_LEVELS) return schema;
  const inside = (value: JsonValue, at: string): JsonValue =>
    isObject(value) ? mapSchemas(value, change, at, level + 1) : value;
  let mapped: JsonObject | undefined;
  for (const keyword in schema) {
    const value = schema[keyword];
    const after = value === undefined ? value : insideOf(keyword, value, `${path}.${keyword}`, inside);
    if (after !== value) {
      mapped ??= { ...schema };
      mapped[keyword] = after;
    }
  }
  return change(mapped ?? schema, path);
}

type Inside = (value: JsonValue, path: string) => JsonValue;

function insideOf(keyword: string, value: JsonValue, path: string, inside: Inside): JsonValue {
  if (Array.isArray(value)) {
    // a list of items is the older form of a tuple
    const holds = SCHEMA_LIST.has(keyword) || keyword === 'items';
    return holds ? mappedList(value, path, inside) : value;
  }
  if (ONE_SCHEMA.has(keyword)) return inside(value, path);
  return NAMED_SCHEMAS.has(keyword) && isObject(value) ? mappedMembers(value, path, inside) : value;
}

function mappedList(list: JsonValue[], path: string, inside: Inside): JsonValue[] {
  const mapped = list.map((entry, index) => inside(entry, `${path}[${index}]`));
  return mapped.every((entry, index) => entry === list[index]) ? list : mapped;
}

function mappedMembers(members: JsonObject, path: string, inside: Inside): JsonObject {
  const mapped = mapMembers(members, (value, name) => (value === undefined ? value : inside(value, `${path}.${name}`)));
  return Object.keys(members).every((name) => mapped[name] === members[name]) ? members : mapped;
}

/** Each member in its place, whatever its name: `__proto__` is a name like any other. */
const mapMembers = (
  members: JsonObject,
  map: (value: JsonValue | undefined, name: string) => JsonValue | undefined,
): JsonObject => Object.fromEntries(Object.entries(members).map(([name, value]) => [name, map(value, name)]));
