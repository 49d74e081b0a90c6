import type { Origin } from '../../model/content.ts';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';

export const originOf = (block: JsonObject): Origin => ({ codec: 'openai-chat', block });

/** The wire block when it is one of this format. */
export const ownBlock = (origin: Origin | undefined): JsonObject | undefined =>
  origin?.codec === 'openai-chat' ? origin.block : undefined;

export const textOf = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');

export const objectOf = (value: JsonValue | undefined): JsonObject => (isObject(value) ? value : {});

export const objectsOf = (value: JsonValue | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : [];
