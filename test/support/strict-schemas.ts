import { isObject, type JsonObject, type JsonValue } from '../../src/model/json.ts';
import { type Rules, type StrictMode, strictModeProblems } from './strict-mode-schemas.ts';

/**
 * What refuses a tool's schema. `gemini` and `vertex` are the field `parameters` (a subset of OpenAPI), the two with
 * `-json` the field `parametersJsonSchema`; `openai-strict` and `anthropic-strict` are tools with `strict: true`;
 * `nova` is Amazon's own family on Bedrock, which knows less than the others there.
 */
export type SchemaTarget =
  | 'openai'
  | 'openai-strict'
  | 'anthropic'
  | 'anthropic-strict'
  | 'anthropic-answer'
  | 'gemini'
  | 'gemini-json'
  | 'vertex'
  | 'vertex-json'
  | 'groq'
  | 'mistral'
  | 'cerebras-strict'
  | 'bedrock'
  | 'nova';

/** What a strict server of `target` would refuse in the schema of a tool's arguments: a sentence each, none when it is taken. */
export function strictSchemaProblems(target: SchemaTarget, schema: unknown): string[] {
  if (!isObject(schema)) return [`a schema must be an object, not ${JSON.stringify(schema)}`];
  return PROBLEMS[target](schema);
}

const PROBLEMS: Readonly<Record<SchemaTarget, (schema: JsonObject) => string[]>> = {
  openai: (schema) => [...openAiRoot(schema), ...draftProblems(schema), ...itemProblems(schema)],
  'openai-strict': (schema) => [...openAiRoot(schema), ...strictly(schema, 'openai')],
  anthropic: (schema) => [...anthropicRoot(schema), ...draftProblems(schema)],
  'anthropic-strict': (schema) => [...anthropicRoot(schema), ...strictly(schema, 'anthropic')],
  'anthropic-answer': (schema) => strictly(schema, 'anthropic'),
  gemini: (schema) => [...objectRoot(schema, 'OBJECT'), ...openApiProblems(schema, '', false)],
  'gemini-json': (schema) => [...objectRoot(schema, 'object'), ...googleJsonProblems(schema)],
  vertex: (schema) => [...objectRoot(schema, 'OBJECT'), ...openApiProblems(schema, '', true)],
  'vertex-json': (schema) => [...objectRoot(schema, 'object'), ...googleJsonProblems(schema)],
  groq: (schema) => [...openAiRoot(schema), ...draftProblems(schema), ...everywhere(schema, requiredWithoutProperties)],
  mistral: (schema) => [
    ...objectRoot(schema, 'object'),
    ...draftProblems(schema),
    // "failed to compile JSON schema" (litellm #13389)
    ...['$schema', '$id'].flatMap((key) => (schema[key] === undefined ? [] : [`${key} is refused`])),
  ],
  'cerebras-strict': (schema) => [...openAiRoot(schema), ...strictly(schema, 'cerebras')],
  bedrock: (schema) => [...anthropicRoot(schema), ...draftProblems(schema), ...everywhere(schema, emptyKeys)],
  nova: (schema) => [...novaRoot(schema), ...draftProblems(schema), ...everywhere(schema, emptyKeys)],
};

const strictly = (schema: JsonObject, mode: StrictMode): string[] => [
  ...draftProblems(schema),
  ...(mode === 'anthropic' ? [] : itemProblems(schema)),
  ...strictModeProblems(schema, mode, everywhere),
];

function objectRoot(schema: JsonObject, type: string): string[] {
  return schema.type === type ? [] : [`the root must have the type "${type}", not ${JSON.stringify(schema.type)}`];
}

/** "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level" (OpenAI's own words). */
function openAiRoot(schema: JsonObject): string[] {
  const unions = ['oneOf', 'anyOf', 'allOf', 'enum', 'not'].filter((key) => schema[key] !== undefined);
  return [
    ...objectRoot(schema, 'object'),
    ...unions.map((key) => `the root must not have ${key}`),
    ...(isObject(schema.properties) ? [] : ['object schema missing properties']),
  ];
}

/** "input_schema does not support oneOf, allOf, or anyOf at the top level"; keys by the pattern of its error message. */
function anthropicRoot(schema: JsonObject): string[] {
  const unions = ['oneOf', 'anyOf', 'allOf'].filter((key) => schema[key] !== undefined);
  const keys = Object.keys(isObject(schema.properties) ? schema.properties : {});
  return [
    ...objectRoot(schema, 'object'),
    ...unions.map((key) => `input_schema does not support ${key} at the top level`),
    ...keys.flatMap((key) =>
      /^[a-zA-Z0-9_.-]{1,64}$/.test(key) ? [] : [`property keys should match ^[a-zA-Z0-9_.-]{1,64}$: "${key}"`],
    ),
  ];
}

/** Amazon Nova, user guide, "Troubleshooting tool calls": three fields at the top, no others. */
function novaRoot(schema: JsonObject): string[] {
  const others = Object.keys(schema).filter((key) => !['type', 'properties', 'required'].includes(key));
  return [...objectRoot(schema, 'object'), ...others.map((key) => `the top level does not support ${key}`)];
}

