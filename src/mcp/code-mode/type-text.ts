import { isObject, type JsonObject, type JsonValue, ownValue } from '../../model/json.ts';

/** Deeper than models write by hand; what lies below is `any`. */
const MAX_DEPTH = 6;
/** Longer unions say less than their common type. */
const MAX_MEMBERS = 40;

/** A JSON Schema as a TypeScript type on one line. Descriptions are left out; what cannot be said is `any`. */
export const typeText = (schema: JsonValue | undefined): string =>
  new TypeWriter(isObject(schema) ? schema : {}).type(schema, 0);

/** A property's name as it stands in an object type. */
export const propertyKey = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));

/** The value that a local `$ref` points to. */
function referred(root: JsonObject, reference: JsonValue | undefined): JsonValue | undefined {
  if (typeof reference !== 'string' || !reference.startsWith('#')) return undefined;
  let value: JsonValue | undefined = root;
  for (const step of reference.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    value = isObject(value) ? ownValue(value, key) : undefined;
  }
  return value;
}

class TypeWriter {
  readonly #root: JsonObject;
  readonly #open = new Set<string>();

  constructor(root: JsonObject) {
    this.#root = root;
  }

  type(schema: JsonValue | undefined, depth: number): string {
    if (!isObject(schema) || depth > MAX_DEPTH) return 'any';
    if (typeof schema.$ref === 'string') return this.#reference(schema.$ref, depth);
    if (schema.const !== undefined) return JSON.stringify(schema.const);
    if (Array.isArray(schema.enum)) return union(schema.enum.map((value) => JSON.stringify(value)));
    const choices = listOf(schema.anyOf) ?? listOf(schema.oneOf);
    if (choices)
      return union(choices.map((choice) => this.type({ ...typeOnly(schema), ...object(choice) }, depth + 1)));
    const all = listOf(schema.allOf);
    if (all) return this.#intersection(schema, all, depth);
    if (Array.isArray(schema.type)) return union(schema.type.map((type) => this.type({ ...schema, type }, depth + 1)));
    return this.#plain(schema, depth);
  }

  #plain(schema: JsonObject, depth: number): string {
    switch (schema.type ?? (isObject(schema.properties) ? 'object' : undefined)) {
      case 'string':
        return 'string';
      case 'number':
      case 'integer':
        return 'number';
      case 'boolean':
        return 'boolean';
      case 'null':
        return 'null';
      case 'array':
        return this.#array(schema, depth);
      case 'object':
        return this.#object(schema, depth);
      default:
        return 'any';
    }
  }

  #array({ items, prefixItems }: JsonObject, depth: number): string {
    const places = listOf(prefixItems);
    if (places) return `[${places.map((place) => this.type(place, depth + 1)).join(', ')}]`;
    const item = this.type(items, depth + 1);
    return / [|&] /.test(item) ? `(${item})[]` : `${item}[]`;
  }

  #object({ properties, required, additionalProperties }: JsonObject, depth: number): string {
    const named = isObject(properties) ? Object.entries(properties) : [];
    const needed = new Set(Array.isArray(required) ? required : []);
    const members = named
      .map(([name, schema]) => ({ name, schema, isNeeded: needed.has(name) }))
      .sort((a, b) => Number(b.isNeeded) - Number(a.isNeeded))
      .map(
        ({ name, schema, isNeeded }) => `${propertyKey(name)}${isNeeded ? '' : '?'}: ${this.type(schema, depth + 1)}`,
      );
    if (members.length > 0) return `{ ${members.join('; ')} }`;
    if (additionalProperties === false) return '{}';
    return `Record<string, ${this.type(additionalProperties, depth + 1)}>`;
  }

  #intersection(schema: JsonObject, all: readonly JsonValue[], depth: number): string {
    const { allOf: _, ...own } = schema;
    const parts = [own, ...all].map((part) => this.type(part, depth + 1)).filter((part) => part !== 'any');
    const different = [...new Set(parts)];
    if (different.length === 0) return 'any';
    return different.map((part) => (part.includes(' | ') ? `(${part})` : part)).join(' & ');
  }

  /** A type that holds itself is written once. */
  #reference(reference: string, depth: number): string {
    if (this.#open.has(reference)) return 'any';
    this.#open.add(reference);
    const text = this.type(referred(this.#root, reference), depth + 1);
    this.#open.delete(reference);
    return text;
  }
}

const listOf = (value: JsonValue | undefined): readonly JsonValue[] | undefined =>
  Array.isArray(value) && value.length > 0 ? value : undefined;

const object = (value: JsonValue): JsonObject => (isObject(value) ? value : {});

const typeOnly = ({ type }: JsonObject): JsonObject => (type === undefined ? {} : { type });

function union(members: readonly string[]): string {
  const different = [...new Set(members)];
  if (different.includes('any') || different.length === 0) return 'any';
  if (different.length > MAX_MEMBERS) return commonType(different);
  return different.join(' | ');
}

function commonType(members: readonly string[]): string {
  if (members.every((member) => member.startsWith('"'))) return 'string';
  return members.every((member) => /^-?\d/.test(member)) ? 'number' : 'any';
}
