import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { ToolResult } from '../contract.ts';

/** What one result may be; 0 = no such limit. */
export interface ResultLimits {
  readonly enabled: boolean;
  readonly max_tokens: number;
  readonly max_bytes: number;
  readonly max_media_bytes: number;
}

const BYTES_PER_TOKEN = 4;
/** UTF-8 takes at most three bytes for a unit of UTF-16. */
const MAX_BYTES_PER_UNIT = 3;

/** About as many tokens as a text of so many bytes has. */
export const estimatedTokens = (bytes: number): number => Math.ceil(bytes / BYTES_PER_TOKEN);

/** Bytes of text that are not too many; Infinity without a limit. */
export function maxTextBytes({ max_tokens, max_bytes }: ResultLimits): number {
  const byTokens = max_tokens > 0 ? max_tokens * BYTES_PER_TOKEN : Number.POSITIVE_INFINITY;
  return Math.min(byTokens, max_bytes > 0 ? max_bytes : Number.POSITIVE_INFINITY);
}

/** Whether anything of a result is too large. Lengths decide for almost every result; nothing is written or copied. */
export function isOversized(result: ToolResult, limits: ResultLimits): boolean {
  const maxBytes = maxTextBytes(limits);
  let [text, media] = [0, 0];
  for (const block of result.content) {
    text += textOf(block)?.length ?? 0;
    media += mediaOf(block)?.length ?? 0;
  }
  if (text * MAX_BYTES_PER_UNIT > maxBytes && textBytes(result.content) > maxBytes) return true;
  if (limits.max_media_bytes > 0 && media > limits.max_media_bytes) return true;
  const { structuredContent } = result;
  return structuredContent !== undefined && lengthWithin(structuredContent, maxBytes) > maxBytes;
}

/** Words of a block that models read; undefined when it has none. */
export function textOf(block: JsonObject): string | undefined {
  if (typeof block.text === 'string') return block.text;
  return isObject(block.resource) && typeof block.resource.text === 'string' ? block.resource.text : undefined;
}

/** Base64 of a block; undefined when it has none. */
export function mediaOf(block: JsonObject): string | undefined {
  if (typeof block.data === 'string') return block.data;
  return isObject(block.resource) && typeof block.resource.blob === 'string' ? block.resource.blob : undefined;
}

export const textBytes = (content: readonly JsonObject[]): number =>
  content.reduce((sum, block) => sum + Buffer.byteLength(textOf(block) ?? ''), 0);

/** About the length of a value as JSON; counting ends once it is over `max`. */
export function lengthWithin(value: JsonValue | undefined, max: number): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 8;
  let length = 2;
  for (const key in value) {
    // arrays and objects are walked alike, by their keys
    length += key.length + 3 + lengthWithin((value as JsonObject)[key], max - length);
    if (length > max) return length;
  }
  return length;
}
