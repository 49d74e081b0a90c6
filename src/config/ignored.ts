import { z } from 'zod';
import { isObject, type JsonObject } from '../model/json.ts';
import { configFile, FIELDS_WITHOUT_EFFECT, SECTIONS_WITHOUT_EFFECT } from './config-file.ts';
import type { PathStep } from './json-text.ts';
import { nearest } from './nearest.ts';
import { textOf } from './usable.ts';
import { asksInVain } from './without-effect.ts';

/** Who has more of them wrote another kind of file, and reads no more of them either. */
const MOST_FIELDS = 200;

/** What of a prepared file has no effect, a line each. */
export const ignoredFieldWarnings = (prepared: JsonObject): string[] => [
  ...unknownFields(configFile, prepared)
    .slice(0, MOST_FIELDS)
    .flatMap((field) => unknownFieldWarning(field, prepared) ?? []),
  ...SECTIONS_WITHOUT_EFFECT.filter((name) => !isEmpty(prepared[name])).map((name) => unusedText(name, 'config.json')),
];

/** Further in than the top, only fields we know something about: others may be the original's own and harmless. */
function unknownFieldWarning(field: UnknownField, prepared: JsonObject): string | undefined {
  const { path, name, value, known } = field;
  if (field.isIdle) return unusedText(name, path.length === 0 ? 'config.json' : textOf(path, prepared));
  if (path.length === 0) {
    if (SECTIONS_WITHOUT_EFFECT.includes(name)) return undefined;
    return unknownText(name, 'config.json', nearest(name, [...known, ...SECTIONS_WITHOUT_EFFECT]));
  }
  const place = textOf(path, prepared);
  if (FIELDS_WITHOUT_EFFECT.includes(name)) return isEmpty(value) ? undefined : unusedText(name, place);
  const meant = nearest(name, known);
  return meant && unknownText(name, place, meant);
}

const unusedText = (name: string, place: string): string =>
  `"${name}" in ${place} is accepted but has no effect in this version`;

const unknownText = (name: string, place: string, meant: string | undefined): string =>
  `${place} has an unknown field "${name}", which is ignored; ${meant ? `did you mean "${meant}"?` : 'remove it'}`;

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);

interface UnknownField {
  readonly path: readonly PathStep[];
  readonly name: string;
  readonly value: unknown;
  /** The fields that the schema knows in that place. */
  readonly known: readonly string[];
  /** True where the schema knows it, and nothing reads it. */
  readonly isIdle?: true;
}

/** The members of `value` that `schema` has no field for, in the order in which they stand there. */
function unknownFields(schema: unknown, value: unknown, path: readonly PathStep[] = []): UnknownField[] {
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    return value.flatMap((entry, index) => unknownFields(inner.element, entry, [...path, index]));
  }
  if (!isObject(value)) return [];
  if (inner instanceof z.ZodRecord) {
    return Object.entries(value).flatMap(([name, entry]) => unknownFields(inner.valueType, entry, [...path, name]));
  }
  if (!(inner instanceof z.ZodObject)) return [];
  const known = Object.keys(inner.shape);
  // An object without fields is a section that is kept whole: nothing in it is unknown.
  if (known.length === 0) return [];
  return Object.entries(value).flatMap(([name, entry]) =>
    known.includes(name)
      ? knownField(inner.shape[name], { path, name, value: entry, known })
      : [{ path, name, value: entry, known }],
  );
}

/** One that nothing reads counts among those that are not known. */
const knownField = (schema: unknown, field: UnknownField): UnknownField[] =>
  asksInVain(schema, field.value)
    ? [{ ...field, isIdle: true }]
    : unknownFields(schema, field.value, [...field.path, field.name]);

/** The schema of what people write, without its defaults and transforms. */
function unwrapped(schema: unknown): unknown {
  if (schema instanceof z.ZodPipe) return unwrapped(schema.in);
  const isWrapper =
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable;
  return isWrapper ? unwrapped(schema.unwrap()) : schema;
}
