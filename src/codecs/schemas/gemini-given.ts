import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { objectOf, textOf } from '../members.ts';
import { mapped } from './normal.ts';

/** Fields of Google's Schema that are named otherwise in JSON Schema; its 64-bit counts may come as texts. */
const COUNTS: ReadonlySet<string> = new Set([
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'minLength',
  'maxLength',
]);

/** Google's Schema (upper-case types, `nullable`, snake_case taken too) as the JSON Schema that every other format takes. */
export function jsonSchemaOf(given: JsonObject): JsonObject {
  const written: JsonObject = {};
  for (const key in given) {
    const name = key.includes('_') ? key.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase()) : key;
    const member = memberOf(name, given[key]);
    if (member !== undefined) written[name === 'example' ? 'examples' : name] = member;
  }
  return given.nullable === true ? nullable(written) : written;
}

function memberOf(name: string, value: JsonValue | undefined): JsonValue | undefined {
  switch (name) {
    case 'type':
      return typeof value === 'string'
        ? typeName(value)
        : Array.isArray(value)
          ? value.map((type) => typeName(textOf(type)) ?? 'string')
          : undefined;
    case 'nullable':
    case 'propertyOrdering':
      return undefined;
    case 'format':
      return value === 'enum' ? undefined : value;
    case 'example':
      return value === undefined ? undefined : [value];
    case 'properties':
    case '$defs':
    case 'defs':
      return isObject(value) ? mapped(value, (inner) => jsonSchemaOf(objectOf(inner))) : undefined;
    case 'items':
    case 'additionalProperties':
      return isObject(value) ? jsonSchemaOf(value) : value;
    case 'anyOf':
    case 'prefixItems':
      return Array.isArray(value) ? value.map((inner) => jsonSchemaOf(objectOf(inner))) : undefined;
    default:
      return COUNTS.has(name) && typeof value === 'string' ? Number(value) : value;
  }
}

const typeName = (type: string): string | undefined => (type === 'TYPE_UNSPECIFIED' ? undefined : type.toLowerCase());

function nullable(schema: JsonObject): JsonObject {
  if (Array.isArray(schema.anyOf)) return { ...schema, anyOf: [...schema.anyOf, { type: 'null' }] };
  return {
    ...schema,
    ...(typeof schema.type === 'string' && { type: [schema.type, 'null'] }),
    ...(Array.isArray(schema.enum) && { enum: [...schema.enum, null] }),
  };
}
