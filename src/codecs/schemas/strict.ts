import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { objectOf, stringsOf } from '../members.ts';
import { type Derivation, derivation, type SchemaLoss } from './derivation.ts';
import { inDraft2020 } from './draft.ts';
import { memoised } from './memo.ts';
import { isRecursive } from './references.ts';
import { anthropicSchema, groqSchema, mistralSchema, openAiSchema } from './targets.ts';
import type { StrictSchema, ToolSchemas } from './tool-schema.ts';
import { mapSchemas } from './walk.ts';
import { described } from './words.ts';

/**
 * What one vendor's strict mode asks for. Keywords of `told` are refused but mean something to a model, so they go into
 * descriptions; those of `refused` cannot be said otherwise.
 */
interface StrictRules {
  readonly base: Derivation;
  readonly told: readonly string[];
  readonly refused: readonly string[];
  readonly formats: readonly string[];
  /** Every property must be required. */
  readonly allRequired: boolean;
  readonly takesRecursion: boolean;
  /** Of how long a list must be, it knows only whether it may be empty. */
  readonly knowsEmptyLists?: true;
}

const FORMATS = ['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'];

const CONDITIONS = ['not', 'if', 'then', 'else', 'dependentRequired', 'dependentSchemas', 'patternProperties'];
const SHAPES = ['propertyNames', 'unevaluatedProperties', 'unevaluatedItems', 'contains', 'minContains', 'maxContains'];

/** OpenAI, structured outputs, supported schemas. */
const OPENAI: StrictRules = {
  base: openAiSchema,
  told: ['minLength', 'maxLength', 'uniqueItems', 'minProperties', 'maxProperties', 'default'],
  refused: [...CONDITIONS, ...SHAPES, 'allOf', 'prefixItems'],
  formats: FORMATS,
  allRequired: true,
  takesRecursion: true,
};

/** Anthropic, structured outputs, JSON Schema limitations. */
const ANTHROPIC: StrictRules = {
  base: anthropicSchema,
  told: [
    ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength'],
    ...['maxItems', 'uniqueItems', 'minProperties', 'maxProperties'],
  ],
  refused: [...CONDITIONS, ...SHAPES, 'prefixItems'],
  formats: [...FORMATS, 'uri'],
  allRequired: false,
  takesRecursion: false,
  knowsEmptyLists: true,
};

/** An answer has no plain form to go back to: whatever cannot be held to is told in words. */
const ANTHROPIC_ANSWER: StrictRules = {
  ...ANTHROPIC,
  base: derivation(inDraft2020),
  told: [...ANTHROPIC.told, ...ANTHROPIC.refused],
  refused: [],
};

/** Cerebras, structured outputs: closed objects, and no limits of texts and lists. */
const CEREBRAS: StrictRules = {
  base: openAiSchema,
  told: [
    ...['minItems', 'maxItems', 'uniqueItems', 'minLength', 'maxLength', 'pattern', 'minProperties', 'maxProperties'],
  ],
  refused: [...CONDITIONS, ...SHAPES, 'allOf', 'prefixItems'],
  formats: [],
  allRequired: false,
  takesRecursion: false,
};

const openAiStrictSchema = memoised((given: JsonObject) => strictly(given, OPENAI));
const anthropicStrictSchema = memoised((given: JsonObject) => strictly(given, ANTHROPIC));
/** The form of Claude's answers (Anthropic and Bedrock, structured outputs); `obstacle` where they take no such schema. */
export const anthropicAnswerSchema = memoised((given: JsonObject) => answering(given, ANTHROPIC_ANSWER));
const cerebrasStrictSchema = memoised((given: JsonObject) => strictly(given, CEREBRAS));

function strictly(given: JsonObject, rules: StrictRules): StrictSchema {
  const base = rules.base(given);
  const losses: SchemaLoss[] = [...base.losses];
  const obstacles: string[] = [];
  const schema = mapSchemas(base.schema, (inner, path) => {
    obstacles.push(...obstaclesIn(inner, path, rules));
    return closed(withoutTold(inner, path, rules, losses), path, losses);
  });
  if (!rules.takesRecursion && isRecursive(schema)) obstacles.push('the schema holds itself');
  const [obstacle] = obstacles;
  return obstacle === undefined ? { schema, losses, isStrict: true } : { ...base, isStrict: false, obstacle };
}

function answering(given: JsonObject, rules: StrictRules): StrictSchema {
  const base = rules.base(given);
  const losses: SchemaLoss[] = [...base.losses];
  const schema = mapSchemas(base.schema, (inner, path) =>
    closed(withoutTold(saying(inner, path, losses), path, rules, losses), path, losses),
  );
  if (!isRecursive(schema)) return { schema, losses, isStrict: true };
  return { ...base, isStrict: false, obstacle: 'the schema holds itself' };
}

const ANY_VALUE: readonly JsonValue[] = ['string', 'number', 'boolean', 'null'];

/** Every schema says what its values are, and objects what is in them. */
function saying(schema: JsonObject, path: string, losses: SchemaLoss[]): JsonObject {
  const opened = withoutBooleans(schema);
  if (isOpenObject(opened)) return { ...opened, properties: {} };
  if (opened.properties !== undefined || SAYING.some((keyword) => opened[keyword] !== undefined)) return opened;
  losses.push({ path: `${path}.type`, action: 'invented', reason: 'an answer must say what its values are' });
  return { ...opened, type: [...ANY_VALUE] };
}