const emptyKeys: Rules = (schema, path) =>
  isObject(schema.properties) && '' in schema.properties ? [`${path}: empty property name`] : [];

/** "'required' present but 'properties' is missing" (Groq's own words). */
const requiredWithoutProperties: Rules = (schema, path) =>
  schema.required !== undefined && schema.properties === undefined
    ? [`${path}: 'required' present but 'properties' is missing`]
    : [];

/** "array schema missing items" (OpenAI's own words). */
const itemProblems = (schema: JsonObject): string[] =>
  everywhere(schema, (inner, path) => {
    const isArray = inner.type === 'array' || (Array.isArray(inner.type) && inner.type.includes('array'));
    return isArray && inner.items === undefined && inner.prefixItems === undefined
      ? [`${path}: array schema missing items`]
      : [];
  });

/** Where JSON Schema 2020-12 holds schemas. */
const SCHEMAS = ['items', 'additionalProperties', 'contains', 'not', 'if', 'then', 'else', 'propertyNames'];
const LISTS = ['anyOf', 'oneOf', 'allOf', 'prefixItems'];
const MAPS = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'];

/** Asks `rules` of the schema and of every schema inside it. */
function everywhere(schema: JsonObject, rules: Rules, path = '#'): string[] {
  const inside = (value: JsonValue | undefined, at: string) => (isObject(value) ? everywhere(value, rules, at) : []);
  return [
    ...rules(schema, path),
    ...SCHEMAS.flatMap((key) => inside(schema[key], `${path}/${key}`)),
    ...LISTS.flatMap((key) => listOf(schema[key]).flatMap((value, index) => inside(value, `${path}/${key}/${index}`))),
    ...MAPS.flatMap((key) =>
      Object.entries(membersOf(schema[key])).flatMap(([name, value]) => inside(value, `${path}/${key}/${name}`)),
    ),
  ];
}

const listOf = (value: JsonValue | undefined): JsonValue[] => (Array.isArray(value) ? value : []);
const membersOf = (value: JsonValue | undefined): JsonObject => (isObject(value) ? value : {});

const TYPES = ['string', 'number', 'integer', 'boolean', 'array', 'object', 'null'];
const isSchema = (value: JsonValue | undefined): boolean => isObject(value) || typeof value === 'boolean';
const isText = (value: JsonValue | undefined): boolean => typeof value === 'string';
const isNumber = (value: JsonValue | undefined): boolean => typeof value === 'number';
const isCount = (value: JsonValue | undefined): boolean => Number.isInteger(value) && Number(value) >= 0;
const isUniqueList = (value: JsonValue | undefined, of: (entry: JsonValue) => boolean): boolean =>
  Array.isArray(value) && value.every(of) && new Set(value).size === value.length;

/** What each keyword of JSON Schema 2020-12 may hold (its meta-schema); unknown keywords are allowed. */
const KEYWORDS: Readonly<Record<string, (value: JsonValue | undefined) => boolean>> = {
  type: (value) => TYPES.includes(String(value)) || isUniqueList(value, (type) => TYPES.includes(String(type))),
  enum: (value) => Array.isArray(value) && value.length > 0,
  required: (value) => isUniqueList(value, isText),
  ...Object.fromEntries(SCHEMAS.map((key) => [key, isSchema])),
  ...Object.fromEntries(
    LISTS.map((key) => [key, (value) => listOf(value).length > 0 && listOf(value).every(isSchema)]),
  ),
  ...Object.fromEntries(MAPS.map((key) => [key, (value) => isObject(value) && Object.values(value).every(isSchema)])),
  ...Object.fromEntries(
    ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'].map((key) => [key, isNumber]),
  ),
  ...Object.fromEntries(
    ['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'].map((key) => [key, isCount]),
  ),
  ...Object.fromEntries(['title', 'description', 'format', '$ref', '$schema', '$id'].map((key) => [key, isText])),
  pattern: (value) => isText(value) && isPattern(String(value)),
};

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'u').source !== undefined;
  } catch {
    return false;
  }
}

/** "JSON schema is invalid. It must match JSON Schema draft 2020-12", and references that lead nowhere. */
function draftProblems(root: JsonObject): string[] {
  return everywhere(root, (schema, path) => [
    ...Object.entries(schema).flatMap(([key, value]) =>
      value === undefined || KEYWORDS[key]?.(value) !== false ? [] : [`${path}/${key}: ${JSON.stringify(value)}`],
    ),
    ...(typeof schema.$ref === 'string' && targetOf(root, schema.$ref) === undefined
      ? [`${path}/$ref: ${schema.$ref} leads nowhere`]
      : []),
  ]);
}

