/** JSON as it parses; `undefined` members are allowed while a body is being built and vanish when it is written. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue | undefined;
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * What a table says of a word that came from outside, or an object under a name that did: `constructor` and `__proto__`
 * are words like any other, and every object answers to them.
 */
export const ownValue = <Value>(table: Readonly<Record<string, Value>>, word: string): Value | undefined =>
  Object.hasOwn(table, word) ? table[word] : undefined;

/** What a JSON text says; undefined where it is no JSON. */
export function parsedJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a JSON text says; any other text is itself. */
export function jsonOrText(text: string): JsonValue {
  const value = parsedJson(text);
  return value === undefined ? text : value;
}

/** The object that a JSON text is; undefined where it is anything else. */
export function parsedObject(text: string): JsonObject | undefined {
  const value = parsedJson(text);
  return isObject(value) ? value : undefined;
}
