import { isObject, type JsonObject } from '../../model/json.ts';
import { objectOf, stringsOf } from '../members.ts';
import type { SchemaRule } from './derivation.ts';
import { flattened, isComposed } from './flatten.ts';
import { mapSchemas } from './walk.ts';

// What more than one target wants of the schema of a tool's arguments. A target is a list of these.

/** The top is an object by itself: no choice of objects, no reference to one. */
export const rootIsObject: SchemaRule = (schema, report) => {
  const plain = isComposed(schema) ? flattened(schema) : schema;
  if (plain !== schema) {
    report({ path: '', action: 'rewritten', reason: 'arguments are one object here, not a choice or a reference' });
  }
  if (plain.type === 'object') return plain;
  report({ path: '.type', action: 'invented', reason: 'arguments must be an object schema' });
  return { ...plain, type: 'object' };
};

/** `{}` and `{"type":"object"}` are refused for a tool that takes nothing. */
export const rootHasProperties: SchemaRule = (schema, report) => {
  if (isObject(schema.properties)) return schema;
  report({ path: '.properties', action: 'invented', reason: 'an object schema must name its properties' });
  return { ...schema, properties: {} };
};

/** Keywords that the top must not have. */
export const rootWithout =
  (reason: string, ...keywords: readonly string[]): SchemaRule =>
  (schema, report) => {
    const present = keywords.filter((keyword) => schema[keyword] !== undefined);
    if (present.length === 0) return schema;
    const changed = { ...schema };
    for (const keyword of present) {
      delete changed[keyword];
      report({ path: `.${keyword}`, action: 'dropped', reason });
    }
    return changed;
  };

/** Nothing at the top but these keywords. */
export const rootWithOnly =
  (reason: string, ...keywords: readonly string[]): SchemaRule =>
  (schema, report) =>
    rootWithout(reason, ...Object.keys(schema).filter((keyword) => !keywords.includes(keyword)))(schema, report);

/** An array that says nothing of its items may hold anything. */
export const arraysHaveItems: SchemaRule = (root, report) =>
  mapSchemas(root, (schema, path) => {
    const isArray = schema.type === 'array' || stringsOf(schema.type).includes('array');
    if (!isArray || schema.items !== undefined || schema.prefixItems !== undefined) return schema;
    report({ path: `${path}.items`, action: 'invented', reason: 'an array schema must have items' });
    return { ...schema, items: {} };
  });

/** "'required' present but 'properties' is missing" (Groq). */
export const requiredHasProperties: SchemaRule = (root, report) =>
  mapSchemas(root, (schema, path) => {
    if (schema.required === undefined || isObject(schema.properties)) return schema;
    const { required: _, ...rest } = schema;
    report({ path: `${path}.required`, action: 'dropped', reason: 'it names properties that are not described' });
    return rest;
  });

/** Arguments whose names a target does not take: the tool goes without them, instead of nothing going at all. */
export const rootNamesMatch =
  (pattern: RegExp): SchemaRule =>
  (schema, report) => {
    const names = Object.keys(isObject(schema.properties) ? schema.properties : {});
    const refused = names.filter((name) => !pattern.test(name));
    if (refused.length === 0) return schema;
    const properties = { ...objectOf(schema.properties) };
    for (const name of refused) {
      delete properties[name];
      report({ path: `.properties.${name}`, action: 'dropped', reason: `names must match ${pattern.source} here` });
    }
    return withProperties(schema, properties);
  };

/** A property without a name has no place in a document of AWS. */
export const namesNotEmpty: SchemaRule = (root, report) =>
  mapSchemas(root, (schema, path) => {
    if (!isObject(schema.properties) || !Object.hasOwn(schema.properties, '')) return schema;
    const { '': _, ...properties } = schema.properties;
    report({ path: `${path}.properties.`, action: 'dropped', reason: 'a property must have a name here' });
    return withProperties(schema, properties);
  });

/** The schema with fewer properties, of which only those that are left are required. */
function withProperties(schema: JsonObject, properties: JsonObject): JsonObject {
  const required = stringsOf(schema.required).filter((name) => Object.hasOwn(properties, name));
  const { required: _, ...rest } = schema;
  return { ...rest, properties, ...(required.length > 0 && { required }) };
}