function targetOf(root: JsonObject, ref: string): JsonValue | undefined {
  if (ref === '#') return root;
  if (!ref.startsWith('#/')) return undefined;
  const keys = ref
    .slice(2)
    .split('/')
    .map((key) => decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~'));
  return keys.reduce<JsonValue | undefined>((at, key) => {
    if (Array.isArray(at)) return at[Number(key)];
    return isObject(at) ? at[key] : undefined;
  }, root);
}

/** Fields of Google's Schema (Gemini API, caching#Schema; @google/genai `Schema`): any other is a 400 "Unknown name". */
const OPENAPI_FIELDS: ReadonlySet<string> = new Set([
  ...['type', 'format', 'title', 'description', 'nullable', 'default', 'example', 'enum', 'anyOf', 'propertyOrdering'],
  ...['items', 'minItems', 'maxItems', 'properties', 'required', 'minProperties', 'maxProperties'],
  ...['minimum', 'maximum', 'minLength', 'maxLength', 'pattern'],
]);

const OPENAPI_TYPES = ['STRING', 'NUMBER', 'INTEGER', 'BOOLEAN', 'ARRAY', 'OBJECT', 'NULL'];
/** "only 'enum' and 'date-time' are supported for STRING type" (AI Studio's own words); numbers as documented. */
const OPENAPI_FORMATS: Readonly<Record<string, readonly string[]>> = {
  STRING: ['enum', 'date-time'],
  NUMBER: ['float', 'double'],
  INTEGER: ['int32', 'int64'],
};

function openApiProblems(schema: JsonObject, path: string, isVertex: boolean): string[] {
  const at = path === '' ? '#' : path;
  const problems = Object.keys(schema).flatMap((key) =>
    OPENAPI_FIELDS.has(key) ? [] : [`${at}: unknown name "${key}"`],
  );
  const type = typeof schema.type === 'string' ? schema.type : undefined;
  const say = (isWrong: boolean, what: string) => isWrong && problems.push(`${at}: ${what}`);
  say(schema.anyOf === undefined && !OPENAPI_TYPES.includes(type ?? ''), `type ${JSON.stringify(schema.type)}`);
  say(
    schema.anyOf !== undefined && isVertex && Object.keys(schema).length > 1,
    'when any_of is used, it must be alone',
  );
  say(schema.anyOf !== undefined && listOf(schema.anyOf).length === 0, 'any_of must not be empty');
  say(type === 'ARRAY' && !isObject(schema.items), 'items: missing field');
  say(type === 'OBJECT' && Object.keys(membersOf(schema.properties)).length === 0, 'properties: should be non-empty');
  say(type !== 'STRING' && schema.enum !== undefined, 'enum: only allowed for STRING type');
  say(
    listOf(schema.enum).some((choice) => typeof choice !== 'string' || choice === ''),
    'enum: a text that is not empty',
  );
  const format = typeof schema.format === 'string' ? schema.format : undefined;
  say(format !== undefined && !OPENAPI_FORMATS[type ?? '']?.includes(format), `format ${format}`);
  say(schema.nullable !== undefined && typeof schema.nullable !== 'boolean', 'nullable');
  for (const name of listOf(schema.required)) {
    say(membersOf(schema.properties)[String(name)] === undefined, `required: property "${name}" is not defined`);
  }
  const inside = (value: JsonValue | undefined, where: string) =>
    isObject(value) ? openApiProblems(value, `${at}/${where}`, isVertex) : [`${at}/${where}: no schema`];
  return [
    ...problems,
    ...(schema.items === undefined ? [] : inside(schema.items, 'items')),
    ...listOf(schema.anyOf).flatMap((branch, index) => inside(branch, `anyOf/${index}`)),
    ...Object.entries(membersOf(schema.properties)).flatMap(([name, value]) => inside(value, `properties/${name}`)),
  ];
}

/**
 * Keywords of Google's JSON Schema (GenerationConfig.responseJsonSchema), and those beside them that recorded requests
 * to `parametersJsonSchema` hold and were answered.
 */
const GOOGLE_JSON_FIELDS: ReadonlySet<string> = new Set([
  ...['$id', '$defs', '$ref', '$anchor', '$schema', 'type', 'format', 'title', 'description', 'enum', 'items'],
  ...['prefixItems', 'minItems', 'maxItems', 'minimum', 'maximum', 'anyOf', 'oneOf', 'properties'],
  ...['additionalProperties', 'required', 'propertyOrdering'],
]);

function googleJsonProblems(root: JsonObject): string[] {
  const subset = everywhere(root, (schema, path) => [
    ...Object.keys(schema).flatMap((key) => (GOOGLE_JSON_FIELDS.has(key) ? [] : [`${path}: ${key} is not supported`])),
    ...(schema.$ref !== undefined && Object.keys(schema).some((key) => !key.startsWith('$'))
      ? [`${path}: beside $ref only keywords that start with $ may stand`]
      : []),
    ...(listOf(schema.enum).some((choice) => !isText(choice) && !isNumber(choice)) ? [`${path}/enum`] : []),
  ]);
  return [...subset, ...draftProblems(root), ...itemProblems(root)];
}
