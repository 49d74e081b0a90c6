import { type ErrorKind, GatewayError, kindOfStatus, statusOf } from '../model/errors.ts';
import { isObject, type JsonObject, ownValue, parsedJson } from '../model/json.ts';
import type { WireError } from './codec.ts';
import { contextOverflowIn, outputExcessIn } from './limits-told.ts';
import { plainMessage } from './plain-answer.ts';

/** What a provider's `code` or `type` says more exactly than the status beside it. */
const KIND_OF_WORD: Readonly<Record<string, ErrorKind>> = {
  context_length_exceeded: 'invalid-request',
  too_many_prompt_tokens: 'invalid-request',
  string_above_max_length: 'invalid-request',
  insufficient_quota: 'billing',
  billing_hard_limit_reached: 'billing',
  billing_not_active: 'billing',
  insufficient_balance: 'billing',
  content_filter: 'content-policy',
  content_policy_violation: 'content-policy',
  ResponsibleAIPolicyViolation: 'content-policy',
  model_not_found: 'not-found',
  DeploymentNotFound: 'not-found',
  invalid_api_key: 'authentication',
  rate_limit_exceeded: 'rate-limit',
  // Groq checks the model's own output: the request is good, another try or another model may do better
  tool_use_failed: 'bad-response',
  json_validate_failed: 'bad-response',
};

/** Only where no status tells, inside streams: types alone are too coarse (`invalid_request_error` covers 400 to 404). */
const KIND_OF_TYPE: Readonly<Record<string, ErrorKind>> = {
  invalid_request_error: 'invalid-request',
  authentication_error: 'authentication',
  permission_error: 'permission',
  not_found_error: 'not-found',
  rate_limit_error: 'rate-limit',
  requests: 'rate-limit',
  tokens: 'rate-limit',
};

interface Told {
  readonly message?: string;
  readonly type?: string;
  readonly code?: string;
  readonly param?: string;
}

/** An error answer of a provider: its own words where it has any, and always a status. */
export function decodeError(status: number, text: string, headers: Readonly<Record<string, string>>): GatewayError {
  const told = toldBy(parsedJson(text));
  const message = told.message ?? plainMessage(status, text);
  const retryAfterMs = retryAfter(headers);
  const upstreamRequestId = headers['x-request-id'] ?? headers['apim-request-id'];
  return new GatewayError(kindOf(told) ?? kindOfStatus(status), message, {
    ...wordsOf(told),
    status,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(upstreamRequestId && { upstreamRequestId }),
  });
}

/** An error object inside a stream or a 200 answer. Its status, if any, hides in `code` (OpenRouter) or `status_code` (Groq). */
export function streamError(error: unknown): GatewayError {
  const told = toldBy({ error });
  const status = isObject(error) ? statusIn(error) : undefined;
  const kind =
    kindOf(told) ?? (status ? kindOfStatus(status) : ownValue(KIND_OF_TYPE, told.type ?? '')) ?? 'overloaded';
  const message = told.message ?? 'the provider broke off its answer with an error that says nothing';
  return new GatewayError(kind, message, { ...wordsOf(told), ...(status && { status }) });
}

/**
 * What stands in the place of an answer says instead: `{error}`, or the error's own members without a wrapper (vLLM,
 * Mistral, FastAPI's `{detail}`); undefined for what is no error.
 */
export function errorInPlace(chunk: JsonObject): GatewayError | undefined {
  if (chunk.error) return streamError(chunk.error);
  if (chunk.object === 'error') return streamError(chunk);
  if (chunk.choices !== undefined || chunk.usage !== undefined) return undefined;
  return typeof chunk.detail === 'string' || typeof chunk.message === 'string' ? streamError(chunk) : undefined;
}

const wordsOf = ({ type, code, param }: Told): Omit<Told, 'message'> => ({
  ...(type && { type }),
  ...(code && { code }),
  ...(param && { param }),
});

const kindOf = ({ code, type }: Told): ErrorKind | undefined =>
  ownValue(KIND_OF_WORD, code ?? '') ?? ownValue(KIND_OF_WORD, type ?? '');

function statusIn(error: JsonObject): number | undefined {
  const found = [error.status_code, error.code, error.status].map(Number).find((code) => code >= 400 && code < 600);
  return found;
}

