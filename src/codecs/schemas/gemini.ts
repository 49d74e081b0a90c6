import { isObject, type JsonObject, type JsonValue, ownValue } from '../../model/json.ts';
import { objectOf, objectsOf, stringsOf, textOf } from '../members.ts';
import { sound } from './draft.ts';
import { jsonSchema, type WrittenSchema } from './gemini-json.ts';
import { memoised } from './memo.ts';
import { mapped, normalSchema } from './normal.ts';
import { described, rangeNotes, typesOf } from './words.ts';

/**
 * The schema in the API's subset of OpenAPI, or, where that would lose structure (maps, tuples, recursion, values of
 * any kind), in its subset of JSON Schema. Both are allow-lists: an unknown keyword is a 400.
 */
export const writtenSchema = memoised((asGiven: JsonObject): WrittenSchema => {
  const given = sound(asGiven);
  const { schema, isRecursive } = normalSchema(given, { inlines: true });
  const losses: SchemaLosses = { removed: new Set(), losesStructure: isRecursive };
  const written = openApi(schema, losses);
  // the parameters of a function must be an object, not a choice of objects
  if (!losses.losesStructure && written.type !== undefined)
    return { schema: written, form: 'openapi', removed: [...losses.removed] };
  return jsonSchema(given);
});

interface SchemaLosses {
  readonly removed: Set<string>;
  losesStructure: boolean;
}

function openApi(schema: JsonObject, losses: SchemaLosses): JsonObject {
  const branches = objectsOf(schema.anyOf);
  if (branches.length > 0) return openApiUnion(schema, branches, losses);
  const types = typesOf(schema);
  const named = types.filter((type) => type !== 'null');
  const nullable = types.includes('null') || (Array.isArray(schema.enum) && schema.enum.includes(null));
  if (named.length > 1) {
    const { description, ...rest } = schema;
    return union(
      named.map((type) => openApi({ ...rest, type }, losses)),
      description,
      nullable,
    );
  }
  const type = named[0] ?? inferredType(schema);
  if (type === undefined) losses.losesStructure = true;
  return single(schema, type ?? 'string', nullable || schema.nullable === true, losses);
}

function inferredType(schema: JsonObject): string | undefined {
  if (schema.properties !== undefined) return 'object';
  if (schema.items !== undefined || schema.prefixItems !== undefined) return 'array';
  const [first] = Array.isArray(schema.enum) ? schema.enum.filter((value) => value !== null) : [];
  return first === undefined ? undefined : typeof first;
}

function openApiUnion(schema: JsonObject, branches: JsonObject[], losses: SchemaLosses): JsonObject {
  const { anyOf: _, ...rest } = schema;
  if (rest.properties !== undefined || rest.items !== undefined) {
    // a union of demands on one shape (`required` this or that): the shape is what the model needs
    losses.losesStructure ||= branches.some((branch) => branch.properties !== undefined || branch.items !== undefined);
    losses.removed.add('anyOf');
    return openApi(rest, losses);
  }
  const some = branches.filter((branch) => textOf(branch.type) !== 'null');
  const nullable = some.length < branches.length;
  const { description, ...beside } = rest;
  const [only] = some;
  if (only && some.length === 1) {
    return {
      ...openApi({ ...beside, ...only, ...(description !== undefined && { description }) }, losses),
      ...(nullable && { nullable }),
    };
  }
  return union(
    some.map((branch) => openApi({ ...beside, ...branch }, losses)),
    description,
    nullable,
  );
}

/** Beside `anyOf` nothing may stand on Vertex, so what holds for all is said in each branch. */
function union(branches: readonly JsonObject[], description: JsonValue | undefined, nullable: boolean): JsonObject {
  const flat = branches.flatMap((branch) => (Array.isArray(branch.anyOf) ? objectsOf(branch.anyOf) : [branch]));
  return {
    anyOf: flat.map((branch) => ({
      ...branch,
      ...(branch.description === undefined && description !== undefined && { description }),
      ...(nullable && { nullable }),
    })),
  };
}

