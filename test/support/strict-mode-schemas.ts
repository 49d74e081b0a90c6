import { isObject, type JsonObject } from '../../src/model/json.ts';

/** Says what is wrong with one schema; `path` is where it stands. */
export type Rules = (schema: JsonObject, path: string) => string[];

/** Whose `strict: true`. */
export type StrictMode = 'openai' | 'anthropic' | 'cerebras';

/** Keywords that each vendor's guide to structured outputs refuses. */
const REFUSED: Readonly<Record<StrictMode, readonly string[]>> = {
  openai: [
    ...['oneOf', 'allOf', 'not', 'dependentRequired', 'dependentSchemas', 'if', 'then', 'else', 'patternProperties'],
    ...['unevaluatedProperties', 'propertyNames', 'minProperties', 'maxProperties', 'prefixItems', 'contains'],
    ...['uniqueItems', 'unevaluatedItems', 'minContains', 'maxContains', 'default', 'minLength', 'maxLength'],
  ],
  anthropic: [
    ...['oneOf', 'not', 'if', 'then', 'else', 'patternProperties', 'propertyNames', 'dependentRequired'],
    ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength'],
    ...['maxItems', 'uniqueItems', 'contains', 'prefixItems', 'minProperties', 'maxProperties', 'dependentSchemas'],
  ],
  cerebras: [
    ...['oneOf', 'allOf', 'not', 'if', 'then', 'else', 'patternProperties', 'propertyNames', 'dependentRequired'],
    ...['minItems', 'maxItems', 'uniqueItems', 'contains', 'prefixItems', 'format', 'pattern', 'minLength'],
    ...['maxLength', 'minProperties', 'maxProperties', 'dependentSchemas'],
  ],
};

/** The formats that each guide lists. */
const FORMATS: Readonly<Record<StrictMode, readonly string[]>> = {
  openai: ['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'],
  anthropic: ['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'uri', 'ipv4', 'ipv6', 'uuid'],
  cerebras: [],
};

/** Optional properties are a union with null to OpenAI; the others take them as they are. */
const ALL_REQUIRED: Readonly<Record<StrictMode, boolean>> = { openai: true, anthropic: false, cerebras: false };

/** A schema inside a schema that holds itself is refused by all but OpenAI. */
const TAKES_RECURSION: Readonly<Record<StrictMode, boolean>> = { openai: true, anthropic: false, cerebras: false };

export function strictModeProblems(
  root: JsonObject,
  mode: StrictMode,
  everywhere: (schema: JsonObject, rules: Rules) => string[],
): string[] {
  return [
    ...everywhere(root, (schema, path) => [
      ...objectProblems(schema, path, mode),
      ...keywordProblems(schema, path, mode),
    ]),
    ...(!TAKES_RECURSION[mode] && isRecursive(root) ? ['recursive schemas are not supported'] : []),
  ];
}

function keywordProblems(schema: JsonObject, path: string, mode: StrictMode): string[] {
  const refused = REFUSED[mode].filter((key) => schema[key] !== undefined);
  const isAny = Object.keys(schema).every((key) => key === 'description' || key === 'title');
  return [
    ...refused.map((key) => `${path}: '${key}' is not permitted`),
    ...(typeof schema.format === 'string' && !FORMATS[mode].includes(schema.format)
      ? [`${path}: '${schema.format}' is not a valid format`]
      : []),
    ...(isAny ? [`${path}: schema must have a 'type' key`] : []),
    ...(mode === 'openai' && schema.$ref !== undefined && Object.keys(schema).length > 1
      ? [`${path}: $ref cannot have keywords beside it`]
      : []),
    ...(mode === 'anthropic' && typeof schema.minItems === 'number' && schema.minItems > 1
      ? [`${path}: minItems must be 0 or 1`]
      : []),
  ];
}

function objectProblems(schema: JsonObject, path: string, mode: StrictMode): string[] {
  const isObjectType = schema.type === 'object' || (Array.isArray(schema.type) && schema.type.includes('object'));
  if (!isObjectType && schema.properties === undefined) return [];
  const names = Object.keys(isObject(schema.properties) ? schema.properties : {});
  const required = Array.isArray(schema.required) ? schema.required : [];
  const missing = ALL_REQUIRED[mode] ? names.filter((name) => !required.includes(name)) : [];
  return [
    ...(schema.additionalProperties === false ? [] : [`${path}: 'additionalProperties' is required to be false`]),
    ...(isObject(schema.properties) ? [] : [`${path}: object fields require properties`]),
    ...missing.map((name) => `${path}: 'required' must list "${name}"`),
    ...required.flatMap((name) => (names.includes(String(name)) ? [] : [`${path}: extra required key "${name}"`])),
  ];
}

/** Whether a definition refers to itself, directly or through others. */
function isRecursive(root: JsonObject): boolean {
  const definitions: JsonObject = {
    ...(isObject(root.definitions) ? root.definitions : {}),
    ...(isObject(root.$defs) ? root.$defs : {}),
  };
  const refsOf = (value: unknown): string[] =>
    [...(JSON.stringify(value) ?? '').matchAll(/"\$ref":"([^"]*)"/g)].map(([, ref]) => ref ?? '');
  if (refsOf(root).includes('#')) return true;
  const reaches = (name: string, goal: string, seen: Set<string>): boolean =>
    refsOf(definitions[name]).some((ref) => {
      const next = ref.split('/').at(-1) ?? '';
      if (next === goal) return true;
      if (seen.has(next)) return false;
      return reaches(next, goal, seen.add(next));
    });
  return Object.keys(definitions).some((name) => reaches(name, name, new Set()));
}
