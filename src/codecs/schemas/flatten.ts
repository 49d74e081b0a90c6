import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { objectOf, objectsOf, stringsOf, textOf } from '../members.ts';
import { mergedAll } from './normal.ts';
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
  const whole = mergedAll(parts);
  return [anyOf, oneOf].reduce<JsonObject>((sum, choices) => withChoices(sum, objectsOf(choices).map(inside)), whole);
}

/** The schema with the properties of every choice. Choices that are no objects cannot be arguments. */
function withChoices(schema: JsonObject, given: readonly JsonObject[]): JsonObject {
  const choices = given.filter(({ type }) => type === undefined || type === 'object' || isListOf(type, 'object'));
  if (choices.length === 0) return schema;
  const properties = propertiesOf([schema, ...choices]);
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

/** Every property of them all, with what each of them says of it. */
function propertiesOf(schemas: readonly JsonObject[]): JsonObject {
  const said = new Map<string, JsonValue[]>();
  for (const schema of schemas) {
    for (const [name, value] of Object.entries(objectOf(schema.properties))) {
      const known = said.get(name);
      if (value === undefined) continue;
      if (known) known.push(value);
      else said.set(name, [value]);
    }
  }
  return Object.fromEntries(Array.from(said, ([name, values]) => [name, anyOfThem(values)]));
}

/** A property that choices describe differently may be as any of them says; what is no object goes by the last word. */
function anyOfThem(values: readonly JsonValue[]): JsonValue | undefined {
  const [first, ...others] = values.slice(values.findLastIndex((value) => !isObject(value)) + 1).filter(isObject);
  if (first === undefined || others.length === 0) return first ?? values.at(-1);
  const known = Object.keys(first).length === 1 && Array.isArray(first.anyOf) ? first.anyOf : [first];
  const texts = new Set(known.map((schema) => JSON.stringify(schema)));
  const added = others.filter((schema) => {
    const text = JSON.stringify(schema);
    return !texts.has(text) && texts.add(text);
  });
  return added.length > 0 ? { anyOf: [...known, ...added] } : first;
}

function requiredByAll([first, ...others]: readonly JsonObject[]): string[] {
  const required = others.map((choice) => new Set(stringsOf(choice.required)));
  return stringsOf(first?.required).filter((name) => required.every((names) => names.has(name)));
}

function demandsOf(choices: readonly JsonObject[]): string {
  const sets = choices.map((choice) => stringsOf(choice.required)).filter((names) => names.length > 0);
  if (sets.length < 2) return '';
  return `(Give one of these sets of arguments: ${sets.map((names) => names.join(', ')).join('; or ')}.)`;
}
