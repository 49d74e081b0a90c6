import { isObject, type JsonObject, type JsonValue, ownValue } from '../../model/json.ts';
import { objectOf, stringsOf } from '../members.ts';
import { sound } from './draft.ts';
import { memoised } from './memo.ts';
import { mapped, normalSchema } from './normal.ts';
import { described, rangeNotes, typesOf } from './words.ts';

/** A JSON Schema in one of the two forms that the API takes. */
export interface WrittenSchema {
  readonly schema: JsonObject;
  /** `openapi`: the subset that `parameters` takes; `json`: the larger one of `parametersJsonSchema`. */
  readonly form: 'openapi' | 'json';
  /** Keywords that had no place; what they say stands in descriptions where words can say it. */
  readonly removed: readonly string[];
}

/** The schema in the API's subset of JSON Schema. */
export const jsonSchema = memoised((asGiven: JsonObject): WrittenSchema => {
  const given = sound(asGiven);
  const inlined = normalSchema(given, { inlines: true });
  const { schema } = inlined.isRecursive ? normalSchema(given, { inlines: false }) : inlined;
  const removed = new Set<string>();
  return { schema: jsonSubset(schema, removed), form: 'json', removed: [...removed] };
});

/** Keywords of the API's JSON Schema (Gemini API, GenerationConfig.responseJsonSchema). */
const JSON_KEYWORDS: ReadonlySet<string> = new Set([
  'type',
  'format',
  'title',
  'description',
  'enum',
  'minItems',
  'maxItems',
  'minimum',
  'maximum',
]);

const JSON_INSIDES: ReadonlySet<string> = new Set([
  '$defs',
  'properties',
  'required',
  'items',
  'prefixItems',
  'anyOf',
  'additionalProperties',
]);

/** Limits that the larger subset lacks, in words. */
const LIMITS: Readonly<Record<string, string>> = {
  minLength: 'at least this many characters:',
  maxLength: 'at most this many characters:',
  pattern: 'matches',
};

function jsonSubset(schema: JsonObject, removed: Set<string>): JsonObject {
  // beside a reference nothing else may stand, and one to anywhere else leads nowhere
  if (typeof schema.$ref === 'string') return /^#(?:\/\$defs\/|$)/.test(schema.$ref) ? { $ref: schema.$ref } : {};
  const written: JsonObject = {};
  const notes = rangeNotes(schema);
  for (const [key, value] of Object.entries(schema)) {
    if (value === undefined) continue;
    if (key === 'enum') Object.assign(written, choices(value, notes, removed));
    else if (JSON_KEYWORDS.has(key)) written[key] = value;
    else if (!JSON_INSIDES.has(key)) {
      removed.add(key);
      const limit = ownValue(LIMITS, key);
      if (limit) notes.push(`${limit} ${String(value)}`);
    }
  }
  return described({ ...written, ...jsonInsides(schema, removed) }, notes);
}

/** The choices that are texts and numbers, all that the subset knows; where others are among them, in words. */
function choices(value: JsonValue, notes: string[], removed: Set<string>): JsonObject {
  const all = Array.isArray(value) ? value : [];
  const known = all.filter((choice) => typeof choice === 'string' || typeof choice === 'number');
  if (known.length === all.length) return { enum: known };
  removed.add('enum');
  notes.push(`one of ${all.map((choice) => JSON.stringify(choice)).join(', ')}`);
  return {};
}

function jsonInsides(schema: JsonObject, removed: Set<string>): JsonObject {
  const inside = (value: JsonValue | undefined) => jsonSubset(objectOf(value), removed);
  const { properties, items, prefixItems, anyOf, additionalProperties: others, $defs } = schema;
  const isArray = typesOf(schema).includes('array');
  const required = stringsOf(schema.required).filter((name) => Object.hasOwn(objectOf(properties), name));
  return {
    ...(isObject(properties) && { properties: mapped(properties, inside) }),
    ...(required.length > 0 && { required }),
    ...(isObject(items) && { items: inside(items) }),
    ...(isArray && !isObject(items) && prefixItems === undefined && { items: { type: 'string' } }),
    ...(Array.isArray(prefixItems) && { prefixItems: prefixItems.map(inside) }),
    ...(Array.isArray(anyOf) && { anyOf: anyOf.map(inside) }),
    ...(isObject(others) && { additionalProperties: inside(others) }),
    ...(typeof others === 'boolean' && { additionalProperties: others }),
    ...(isObject($defs) && { $defs: mapped($defs, inside) }),
  };
}
