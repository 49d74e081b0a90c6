import { isObject, type JsonObject, type JsonValue } from '../model/json.ts';

/** Members of wire objects as what they should be; empty where they are something else. */
export const textOf = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');

export const objectOf = (value: JsonValue | undefined): JsonObject => (isObject(value) ? value : {});

export const objectsOf = (value: JsonValue | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : [];

export const stringsOf = (value: JsonValue | undefined): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];

/** The members that `held` does not name. A `__proto__` of a client is one like any other. */
export function membersBeside(held: ReadonlySet<string>, object: JsonObject): JsonObject {
  const others: JsonObject = {};
  for (const key in object) {
    if (held.has(key)) continue;
    if (key === '__proto__')
      Object.defineProperty(others, key, { value: object[key], enumerable: true, writable: true });
    else others[key] = object[key];
  }
  return others;
}
