import type { CodecId, Origin } from '../../model/content.ts';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';

export { objectOf, stringsOf, textOf } from '../members.ts';

export const CODEC: CodecId = 'gemini';

export const originOf = (block: JsonObject): Origin => ({ codec: CODEC, block });

/** The wire block when it is one of this format. */
export const ownBlock = (origin: Origin | undefined): JsonObject | undefined =>
  origin?.codec === CODEC ? origin.block : undefined;

/** The objects of a list; a single object counts as a list of one, as Google's own servers read it. */
export const objectsOf = (value: JsonValue | undefined): JsonObject[] => {
  if (isObject(value)) return [value];
  return Array.isArray(value) ? value.filter(isObject) : [];
};

/** One server-sent event of this format, which has no event names. Google ends its lines in CRLF; LF is read as well. */
export const sse = (data: JsonObject): string => `data: ${JSON.stringify(data)}\n\n`;
