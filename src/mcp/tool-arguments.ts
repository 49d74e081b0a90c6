import { GatewayError } from '../model/errors.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import { reasonOf } from './failures.ts';

/** The JSON text of a tool call as the model wrote it; empty means `{}`. Throws GatewayError('invalid-request'). */
export function parseToolArguments(tool: string, text: string): JsonObject {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw unreadable(tool, reasonOf(cause), cause);
  }
  if (isObject(value)) return value;
  throw unreadable(tool, 'not a JSON object');
}

const unreadable = (tool: string, why: string, cause?: unknown): GatewayError =>
  new GatewayError('invalid-request', `failed to parse tool arguments for '${tool}': ${why}`, { cause });
