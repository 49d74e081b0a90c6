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
    if (!held.has(key)) setMember(others, key, object[key]);
  }
  return others;
}

/**
 * A copy that is to be given members which the object lacks. V8 makes a new shape each time for a literal that begins
 * with a spread and names such members behind it, which takes microseconds.
 */
export function copyOf(object: JsonObject): JsonObject {
  const { ...copy } = object;
  return copy;
}

/** Gives an object that is ours all members of another one. */
export function addMembers(object: JsonObject, more: JsonObject): void {
  for (const key in more) setMember(object, key, more[key]);
}

/** A copy with further members, some of which the object lacks. */
export function withMembers(object: JsonObject, more: JsonObject): JsonObject {
  const copy = copyOf(object);
  addMembers(copy, more);
  return copy;
}

function setMember(object: JsonObject, key: string, value: JsonValue | undefined): void {
  if (key !== '__proto__') object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
}
