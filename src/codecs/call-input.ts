import { isObject, type JsonObject } from '../model/json.ts';
import { excessOf } from './measure.ts';

/** Shorter arguments cannot nest, or hold, more than may be read. */
const LONGEST_SURE = 262_144;

/** A call's arguments as an object: empty text means `{}`; undefined when a model wrote something else. */
export function parsedInput(text: string): JsonObject | undefined {
  if (text.trim() === '') return {};
  if (text.length > LONGEST_SURE && excessOf(Buffer.from(text))) return undefined;
  try {
    const input: unknown = JSON.parse(text);
    return isObject(input) ? input : undefined;
  } catch {
    return undefined;
  }
}

/** Arguments that are no object, where the wire takes nothing else: still readable to whoever reads the call. */
export const unreadableInput = (text: string): JsonObject => ({ arguments: text });

/** The text of an object in any case: servers exist that read the arguments of a history and refuse what they cannot. */
export function readableText(text: string): string {
  if (text.trim() === '') return '{}';
  return parsedInput(text) ? text : JSON.stringify(unreadableInput(text));
}

export const UNREADABLE = 'the arguments are not a JSON object';
