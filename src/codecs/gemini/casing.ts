import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';

/** Members whose insides belong to the user, so that no key in them is ours to rename. */
const OF_THE_USER: ReadonlySet<string> = new Set([
  'args',
  'response',
  'labels',
  'parameters',
  'parametersJsonSchema',
  'responseSchema',
  'responseJsonSchema',
  '_responseJsonSchema',
]);

/** A body with every field in camelCase; Google takes snake_case as well. The same object where nothing changes. */
export function camelCased(body: JsonObject): JsonObject {
  let changed = false;
  const written: JsonObject = {};
  for (const [key, value] of Object.entries(body)) {
    const name = camelCase(key);
    const inner = OF_THE_USER.has(name) ? value : camelCasedValue(value);
    if (name !== key || inner !== value) changed = true;
    written[name] = inner;
  }
  return changed ? written : body;
}

const camelCase = (key: string): string =>
  key.includes('_') ? key.replace(/([a-z0-9])_([a-z0-9])/g, (_, before, after) => before + after.toUpperCase()) : key;

function camelCasedValue(value: JsonValue | undefined): JsonValue | undefined {
  if (isObject(value)) return camelCased(value);
  if (!Array.isArray(value)) return value;
  const items = value.map((item) => (isObject(item) ? camelCased(item) : item));
  return items.some((item, index) => item !== value[index]) ? items : value;
}