/** The forms that error bodies take: `{error: {...}}`, `{error: "text"}` (xAI), `{message}`, `{detail}`, each perhaps in a list. */
function toldBy(body: unknown): Told {
  if (Array.isArray(body)) return toldBy(body[0]);
  if (!isObject(body)) return {};
  const error = Array.isArray(body.error) ? toldInList(body.error) : body.error;
  if (isObject(error)) return toldByObject(error);
  const message = typeof error === 'string' ? error : undefined;
  return toldByObject(message === undefined ? body : { ...body, message });
}

const toldInList = (errors: readonly unknown[]): unknown => (isObject(errors[0]) ? errors[0] : errors.join('; '));

function toldByObject(error: JsonObject): Told {
  const message = messageIn(error);
  const word = (value: unknown): string | undefined =>
    typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined;
  const [type, code, param] = [word(error.type), word(error.code), word(error.param)];
  return { ...(message && { message }), ...(type && { type }), ...(code && { code }), ...(param && { param }) };
}

function messageIn(error: JsonObject): string | undefined {
  const { message, detail, metadata } = error;
  if (typeof message === 'string' && message !== '') {
    // OpenRouter says "Provider returned error" and keeps the provider's own words beside it
    return isObject(metadata) && typeof metadata.raw === 'string' ? `${message}: ${metadata.raw}` : message;
  }
  if (typeof detail === 'string') return detail;
  return detail === undefined || detail === null ? undefined : JSON.stringify(detail);
}

/** `retry-after-ms`, or `retry-after` in seconds or as a date, which is read against the answer's own `date`. */
function retryAfter(headers: Readonly<Record<string, string>>): number | undefined {
  const ms = Number.parseFloat(headers['retry-after-ms'] ?? '');
  if (ms >= 0) return ms;
  const value = headers['retry-after'] ?? '';
  const seconds = /^[\d.]+$/.test(value.trim()) ? Number.parseFloat(value) : Number.NaN;
  if (seconds >= 0) return Math.round(seconds * 1_000);
  const waitMs = Date.parse(value) - Date.parse(headers.date ?? '');
  return waitMs >= 0 ? waitMs : undefined;
}

const TYPE_OF_KIND: Readonly<Record<ErrorKind, string>> = {
  'invalid-request': 'invalid_request_error',
  authentication: 'authentication_error',
  permission: 'permission_error',
  billing: 'insufficient_quota',
  'not-found': 'not_found_error',
  'too-large': 'request_too_large',
  'rate-limit': 'rate_limit_error',
  budget: 'budget_exceeded',
  'content-policy': 'content_policy_violation',
  overloaded: 'server_error',
  'queue-full': 'request_dropped',
  timeout: 'timeout_error',
  network: 'api_connection_error',
  'bad-response': 'bad_response_error',
  cancelled: 'request_cancelled',
  internal: 'server_error',
};

/** OpenAI's error body inside Bifrost's envelope; a status that we gave ourselves makes it a Bifrost error. */
function errorBody(error: GatewayError): JsonObject {
  const { type, param, status } = error.details;
  const ours = status === undefined;
  return {
    ...(ours && type && { type }),
    is_bifrost_error: ours,
    status_code: statusOf(error),
    error: {
      message: understood(error.message),
      type: type ?? TYPE_OF_KIND[error.kind],
      param: param ?? null,
      code: codeOf(error) ?? null,
    },
  };
}

/** Codex and others compact the conversation on this one code, whatever the provider's own was. */
export const codeOf = (error: GatewayError): string | undefined =>
  contextOverflowIn(error) ? 'context_length_exceeded' : error.details.code;

/** A limit of output in OpenAI's words, for clients that ask for less when they read them. */
export function understood(message: string): string {
  const excess = outputExcessIn(message);
  if (!excess || message.includes('max_tokens is too large')) return message;
  const { asked, most } = excess;
  return `max_tokens is too large: ${asked}. This model supports at most ${most} completion tokens, whereas you provided ${asked}.`;
}

export function encodeError(error: GatewayError): WireError {
  const { retryAfterMs } = error.details;
  return {
    status: statusOf(error),
    body: errorBody(error),
    ...(retryAfterMs !== undefined && { headers: { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) } }),
  };
}

/** An error object as a chunk, on which OpenAI's SDKs throw; no `[DONE]` behind it, so nobody takes it for an end. */
export const encodeStreamError = (error: GatewayError): string => `data: ${JSON.stringify(errorBody(error))}\n\n`;