/** `true` allows any value. */
function withoutBooleans(schema: JsonObject): JsonObject {
  if (!hasOpenBooleans(schema)) return schema;
  const any = (value: JsonValue | undefined) => (typeof value === 'boolean' ? { type: [...ANY_VALUE] } : value);
  const properties = Object.entries(objectOf(schema.properties)).map(([name, value]) => [name, any(value)] as const);
  return {
    ...schema,
    ...(schema.properties !== undefined && { properties: Object.fromEntries(properties) }),
    ...(schema.items !== undefined && { items: any(schema.items) ?? null }),
  };
}

/** What the schema leaves open and strict mode wants closed, or says in words that strict mode does not know. */
function obstaclesIn(schema: JsonObject, path: string, rules: StrictRules): string[] {
  const at = path === '' ? 'the schema' : path.slice(1);
  const words = rules.refused.filter((keyword) => schema[keyword] !== undefined);
  const required = new Set(stringsOf(schema.required));
  const optional = rules.allRequired
    ? Object.keys(objectOf(schema.properties)).filter((name) => !required.has(name))
    : [];
  const { additionalProperties: others } = schema;
  return [
    ...words.map((keyword) => `${at} has ${keyword}`),
    ...optional.map((name) => `"${name}" is optional`),
    ...(others !== undefined && others !== false ? [`${at} takes properties of any name`] : []),
    ...(isOpenObject(schema) ? [`${at} does not say what its properties are`] : []),
    ...(SAYING.some((keyword) => schema[keyword] !== undefined) ? [] : [`${at} has no type`]),
    ...(hasOpenBooleans(schema) ? [`${at} allows anything in places`] : []),
  ];
}

/** One of these says what a value is. */
const SAYING = ['type', 'enum', 'const', 'anyOf', 'oneOf', 'allOf', '$ref'];

const isObjectType = ({ type }: JsonObject): boolean => type === 'object' || stringsOf(type).includes('object');

const isOpenObject = (schema: JsonObject): boolean => isObjectType(schema) && !isObject(schema.properties);

const hasOpenBooleans = ({ items, properties }: JsonObject): boolean =>
  items === true || Object.values(objectOf(properties)).some((value) => value === true || value === false);

function withoutTold(schema: JsonObject, path: string, rules: StrictRules, losses: SchemaLoss[]): JsonObject {
  const { oneOf, ...rest } = schema;
  const changed: JsonObject =
    oneOf === undefined ? rest : { ...rest, anyOf: [...listOf(rest.anyOf), ...listOf(oneOf)] };
  if (oneOf !== undefined) losses.push({ path: `${path}.oneOf`, action: 'rewritten', reason: 'anyOf stands for it' });
  const { format, minItems } = changed;
  const told = rules.told.filter((keyword) => changed[keyword] !== undefined);
  if (typeof format === 'string' && !rules.formats.includes(format)) told.push('format');
  if (rules.knowsEmptyLists && typeof minItems === 'number' && minItems > 1) told.push('minItems');
  const notes = told.map((keyword) => `${keyword}: ${JSON.stringify(changed[keyword])}`);
  for (const keyword of told) {
    delete changed[keyword];
    losses.push({
      path: `${path}.${keyword}`,
      action: 'rewritten',
      reason: 'strict mode has no such keyword; told in words',
    });
  }
  if (notes.length > 0) {
    const reason = 'limits that strict mode does not know are told in words';
    losses.push({
      path: `${path}.description`,
      action: schema.description === undefined ? 'invented' : 'rewritten',
      reason,
    });
  }
  if (rules === OPENAI && changed.$ref !== undefined) return alone(changed, path, losses);
  return notes.length === 0 && oneOf === undefined ? schema : described(changed, notes);
}

const listOf = (value: JsonValue | undefined): JsonValue[] => (Array.isArray(value) ? value : []);

/** Beside a reference nothing may stand. */
function alone(schema: JsonObject, path: string, losses: SchemaLoss[]): JsonObject {
  if (Object.keys(schema).length === 1) return schema;
  losses.push({ path, action: 'dropped', reason: 'strict mode allows nothing beside a reference' });
  return { $ref: schema.$ref };
}

/** Strict mode wants every object to say that it takes no other properties, which is what strict means. */
function closed(schema: JsonObject, path: string, losses: SchemaLoss[]): JsonObject {
  if (!isObjectType(schema) && schema.properties === undefined) return schema;
  const properties = objectOf(schema.properties);
  const required = stringsOf(schema.required).filter((name) => Object.hasOwn(properties, name));
  const isShort = schema.required !== undefined && required.length < listOf(schema.required).length;
  if (schema.additionalProperties === false && !isShort) return schema;
  if (schema.additionalProperties !== false) {
    const action = schema.additionalProperties === undefined ? 'invented' : 'rewritten';
    losses.push({ path: `${path}.additionalProperties`, action, reason: 'strict mode wants every object closed' });
  }
  return { ...schema, ...(isShort && { required }), additionalProperties: false };
}

/** The tools of each vendor's own API. */
export const openAiTools: ToolSchemas = { plain: openAiSchema, strict: openAiStrictSchema };
export const anthropicTools: ToolSchemas = { plain: anthropicSchema, strict: anthropicStrictSchema };

/** The tools of servers of Chat Completions that take less than OpenAI. */
export const groqTools: ToolSchemas = { plain: groqSchema };
export const mistralTools: ToolSchemas = { plain: mistralSchema };
export const cerebrasTools: ToolSchemas = { plain: openAiSchema, strict: cerebrasStrictSchema };
