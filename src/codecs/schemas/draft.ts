import { isObject, type JsonObject, type JsonValue, ownValue } from '../../model/json.ts';
import type { Report, SchemaRule } from './derivation.ts';
import { pointed } from './references.ts';
import { mapSchemas } from './walk.ts';

/**
 * A schema that keeps to JSON Schema 2020-12, which is what every API but Google's checks schemas against: older drafts
 * and OpenAPI say some things otherwise, and servers of tools make mistakes. What is sound stays as it came.
 */
export const inDraft2020: SchemaRule = (root, report) =>
  mapSchemas(root, (schema, path) => {
    let sound: JsonObject | undefined;
    for (const keyword in schema) {
      const repair = REPAIRS.get(keyword);
      const value = schema[keyword];
      if (repair === undefined || value === undefined) continue;
      const change = repair(value, schema, root);
      if (change === undefined) continue;
      sound ??= { ...schema };
      delete sound[keyword];
      Object.assign(sound, change);
      reportTo(report, `${path}.${keyword}`, change);
    }
    return sound ?? schema;
  });

/** The same, where what was mended is told in other words. */
export const sound = (schema: JsonObject): JsonObject => inDraft2020(schema, () => undefined);

function reportTo(report: Report, path: string, change: JsonObject): void {
  const isGone = Object.keys(change).length === 0;
  report({ path, action: isGone ? 'dropped' : 'rewritten', reason: 'JSON Schema 2020-12 has no such form of it' });
}

/** What stands in place of a keyword; undefined when it is sound, empty when nothing of it can be kept. */
type Repair = (value: JsonValue, schema: JsonObject, root: JsonObject) => JsonObject | undefined;

const GONE: JsonObject = {};

const TYPES: ReadonlySet<string> = new Set(['string', 'number', 'integer', 'boolean', 'array', 'object', 'null']);

/** Words of programming languages and of Google's Schema that are found where a type should be. */
const TYPE_OF: Readonly<Record<string, string>> = {
  str: 'string',
  text: 'string',
  int: 'integer',
  float: 'number',
  double: 'number',
  bool: 'boolean',
  dict: 'object',
  map: 'object',
  list: 'array',
};

function typeOf(value: JsonValue, { nullable }: JsonObject): JsonObject | undefined {
  const given = Array.isArray(value) ? value : [value];
  const known = given.flatMap((name) => {
    const lower = typeof name === 'string' ? name.toLowerCase() : '';
    const type = TYPES.has(lower) ? lower : ownValue(TYPE_OF, lower);
    return type === undefined ? [] : [type];
  });
  const types = [...new Set(nullable === true ? [...known, 'null'] : known)];
  if (types.length === given.length && types.every((type, index) => type === given[index])) return undefined;
  const [only] = types;
  if (only === undefined) return GONE;
  return { type: types.length === 1 ? only : types };
}

/** Before 2019 a list of items was a tuple; a tuple is `prefixItems` now. */
const itemsOf: Repair = (value, { prefixItems }) => {
  if (!Array.isArray(value)) return isSchema(value) ? undefined : GONE;
  return prefixItems !== undefined || value.length === 0 ? GONE : { prefixItems: value.filter(isSchema) };
};

/** Draft 4 made a limit exclusive by a flag beside it. */
const exclusive =
  (limit: 'minimum' | 'maximum', keyword: string): Repair =>
  (value, schema) => {
    if (typeof value === 'number') return undefined;
    const bound = schema[limit];
    return value === true && typeof bound === 'number' ? { [keyword]: bound } : GONE;
  };

const isSchema = (value: JsonValue | undefined): boolean => isObject(value) || typeof value === 'boolean';
const only = (isSound: (value: JsonValue) => boolean): Repair => {
  return (value) => (isSound(value) ? undefined : GONE);
};
const listOfSchemas =
  (keyword: string): Repair =>
  (value) => {
    if (!Array.isArray(value)) return GONE;
    const sound = value.filter(isSchema);
    if (sound.length === value.length && sound.length > 0) return undefined;
    return sound.length > 0 ? { [keyword]: sound } : GONE;
  };

const mapOfSchemas =
  (keyword: string): Repair =>
  (value) => {
    if (!isObject(value)) return GONE;
    const entries = Object.entries(value);
    const sound = entries.filter(([, schema]) => isSchema(schema));
    return sound.length === entries.length ? undefined : { [keyword]: Object.fromEntries(sound) };
  };

/** Draft 3 said `required: true` in the property itself. */
const requiredOf: Repair = (value) => {
  if (!Array.isArray(value)) return GONE;
  const names = [...new Set(value.filter((name) => typeof name === 'string'))];
  return names.length === value.length ? undefined : { required: names };
};

function isPattern(value: string): boolean {
  try {
    return new RegExp(value, 'u').unicode;
  } catch {
    return false;
  }
}

const each = (repair: Repair, ...keywords: readonly string[]): [string, Repair][] =>
  keywords.map((keyword) => [keyword, repair]);

const REPAIRS: ReadonlyMap<string, Repair> = new Map<string, Repair>([
  ['type', typeOf],
  ['items', itemsOf],
  ['required', requiredOf],
  ['enum', only((value) => Array.isArray(value) && value.length > 0)],
  ['pattern', only((value) => typeof value === 'string' && isPattern(value))],
  ['exclusiveMinimum', exclusive('minimum', 'exclusiveMinimum')],
  ['exclusiveMaximum', exclusive('maximum', 'exclusiveMaximum')],
  // a reference must lead somewhere inside the schema
  ['$ref', (value, _, root) => (typeof value === 'string' && isSchema(pointed(root, value)) ? undefined : GONE)],
  ...each(
    only((value) => typeof value === 'number'),
    ...['minimum', 'maximum', 'multipleOf'],
  ),
  ...each(
    only((value) => Number.isInteger(value) && Number(value) >= 0),
    ...['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'],
  ),
  ...each(
    only((value) => typeof value === 'string'),
    ...['title', 'description', 'format', '$schema', '$id'],
  ),
  ...each(only(isSchema), 'additionalProperties', 'propertyNames', 'contains', 'not', 'if', 'then', 'else'),
  ...['anyOf', 'oneOf', 'allOf', 'prefixItems'].map((keyword): [string, Repair] => [keyword, listOfSchemas(keyword)]),
  ...['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'].map(
    (keyword): [string, Repair] => [keyword, mapOfSchemas(keyword)],
  ),
]);
