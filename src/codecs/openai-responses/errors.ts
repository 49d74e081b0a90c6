import type { ErrorKind, GatewayError } from '../../model/errors.ts';
import type { JsonObject } from '../../model/json.ts';
import { codeOf, streamError, understood } from '../openai-errors.ts';
import { without } from './wire.ts';

/** The error of a failed response, of an `error` event, or of a body that came where an answer was due. */
export function streamErrorOf(wire: JsonObject): GatewayError {
  if (wire.error !== undefined && wire.error !== null) return streamError(wire.error);
  // the event's own members are the error; its type says no more than that
  return streamError(wire.type === 'error' ? without(wire, 'type', 'sequence_number') : {});
}

/** The codes that OpenAI knows in failed responses and that clients react to. */
const CODE_OF_KIND: Partial<Record<ErrorKind, string>> = {
  'rate-limit': 'rate_limit_exceeded',
  'invalid-request': 'invalid_prompt',
  'too-large': 'invalid_prompt',
  'content-policy': 'invalid_prompt',
  billing: 'insufficient_quota',
  budget: 'insufficient_quota',
};

/**
 * Ends a stream that has begun, in both forms that clients know: `response.failed`, on which Codex reacts, and an
 * `error` event with an error object inside, on which OpenAI's SDKs throw. Neither is taken for an end.
 */
export function encodeStreamError(failure: GatewayError): string {
  const { kind, details } = failure;
  const code = codeOf(failure) ?? CODE_OF_KIND[kind] ?? 'server_error';
  const error = { code, message: understood(failure.message) };
  const { param = null, type = 'server_error' } = details;
  return (
    sse({
      type: 'response.failed',
      response: { id: 'resp_failed', object: 'response', status: 'failed', output: [], error },
    }) + sse({ type: 'error', ...error, param, error: { ...error, type, param } })
  );
}

const sse = (event: JsonObject & { type: string }): string =>
  `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
