import type { CodecId, Origin } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';

export { objectOf, objectsOf, textOf } from '../members.ts';

export const CODEC: CodecId = 'bedrock-converse';

export const originOf = (block: JsonObject): Origin => ({ codec: CODEC, block });

/** The wire block when it is one of this format. */
export const ownBlock = (origin: Origin | undefined): JsonObject | undefined =>
  origin?.codec === CODEC ? origin.block : undefined;

/**
 * One event of a stream as text. On the wire it is a binary frame whose `:event-type` is the name and whose payload is
 * the data; `framing.ts` makes one of the other.
 */
export const sse = (name: string, data: JsonObject): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
