import { type ErrorDetails, type ErrorKind, GatewayError, kindOfStatus, statusOf } from '../../model/errors.ts';
import { isObject, type JsonObject, type JsonValue, ownValue, parsedJson } from '../../model/json.ts';
import type { WireError } from '../codec.ts';
import { contextOverflowIn, outputExcessIn } from '../limits-told.ts';
import { plainMessage, shortened } from '../plain-answer.ts';
import { objectOf, sse, textOf } from './wire.ts';

const KIND_OF_TYPE: Readonly<Record<string, ErrorKind>> = {
  invalid_request_error: 'invalid-request',
  authentication_error: 'authentication',
  permission_error: 'permission',
  billing_error: 'billing',
  not_found_error: 'not-found',
  request_too_large: 'too-large',
  rate_limit_error: 'rate-limit',
  timeout_error: 'timeout',
  api_error: 'overloaded',
  overloaded_error: 'overloaded',
};

const TYPE_OF_KIND: Readonly<Record<ErrorKind, string>> = {
  'invalid-request': 'invalid_request_error',
  authentication: 'authentication_error',
  permission: 'permission_error',
  billing: 'billing_error',
  'not-found': 'not_found_error',
  'too-large': 'request_too_large',
  'rate-limit': 'rate_limit_error',
  budget: 'billing_error',
  'content-policy': 'invalid_request_error',
  overloaded: 'overloaded_error',
  'queue-full': 'overloaded_error',
  timeout: 'timeout_error',
  network: 'api_error',
  'bad-response': 'api_error',
  cancelled: 'api_error',
  internal: 'api_error',
};

/** The upstream broke, not the request: said so that clients of every age try again. */
const UPSTREAM_FAULTS: ReadonlySet<ErrorKind> = new Set([
  'overloaded',
  'queue-full',
  'network',
  'timeout',
  'bad-response',
  'internal',
]);

/** An error answer of any shape: this format's, OpenAI's, plain text, a page of some proxy, or nothing at all. */
export function decodeError(status: number, text: string, headers: Readonly<Record<string, string>>): GatewayError {
  const body = parsedJson(text);
  const error = errorMembers(body);
  const message = textOf(error.message) || messageWithout(status, text, body);
  const requestId = textOf(objectOf(body).request_id) || headers['request-id'] || headers['x-request-id'];
  const retryAfterMs = retryAfterOf(headers);
  return new GatewayError(kindOf(status, textOf(error.type)), message, {
    status,
    ...named(error),
    ...(isObject(error.details) && { messagesDetails: error.details }),
    ...(requestId && { upstreamRequestId: requestId }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** Whether an event, or a body, stands where an answer was due. */
export const isErrorEvent = ({ type, error }: JsonObject): boolean =>
  type === 'error' || isObject(error) || textOf(error) !== '';

/** An error that came where an answer was due: as an event of the stream, or as a body under status 200. */
export function streamErrorOf(data: JsonObject): GatewayError {
  const error = errorMembers(data);
  const message = textOf(error.message) || 'the provider ended the stream with an error that says nothing';
  const requestId = textOf(data.request_id);
  return new GatewayError(ownValue(KIND_OF_TYPE, textOf(error.type)) ?? 'overloaded', message, {
    ...named(error),
    ...(requestId !== '' && { upstreamRequestId: requestId }),
  });
}

/** The status decides; the type says more only where one status covers several kinds. */
function kindOf(status: number, type: string): ErrorKind {
  return type === 'api_error' ? kindOfStatus(status) : (ownValue(KIND_OF_TYPE, type) ?? kindOfStatus(status));
}

/** `{error: {...}}` of both dialects, `{error: "text"}`, `{message}`, `{detail}`, or a bare string. */
function errorMembers(body: JsonValue | undefined): JsonObject {
  if (typeof body === 'string') return { message: body };
  const { error, message, detail } = objectOf(body);
  if (isObject(error)) return error;
  return { message: textOf(error) || textOf(message) || textOf(detail) };
}

function named({ type, code, param }: JsonObject): Pick<ErrorDetails, 'type' | 'code' | 'param'> {
  return {
    ...(typeof type === 'string' && { type }),
    ...((typeof code === 'string' || typeof code === 'number') && { code: String(code) }),
    ...(typeof param === 'string' && { param }),
  };
}

/** Of an answer in which no error says anything: JSON of whatever form is shown as it is. */
const messageWithout = (status: number, text: string, body: JsonValue | undefined): string =>
  body === undefined ? plainMessage(status, text) : `upstream answered ${status}: ${shortened(text.trim())}`;

/** From `retry-after-ms`, or `retry-after` as seconds or as a date, which is measured by the answer's own clock. */
function retryAfterOf(headers: Readonly<Record<string, string>>): number | undefined {
  const ms = Number(headers['retry-after-ms'] ?? Number.NaN);
  if (Number.isFinite(ms)) return Math.max(0, ms);
  const after = headers['retry-after'];
  if (after === undefined || after.trim() === '') return undefined;
  const seconds = Number(after);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1_000);
  const wait = Date.parse(after) - Date.parse(headers.date ?? '');
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

export function encodeError(error: GatewayError): WireError {
  const { retryAfterMs } = error.details;
  // 413 ends Claude Code's session, 400 makes it compact
  const overflow = contextOverflowIn(error) !== undefined;
  const status = overflow ? 400 : statusOf(error);
  return {
    status,
    body: errorBody(overflow ? 'invalid_request_error' : typeOf(error, status), error),
    ...(retryAfterMs !== undefined && { headers: { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) } }),
  };
}

/** Ends a stream that has begun. Claude Code before 2.1 tries again after `overloaded_error` and nothing else. */
export function encodeStreamError(error: GatewayError): string {
  const type = UPSTREAM_FAULTS.has(error.kind) ? 'overloaded_error' : typeOf(error, statusOf(error));
  return sse({ ...errorBody(type, error), type: 'error' });
}

function errorBody(type: string, error: GatewayError): JsonObject {
  const { upstreamRequestId, messagesDetails: details } = error.details;
  return {
    type: 'error',
    error: { type, message: understood(error), ...(details && { details }) },
    ...(upstreamRequestId !== undefined && { request_id: upstreamRequestId }),
  };
}

/**
 * The upstream's own word where it says the same in this format, else the word for the kind and the status: OpenAI's
 * `invalid_request_error` covers 400 to 404, this format's is no more than 400.
 */
function typeOf({ kind, details }: GatewayError, status: number): string {
  const { type } = details;
  if (type === 'api_error') return type;
  if (type !== undefined && ownValue(KIND_OF_TYPE, type) === kind) return type;
  return kind === 'overloaded' && status === 500 ? 'api_error' : TYPE_OF_KIND[kind];
}

/** Wordings on which Claude Code compacts the conversation by itself (measured with 2.1.330). */
const COMPACTS_ON =
  /prompt is too long|maximum context length is|input token count .* exceeds|input length and `max_tokens` exceed context limit/i;

/**
 * Messages stay as they are where Claude Code understands them. It lowers its max_tokens and compacts the conversation
 * by itself on Anthropic's wording, and gives up on most others'.
 */
function understood(error: GatewayError): string {
  const { message } = error;
  const excess = outputExcessIn(message);
  if (excess) {
    return `max_tokens: ${excess.asked} > ${excess.most}, which is the maximum allowed number of output tokens for this model`;
  }
  const overflow = contextOverflowIn(error);
  if (!overflow || COMPACTS_ON.test(message)) return message;
  const { used, most } = overflow;
  return `prompt is too long: ${used === undefined ? message : `${used} tokens > ${most} maximum (${message})`}`;
}
