import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';

/** What stands for an empty key, which Bedrock's document type refuses (it answers 400). */
const EMPTY_KEY = '_';

export interface WrittenDocument {
  readonly value: JsonObject;
  readonly changed: boolean;
}

/** JSON of the user's or a model's own making (arguments, schemas, results) as the API takes it. */
export function documentOf(given: JsonObject): WrittenDocument {
  if (!holdsEmptyKey(given)) return { value: given, changed: false };
  return { value: objectWithoutEmptyKeys(given), changed: true };
}

/** Every schema and all arguments are looked at in full, so this allocates nothing. */
function holdsEmptyKey(value: JsonValue | undefined): boolean {
  if (Array.isArray(value)) return value.some(holdsEmptyKey);
  if (!isObject(value)) return false;
  for (const key in value) if (key === '' || holdsEmptyKey(value[key])) return true;
  return false;
}

const objectWithoutEmptyKeys = (object: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key === '' ? EMPTY_KEY : key, withoutEmptyKeys(value)]),
  );

function withoutEmptyKeys(value: JsonValue | undefined): JsonValue | undefined {
  if (Array.isArray(value)) return value.map((item) => withoutEmptyKeys(item) ?? null);
  return isObject(value) ? objectWithoutEmptyKeys(value) : value;
}
