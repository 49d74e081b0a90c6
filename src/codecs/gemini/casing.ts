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
  'partMetadata',
]);

/** Whether JSON text may hold a field in snake_case. A search for one character in nearly every answer. */
export const maySpeakSnakeCase = (text: string): boolean => text.includes('_') && SNAKE_CASED_KEY.test(text);

/** Inside of a text the quotes are escaped, so only a member matches. */
const SNAKE_CASED_KEY = /"[a-z0-9]+_[a-z0-9_]+"\s*:/;

/**
 * A body with every field in camelCase; Google takes snake_case as well, and some servers answer in it. The same object
 * where nothing changes.
 */
export const camelCased = (body: JsonObject): JsonObject => (speaksSnakeCase(body) ? renamed(body) : body);

/** Nearly every body is looked at in full, so this allocates nothing. */
function speaksSnakeCase(value: JsonValue | undefined): boolean {
  if (Array.isArray(value)) return value.some(speaksSnakeCase);
  if (!isObject(value)) return false;
  for (const key in value) {
    if (key.includes('_')) return true;
    if (!OF_THE_USER.has(key) && speaksSnakeCase(value[key])) return true;
  }
  return false;
}

function renamed(body: JsonObject): JsonObject {
  let changed = false;
  const written: JsonObject = {};
  for (const [key, value] of Object.entries(body)) {
    const name = camelCase(key);
    const inner = OF_THE_USER.has(name) ? value : renamedInside(value);
    if (name !== key || inner !== value) changed = true;
    written[name] = inner;
  }
  return changed ? written : body;
}

const camelCase = (key: string): string =>
  key.includes('_') ? key.replace(/([a-z0-9])_([a-z0-9])/g, (_, before, after) => before + after.toUpperCase()) : key;

function renamedInside(value: JsonValue | undefined): JsonValue | undefined {
  if (isObject(value)) return renamed(value);
  if (!Array.isArray(value)) return value;
  const items = value.map((item) => (isObject(item) ? renamed(item) : item));
  return items.some((item, index) => item !== value[index]) ? items : value;
}