const COMMON = ['title', 'description', 'default'] as const;

/** Keywords of a Schema by its type (Gemini API, caching#Schema). */
const KEYWORDS: Readonly<Record<string, readonly string[]>> = {
  string: [...COMMON, 'minLength', 'maxLength', 'pattern'],
  number: [...COMMON, 'minimum', 'maximum'],
  integer: [...COMMON, 'minimum', 'maximum'],
  boolean: COMMON,
  array: [...COMMON, 'minItems', 'maxItems'],
  object: [...COMMON, 'minProperties', 'maxProperties'],
};

const FORMATS: Readonly<Record<string, readonly string[]>> = {
  string: ['date-time'],
  number: ['float', 'double'],
  integer: ['int32', 'int64'],
};

/** Keywords that are read in another way, or that say nothing to a model. */
const SILENT: ReadonlySet<string> = new Set([
  'type',
  'enum',
  'format',
  'items',
  'properties',
  'required',
  'nullable',
  'propertyOrdering',
]);

function single(schema: JsonObject, type: string, nullable: boolean, losses: SchemaLosses): JsonObject {
  const known = ownValue(KEYWORDS, type) ?? COMMON;
  const written: JsonObject = { type: type.toUpperCase() };
  const notes = notesOf(schema, type, losses.removed);
  for (const [key, value] of Object.entries(schema)) {
    if (value === undefined || SILENT.has(key)) continue;
    if (known.includes(key)) written[key] = value;
    else losses.removed.add(key);
  }
  if (ownValue(FORMATS, type)?.includes(textOf(schema.format))) written.format = schema.format;
  const choices = stringChoices(schema, type);
  if (choices) written.enum = choices;
  if (type === 'array') Object.assign(written, openApiItems(schema, losses));
  if (type === 'object') Object.assign(written, openApiMembers(schema, losses));
  return { ...described(written, notes), ...(nullable && { nullable: true }) };
}

function openApiItems({ items, prefixItems }: JsonObject, losses: SchemaLosses): JsonObject {
  if (prefixItems !== undefined) losses.losesStructure = true;
  // an array without items is refused
  return { items: isObject(items) ? openApi(items, losses) : { type: 'STRING' } };
}

function openApiMembers(schema: JsonObject, losses: SchemaLosses): JsonObject {
  const { properties, additionalProperties: others, patternProperties } = schema;
  if (isObject(others) || patternProperties !== undefined) losses.losesStructure = true;
  const isFree = Object.keys(objectOf(properties)).length === 0 && others !== false;
  if (isFree) losses.losesStructure = true;
  if (!isObject(properties)) return {};
  const required = stringsOf(schema.required).filter((name) => Object.hasOwn(properties, name));
  return {
    properties: mapped(properties, (inner) => openApi(objectOf(inner), losses)),
    ...(required.length > 0 && { required }),
  };
}

/** The choices of a text. Enums hold texts only here; other types are told of theirs in words. */
function stringChoices({ enum: choices }: JsonObject, type: string): JsonValue[] | undefined {
  if (type !== 'string' || !Array.isArray(choices)) return undefined;
  const texts = choices.filter((choice) => choice !== null && choice !== '').map(String);
  return texts.length > 0 ? texts : undefined;
}

/** What the removed keywords would have told the model, in words. */
function notesOf(schema: JsonObject, type: string, removed: Set<string>): string[] {
  const notes: string[] = [];
  const { enum: choices, format } = schema;
  if (Array.isArray(choices) && type !== 'string') {
    removed.add('enum');
    notes.push(
      choices.length === 1
        ? `always ${JSON.stringify(choices[0])}`
        : `one of ${choices.map((choice) => JSON.stringify(choice)).join(', ')}`,
    );
  }
  if (Array.isArray(choices) && type === 'string' && choices.includes('')) notes.push('may be empty');
  if (typeof format === 'string' && !ownValue(FORMATS, type)?.includes(format)) {
    removed.add('format');
    notes.push(`format ${format}`);
  }
  return [...notes, ...rangeNotes(schema)];
}
