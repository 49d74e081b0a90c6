import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { objectOf, objectsOf, stringsOf, textOf } from '../members.ts';
import { merged } from './normal.ts';
import { pointed } from './references.ts';

/** More parts and choices than any arguments have; a schema that refers to itself in many ways stops here. */
const MOST_STEPS = 300;

interface Walk {
  readonly root: JsonObject;
  steps: number;
}

const UNIONS = ['anyOf', 'oneOf', 'allOf', '$ref'] as const;

/** Whether an object schema says at its top what its properties are only through others. */
export const isComposed = (schema: JsonObject): boolean => UNIONS.some((keyword) => schema[keyword] !== undefined);

/**
 * An object schema as one object, whose properties are those of every part and of every choice. What all choices
 * require stays required; what each of them asks for is told in the description. The insides stay as they are.
 */
export const flattened = (root: JsonObject): JsonObject => flat(root, { root, steps: 0 }, []);

/** `trail`: the references that led here. One inside itself says nothing new. */
function flat(schema: JsonObject, walk: Walk, trail: readonly string[]): JsonObject {
  if (!isComposed(schema)) return schema;
  const { $ref: ref, allOf, anyOf, oneOf, ...rest } = schema;
  walk.steps += 1;
  if (walk.steps > MOST_STEPS) return rest;
  const follows = typeof ref === 'string' && !trail.includes(ref);
  const target = follows ? pointed(walk.root, ref) : undefined;
  const further = follows ? [...trail, ref] : trail;
  const inside = (part: JsonObject) => flat(part, walk, further);
  const parts = [...(isObject(target) ? [inside(target)] : []), ...objectsOf(allOf).map(inside), rest];
  const whole = parts.reduce(merged, {});
  return [anyOf, oneOf].reduce<JsonObject>((sum, choices) => withChoices(sum, objectsOf(choices).map(inside)), whole);
}

/** The schema with the properties of every choice. Choices that are no objects cannot be arguments. */
function withChoices(schema: JsonObject, given: readonly JsonObject[]): JsonObject {
  const choices = given.filter(({ type }) => type === undefined || type === 'object' || isListOf(type, 'object'));
  if (choices.length === 0) return schema;
  const properties: JsonObject = { ...objectOf(schema.properties) };
  for (const choice of choices) {
    for (const [name, value] of Object.entries(objectOf(choice.properties))) {
      // biome-ignore lint/style/noNonNullAssertion: Object.entries gives no value that is absent
      properties[name] = Object.hasOwn(properties, name) ? either(properties[name], value!) : value;
    }
  }
  const required = new Set([...stringsOf(schema.required), ...requiredByAll(choices)]);
  const told = [textOf(schema.description), demandsOf(choices)].filter((text) => text !== '').join(' ');
  return {
    ...schema,
    properties,
    ...(required.size > 0 && { required: [...required] }),
    ...(told !== '' && { description: told }),
  };
}

const isListOf = (value: JsonValue | undefined, entry: string): boolean =>
  Array.isArray(value) && value.includes(entry);

/** A property that choices describe differently may be as any of them says. */
function either(one: JsonValue | undefined, other: JsonValue): JsonValue {
  if (one === undefined || !isObject(one) || !isObject(other)) return other;
  const known = Object.keys(one).length === 1 && Array.isArray(one.anyOf) ? one.anyOf : [one];
  const isKnown = known.some((schema) => JSON.stringify(schema) === JSON.stringify(other));
  if (!isKnown) return { anyOf: [...known, other] };
  return one;
}

const requiredByAll = ([first, ...others]: readonly JsonObject[]): string[] =>
  stringsOf(first?.required).filter((name) => others.every((choice) => stringsOf(choice.required).includes(name)));

function demandsOf(choices: readonly JsonObject[]): string {
  const sets = choices.map((choice) => stringsOf(choice.required)).filter((names) => names.length > 0);
  if (sets.length < 2) return '';
  return `(Give one of these sets of arguments: ${sets.map((names) => names.join(', ')).join('; or ')}.)`;
}
