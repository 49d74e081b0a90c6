import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';

/** What stands for an empty key, which Bedrock's document type refuses (it answers 400). */
const EMPTY_KEY = '_';

export interface WrittenDocument {
  readonly value: JsonObject;
  readonly changed: boolean;
}

/** JSON of the user's or a model's own making (arguments, schemas, results) as the API takes it. */
export function documentOf(given: JsonObject): WrittenDocument {
  const value = withoutEmptyKeys(given);
  return { value: isObject(value) ? value : {}, changed: value !== given };
}

/** The same value where nothing has to change. */
function withoutEmptyKeys(value: JsonValue | undefined): JsonValue | undefined {
  if (Array.isArray(value)) {
    const items = value.map((item) => withoutEmptyKeys(item) ?? null);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (!isObject(value)) return value;
  let changed = false;
  const written = Object.entries(value).map(([key, inner]) => {
    const kept = withoutEmptyKeys(inner);
    if (key === '' || kept !== inner) changed = true;
    return [key === '' ? EMPTY_KEY : key, kept];
  });
  return changed ? Object.fromEntries(written) : value;
}
