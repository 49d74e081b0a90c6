import type { Origin } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';

export { objectOf, objectsOf, textOf } from '../members.ts';

export const originOf = (block: JsonObject): Origin => ({ codec: 'openai-chat', block });

/** The wire block when it is one of this format. */
export const ownBlock = (origin: Origin | undefined): JsonObject | undefined =>
  origin?.codec === 'openai-chat' ? origin.block : undefined;
