import type { CodecId, Origin } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';

export { objectOf, objectsOf, textOf } from '../members.ts';

export const CODEC: CodecId = 'anthropic-messages';

export const originOf = (block: JsonObject): Origin => ({ codec: CODEC, block });

/** The wire block when it is one of ours to write again, as it came. */
export const ownBlock = (origin: Origin | undefined): JsonObject | undefined =>
  origin?.codec === CODEC ? origin.block : undefined;

/** One server-sent event of this format: the event's name is repeated in its data. */
export const sse = (event: JsonObject & { type: string }): string =>
  `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

/** A call that the client shall run. */
export const isClientCall = (block: JsonObject): boolean => block.type === 'tool_use';
