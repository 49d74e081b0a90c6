import type { Origin } from '../model/content.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import type { ResponseFormat } from '../model/request.ts';
import type { Ledger } from './ledger.ts';
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

/** Both of OpenAI's APIs want a name for every schema; the other formats have none to give. */
export function accountForName(field: string, origin: Origin | undefined, ledger: Ledger): void {
  if (!origin?.codec.startsWith('openai-')) ledger.invented(field, 'the API takes no schema without a name');
}
