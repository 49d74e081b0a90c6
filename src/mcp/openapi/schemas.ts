import { NAMED_SCHEMAS, ONE_SCHEMA, SCHEMA_LIST } from '../../codecs/schemas/keywords.ts';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { target } from './references.ts';

/** Above this, what is referred to stands once, however often it is used. */
const MAX_INLINE_NODES = 3_000;
/** A text counts as a node, and as one more for each time it is this long. */
const TEXT_OF_A_NODE = 100;
const LEFT_OUT: JsonObject = { description: "Left out here, as it is too long; the API's documentation has it." };

/** Words of OpenAPI that are none of JSON Schema, or tell a model nothing. */
const DROPPED: ReadonlySet<string> = new Set([
  'nullable',
  'discriminator',
  'readOnly',
  'writeOnly',
  'xml',
  'externalDocs',
  'example',
]);

/** Schemas of one tool. What they share, or what holds itself, stands in `$defs`. */
export interface ToolSchemas {
  of(schema: JsonValue | undefined): JsonObject;
  /** To stand at the root beside the schemas; undefined when nothing was needed. */
  readonly definitions: JsonObject | undefined;
}

/**
 * Inputs as JSON Schema, references resolved in place unless they hold themselves or would fill pages. `$defs` holds
 * what is nearest to the schemas, up to about `maxDefinitions` characters of JSON.
 */
export function toolSchemas(
  root: JsonObject,
  schemas: readonly (JsonValue | undefined)[],
  maxDefinitions: number,
): ToolSchemas {
  const walk = new Walk(root, !schemas.every((schema) => isSmall(root, schema)), maxDefinitions);
  return {
    of: (schema) => walk.schema(schema),
    get definitions() {
      return walk.definitions();
    },
  };
}

/** Whether everything in the schema can stand in place: finite, and no more than a few pages. */
function isSmall(root: JsonObject, schema: JsonValue | undefined): boolean {
  let nodes = 0;
  const path = new Set<string>();
  const count = (value: JsonValue | undefined): boolean => {
    nodes += 1;
    if (typeof value === 'string') nodes += Math.floor(value.length / TEXT_OF_A_NODE);
    if (nodes > MAX_INLINE_NODES) return false;
    if (Array.isArray(value)) return value.every(count);
    if (!isObject(value)) return true;
    const { $ref: reference } = value;
    if (typeof reference !== 'string') return Object.values(value).every(count);
    if (path.has(reference)) return false;
    path.add(reference);
    const isSmallThere = count(target(root, reference));
    path.delete(reference);
    return isSmallThere;
  };
  return count(schema);
}

class Walk {
  readonly #root: JsonObject;
  readonly #shares: boolean;
  readonly #maxDefinitions: number;
  readonly #names = new Map<string, string>();
  readonly #definitions: JsonObject = {};

  constructor(root: JsonObject, shares: boolean, maxDefinitions: number) {
    this.#root = root;
    this.#shares = shares;
    this.#maxDefinitions = maxDefinitions;
  }

  definitions(): JsonObject | undefined {
    if (this.#names.size === 0) return undefined;
    let length = 0;
    // a definition may name more of them, which come last
    for (const [reference, name] of this.#names) {
      if (length > this.#maxDefinitions) continue;
      const definition = this.schema(target(this.#root, reference));
      this.#definitions[name] = definition;
      length += JSON.stringify(definition).length;
    }
    return this.#definitions;
  }

  schema(value: JsonValue | undefined): JsonObject {
    if (!isObject(value)) return {};
    const { $ref: reference, ...beside } = value;
    if (typeof reference !== 'string') return this.#plain(value);
    const described = typeof beside.description === 'string' ? { description: beside.description } : {};
    if (!this.#shares) return { ...this.schema(target(this.#root, reference)), ...described };
    return { $ref: `#/$defs/${this.#defined(reference)}`, ...described };
  }

  #defined(reference: string): string {
    let name = this.#names.get(reference);
    if (name === undefined) {
      name = freeName(reference, this.#definitions);
      this.#names.set(reference, name);
      this.#definitions[name] = LEFT_OUT;
    }
    return name;
  }

  #plain(schema: JsonObject): JsonObject {
    const result: JsonObject = {};
    for (const [key, value] of Object.entries(schema)) {
      if (DROPPED.has(key) || key.startsWith('x-')) continue;
      if (NAMED_SCHEMAS.has(key) && isObject(value)) result[key] = this.#map(value);
      else if (SCHEMA_LIST.has(key) && Array.isArray(value)) result[key] = value.map((entry) => this.schema(entry));
      else if (ONE_SCHEMA.has(key) && isObject(value)) result[key] = this.schema(value);
      else result[key] = value;
    }
    if (isObject(schema.properties)) dropReadOnly(result, schema.properties);
    draft4Limits(result);
    return schema.nullable === true ? withNull(result) : result;
  }

  #map(schemas: JsonObject): JsonObject {
    return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, this.schema(schema)]));
  }
}

/** What only answers hold is nothing to ask a model for. */
function dropReadOnly(result: JsonObject, given: JsonObject): void {
  const isReadOnly = (name: string): boolean => {
    const property = given[name];
    return isObject(property) && property.readOnly === true;
  };
  const properties = isObject(result.properties) ? result.properties : {};
  result.properties = Object.fromEntries(Object.entries(properties).filter(([name]) => !isReadOnly(name)));
  if (!Array.isArray(result.required)) return;
  result.required = result.required.filter((name) => !isReadOnly(String(name)));
}

/** OpenAPI 3.0 took JSON Schema's draft 4, where the exclusive limits are flags. */
function draft4Limits(schema: JsonObject): void {
  for (const [flag, limit] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    if (typeof schema[flag] !== 'boolean') continue;
    const isExclusive = schema[flag];
    delete schema[flag];
    if (!isExclusive || schema[limit] === undefined) continue;
    schema[flag] = schema[limit];
    delete schema[limit];
  }
}

function withNull(schema: JsonObject): JsonObject {
  const { type, enum: values } = schema;
  if (typeof type !== 'string') return type === undefined ? { anyOf: [schema, { type: 'null' }] } : schema;
  return {
    ...schema,
    type: [type, 'null'],
    ...(Array.isArray(values) && !values.includes(null) && { enum: [...values, null] }),
  };
}

function freeName(reference: string, taken: JsonObject): string {
  const name = (reference.split('/').at(-1) ?? '').replace(/[^A-Za-z0-9_]/g, '_') || 'schema';
  if (!Object.hasOwn(taken, name)) return name;
  for (let number = 2; ; number += 1) if (!Object.hasOwn(taken, `${name}_${number}`)) return `${name}_${number}`;
}
