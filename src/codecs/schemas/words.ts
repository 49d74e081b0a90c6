import type { JsonObject } from '../../model/json.ts';
import { stringsOf, textOf } from '../members.ts';

/** The types that a schema names, in lower case. */
export const typesOf = ({ type }: JsonObject): string[] =>
  (Array.isArray(type) ? stringsOf(type) : [textOf(type)])
    .filter((name) => name !== '')
    .map((name) => name.toLowerCase());

/** Ranges that neither form of the API's schemas knows, in words for the description. */
export function rangeNotes(schema: JsonObject): string[] {
  const notes: string[] = [];
  for (const [key, words] of Object.entries(RANGES)) {
    const value = schema[key];
    if (typeof value === 'number' || typeof value === 'string') notes.push(`${words} ${value}`);
  }
  if (schema.uniqueItems === true) notes.push('no item twice');
  return notes;
}

const RANGES: Readonly<Record<string, string>> = {
  exclusiveMinimum: 'greater than',
  exclusiveMaximum: 'less than',
  multipleOf: 'a multiple of',
};

/** The schema with notes behind its description. */
export function described(schema: JsonObject, notes: readonly string[]): JsonObject {
  if (notes.length === 0) return schema;
  const before = textOf(schema.description);
  return { ...schema, description: `${before}${before === '' ? '' : ' '}(${notes.join('; ')})` };
}
