import { type ErrorKind, GatewayError, kindOfStatus, statusOf } from '../../model/errors.ts';
import { isObject, type JsonObject, type JsonValue, ownValue, parsedJson } from '../../model/json.ts';
import type { WireError } from '../codec.ts';
import { contextOverflowIn } from '../limits-told.ts';
import { plainMessage } from '../plain-answer.ts';
import { camelCased } from './casing.ts';
import { objectOf, objectsOf, sse, textOf } from './wire.ts';

/** Google's words for statuses (google.rpc.Code), where they say more than the number beside them. */
const KIND_OF_WORD: Readonly<Record<string, ErrorKind>> = {
  INVALID_ARGUMENT: 'invalid-request',
  FAILED_PRECONDITION: 'invalid-request',
  OUT_OF_RANGE: 'invalid-request',
  UNAUTHENTICATED: 'authentication',
  PERMISSION_DENIED: 'permission',
  NOT_FOUND: 'not-found',
  RESOURCE_EXHAUSTED: 'rate-limit',
  DEADLINE_EXCEEDED: 'timeout',
  INTERNAL: 'overloaded',
  UNAVAILABLE: 'overloaded',
  UNKNOWN: 'overloaded',
  ABORTED: 'overloaded',
  CANCELLED: 'overloaded',
};

/** Reasons of an ErrorInfo that the status hides: a wrong key is a 400 here. */
const KIND_OF_REASON: Readonly<Record<string, ErrorKind>> = {
  API_KEY_INVALID: 'authentication',
  API_KEY_EXPIRED: 'authentication',
  API_KEY_SERVICE_BLOCKED: 'permission',
  BILLING_DISABLED: 'billing',
};

/** An error answer: Google's own body, which streams put in a list, a page of some proxy, or nothing at all. */
export function decodeError(status: number, text: string, headers: Readonly<Record<string, string>>): GatewayError {
  const error = errorIn(parsedJson(text));
  const message = textOf(error.message) || plainMessage(status, text);
  return new GatewayError(kindOf(error) ?? kindOfStatus(status), message, {
    status,
    ...wordsOf(error),
    ...retryIn(retryAfterMs(error, message, headers)),
  });
}

/** An error in the place of a chunk, or under status 200. */
export function streamError(chunk: JsonObject): GatewayError {
  const error = errorIn(chunk);
  const status = typeof error.code === 'number' && error.code >= 400 && error.code < 600 ? error.code : undefined;
  const kind = kindOf(error) ?? (status === undefined ? 'overloaded' : kindOfStatus(status));
  const message = textOf(error.message) || 'the provider ended the stream with an error that says nothing';
  return new GatewayError(kind, message, {
    ...(status !== undefined && { status }),
    ...wordsOf(error),
    ...retryIn(retryAfterMs(error, message, {})),
  });
}

const retryIn = (ms: number | undefined): { retryAfterMs?: number } => (ms === undefined ? {} : { retryAfterMs: ms });

const wordsOf = ({ status, code }: JsonObject): { type?: string; code?: string } => ({
  ...(typeof status === 'string' && { type: status }),
  ...(typeof code === 'number' && { code: String(code) }),
});

function kindOf(error: JsonObject): ErrorKind | undefined {
  const reasons = objectsOf(error.details).map(({ reason }) => ownValue(KIND_OF_REASON, textOf(reason)));
  return reasons.find((kind) => kind !== undefined) ?? ownValue(KIND_OF_WORD, textOf(error.status));
}

function errorIn(body: JsonValue | undefined): JsonObject {
  if (Array.isArray(body)) return errorIn(body[0]);
  const { error, message } = camelCased(objectOf(body));
  return isObject(error) ? error : { message: textOf(error) || textOf(message) };
}

/** From google.rpc.RetryInfo (`"retryDelay": "48.9s"`), from the same in the message, or from the header. */
function retryAfterMs(
  error: JsonObject,
  message: string,
  headers: Readonly<Record<string, string>>,
): number | undefined {
  const delays = objectsOf(error.details).map(({ retryDelay }) => textOf(retryDelay));
  const said = delays.find((delay) => delay !== '') ?? /retry in ([\d.]+s)/i.exec(message)?.[1] ?? '';
  const seconds = /^([\d.]+)s$/.exec(said)?.[1] ?? headers['retry-after'];
  if (seconds === undefined || seconds.trim() === '') return undefined;
  const ms = Math.ceil(Number(seconds) * 1_000);
  if (Number.isFinite(ms)) return Math.max(0, ms);
  const waitMs = Date.parse(seconds) - Date.parse(headers.date ?? '');
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : undefined;
}

const WORD_OF_KIND: Readonly<Record<ErrorKind, string>> = {
  'invalid-request': 'INVALID_ARGUMENT',
  authentication: 'UNAUTHENTICATED',
  permission: 'PERMISSION_DENIED',
  billing: 'FAILED_PRECONDITION',
  'not-found': 'NOT_FOUND',
  'too-large': 'INVALID_ARGUMENT',
  'rate-limit': 'RESOURCE_EXHAUSTED',
  budget: 'RESOURCE_EXHAUSTED',
  'content-policy': 'INVALID_ARGUMENT',
  overloaded: 'UNAVAILABLE',
  'queue-full': 'UNAVAILABLE',
  timeout: 'DEADLINE_EXCEEDED',
  network: 'UNAVAILABLE',
  'bad-response': 'INTERNAL',
  cancelled: 'CANCELLED',
  internal: 'INTERNAL',
};

export function encodeError(error: GatewayError): WireError {
  const { retryAfterMs: ms } = error.details;
  return {
    status: statusOf(error),
    body: errorBody(error),
    ...(ms !== undefined && { headers: { 'retry-after': String(Math.ceil(ms / 1_000)) } }),
  };
}

/** An error object as a chunk: Google ends broken streams like this. */
export const encodeStreamError = (error: GatewayError): string => sse(errorBody(error));

function errorBody(error: GatewayError): JsonObject {
  const { type, retryAfterMs: ms } = error.details;
  const status = type !== undefined && ownValue(KIND_OF_WORD, type) ? type : WORD_OF_KIND[error.kind];
  const retry = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${(ms ?? 0) / 1_000}s` };
  return {
    error: { code: statusOf(error), message: understood(error), status, ...(ms !== undefined && { details: [retry] }) },
  };
}

/** A context that is too long in Google's words, which clients of this format look for; the provider's own follow. */
function understood(error: GatewayError): string {
  const { used, most } = contextOverflowIn(error) ?? {};
  if (used === undefined || most === undefined || error.message.includes('input token count')) return error.message;
  return `The input token count (${used}) exceeds the maximum number of tokens allowed (${most}). ${error.message}`;
}
