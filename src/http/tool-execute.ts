import { parseToolArguments } from '../mcp/tool-arguments.ts';
import { GatewayError } from '../model/errors.ts';
import { isObject, type JsonObject } from '../model/json.ts';

/** A tool call as the manual route takes it, in either of its two formats. */
export interface ManualCall {
  readonly format: 'chat' | 'responses';
  readonly id: string;
  readonly name: string;
  readonly arguments: JsonObject;
}

/** Reads the body of `POST /v1/mcp/tool/execute`. Throws GatewayError('invalid-request') in the original's words. */
export function manualCallOf(given: string | null, body: unknown): ManualCall {
  const format = given?.toLowerCase() || 'chat';
  if (format !== 'chat' && format !== 'responses') {
    throw new GatewayError('invalid-request', "Invalid format value, must be 'chat' or 'responses'");
  }
  if (!isObject(body)) throw new GatewayError('invalid-request', 'Invalid request format: a JSON object was expected');
  if (format === 'responses') return callOf('responses', body.call_id, body.name, body.arguments);
  const called = body.function;
  if (!isObject(called)) throw new GatewayError('invalid-request', 'Tool function name is required');
  return callOf('chat', body.id, called.name, called.arguments);
}

function callOf(format: ManualCall['format'], id: unknown, name: unknown, input: unknown): ManualCall {
  if (typeof name !== 'string' || name === '') {
    throw new GatewayError('invalid-request', 'Tool function name is required');
  }
  return { format, id: typeof id === 'string' ? id : '', name, arguments: argumentsOf(name, input) };
}

/** An object, or its JSON text as models write it. */
const argumentsOf = (name: string, input: unknown): JsonObject =>
  isObject(input) ? input : parseToolArguments(name, input === undefined || input === null ? '' : String(input));

export const manualAnswerOf = (call: ManualCall, text: string, isError: boolean): JsonObject =>
  call.format === 'responses'
    ? { type: 'function_call_output', call_id: call.id, output: text }
    : { role: 'tool', content: text, tool_call_id: call.id, ...(isError && { is_error: true }) };
