import { isObject, type JsonObject } from '../model/json.ts';
import type { ResponseFormat } from '../model/request.ts';
import { textOf } from './members.ts';

/** The definition of a `json_schema` format, wherever OpenAI's APIs nest it; undefined when it holds no schema. */
export function jsonSchemaFormat({ name, schema, strict }: JsonObject): ResponseFormat | undefined {
  if (!isObject(schema)) return undefined;
  return {
    type: 'json-schema',
    name: textOf(name) || 'response',
    schema,
    ...(typeof strict === 'boolean' && { strict }),
  };
}
