import { z } from 'zod';
import { isObject, type JsonObject } from '../model/json.ts';
import { configFile, SECTIONS_WITHOUT_EFFECT } from './config-file.ts';
import type { PathStep } from './json-text.ts';
import { nearest } from './nearest.ts';
import { textOf } from './usable.ts';

/** What of a prepared file has no effect, a line each. */
export const ignoredFieldWarnings = (prepared: JsonObject): string[] => [
  ...unknownFieldWarnings(prepared),
  ...unusedSectionWarnings(prepared),
];

/** Top-level fields that nobody knows, and misspelt ones further in; other unknown fields may be the original's own. */
function unknownFieldWarnings(prepared: JsonObject): string[] {
  return unknownFields(configFile, prepared).flatMap(({ path, name, known }) => {
    if (path.length === 0 && SECTIONS_WITHOUT_EFFECT.includes(name)) return [];
    const meant = nearest(name, path.length === 0 ? [...known, ...SECTIONS_WITHOUT_EFFECT] : known);
    if (path.length > 0 && !meant) return [];
    const place = path.length === 0 ? 'config.json' : textOf(path, prepared);
    return [
      `${place} has an unknown field "${name}", which is ignored; ${meant ? `did you mean "${meant}"?` : 'remove it'}`,
    ];
  });
}

function unusedSectionWarnings(prepared: JsonObject): string[] {
  const used = SECTIONS_WITHOUT_EFFECT.filter((name) => !isEmpty(prepared[name]));
  return used.map((name) => `"${name}" in config.json is accepted but has no effect in this version`);
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);

interface UnknownField {
  readonly path: readonly PathStep[];
  readonly name: string;
  /** The fields that the schema knows in that place. */
  readonly known: readonly string[];
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
    known.includes(name) ? unknownFields(inner.shape[name], entry, [...path, name]) : [{ path, name, known }],
  );
}

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
