import { createHash } from 'node:crypto';
import type { CodecId, Origin } from '../../model/content.ts';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';

export const CODEC: CodecId = 'gemini';

export const originOf = (block: JsonObject): Origin => ({ codec: CODEC, block });

/** The wire block when it is one of this format. */
export const ownBlock = (origin: Origin | undefined): JsonObject | undefined =>
  origin?.codec === CODEC ? origin.block : undefined;

export const textOf = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');

export const objectOf = (value: JsonValue | undefined): JsonObject => (isObject(value) ? value : {});

/** The objects of a list; a single object counts as a list of one, as Google's own servers read it. */
export const objectsOf = (value: JsonValue | undefined): JsonObject[] => {
  if (isObject(value)) return [value];
  return Array.isArray(value) ? value.filter(isObject) : [];
};

export const stringsOf = (value: JsonValue | undefined): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];

/** One server-sent event of this format, which has no event names. Google ends its lines in CRLF; LF is read as well. */
export const sse = (data: JsonObject): string => `data: ${JSON.stringify(data)}\n\n`;

export const digest = (text: string, length: number): string =>
  createHash('sha256').update(text).digest('hex').slice(0, length);

/** A call's arguments as an object: empty text means `{}`; undefined when a model wrote something else. */
export function parsedInput(text: string): JsonObject | undefined {
  if (text.trim() === '') return {};
  try {
    const input: unknown = JSON.parse(text);
    return isObject(input) ? input : undefined;
  } catch {
    return undefined;
  }
}

/** Arguments that are no object, where the wire takes nothing else: still readable to whoever reads the call. */
export const unreadableInput = (text: string): JsonObject => ({ arguments: text });
