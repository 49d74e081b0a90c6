import type { CodecId, Origin } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';

import { membersBeside } from '../members.ts';

export { objectOf, objectsOf, textOf } from '../members.ts';

export const CODEC: CodecId = 'openai-responses';

export const originOf = (block: JsonObject): Origin => ({ codec: CODEC, block });

/** The wire block when it is one of this format. */
export const ownBlock = (origin: Origin | undefined): JsonObject | undefined =>
  origin?.codec === CODEC ? origin.block : undefined;

/** `block` without some of its members. */
export const without = (block: JsonObject, ...members: readonly string[]): JsonObject =>
  membersBeside(new Set(members), block);
