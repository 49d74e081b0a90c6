import type { CodecId, Origin } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';

export { objectOf, objectsOf, textOf } from '../members.ts';

export const CODEC: CodecId = 'openai-responses';

export const originOf = (block: JsonObject): Origin => ({ codec: CODEC, block });

/** The wire block when it is one of this format. */
export const ownBlock = (origin: Origin | undefined): JsonObject | undefined =>
  origin?.codec === CODEC ? origin.block : undefined;

/** `block` without some of its members. */
export function without(block: JsonObject, ...members: readonly string[]): JsonObject {
  const rest = { ...block };
  for (const member of members) delete rest[member];
  return rest;
}
