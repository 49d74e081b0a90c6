import { isObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { Loss } from '../model/loss.ts';

/** Keywords whose value is a schema, a list of schemas, or names with schemas (JSON Schema 2020-12). */
const SCHEMA = new Set(['items', 'additionalProperties', 'contains', 'not', 'if', 'then', 'else', 'propertyNames']);
const SCHEMA_LIST = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems']);
const SCHEMA_MAP = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);

/** Lookaround, or a NUL escape. */
const NARROW = /\(\?<?[=!]|\\0/;

/**
 * The schema without the patterns that a narrow regular-expression engine refuses. It walks by position, so a user's
 * property that is called "pattern" is not taken for the keyword.
 */
export function withoutNarrowPatterns(schema: JsonObject, path: string, report: (loss: Loss) => void): JsonObject {
  const inner = (value: JsonValue | undefined, at: string): JsonValue | undefined =>
    isObject(value) ? withoutNarrowPatterns(value, at, report) : value;
  const changed: JsonObject = {};
  let same = true;
  for (const [keyword, value] of Object.entries(schema)) {
    const at = `${path}.${keyword}`;
    if (keyword === 'pattern' && typeof value === 'string' && NARROW.test(value)) {
      report({ field: at, action: 'dropped', reason: `the pattern ${value} is refused here` });
      same = false;
      continue;
    }
    changed[keyword] = mapped(keyword, value, at, inner);
    if (changed[keyword] !== value) same = false;
  }
  return same ? schema : changed;
}

type Inner = (value: JsonValue | undefined, path: string) => JsonValue | undefined;

function mapped(keyword: string, value: JsonValue | undefined, path: string, inner: Inner): JsonValue | undefined {
  if (SCHEMA.has(keyword)) return inner(value, path);
  if (SCHEMA_LIST.has(keyword) && Array.isArray(value)) {
    const list = value.map((entry, index) => inner(entry, `${path}[${index}]`) ?? entry);
    return list.every((entry, index) => entry === value[index]) ? value : list;
  }
  if (SCHEMA_MAP.has(keyword) && isObject(value)) {
    const entries = Object.entries(value).map(([name, entry]) => [name, inner(entry, `${path}.${name}`)] as const);
    return entries.every(([name, entry]) => entry === value[name]) ? value : Object.fromEntries(entries);
  }
  return value;
}
