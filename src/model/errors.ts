import type { CodecId } from './content.ts';
import type { JsonObject } from './json.ts';
import type { McpAuthRequired } from './mcp-credentials.ts';

/** What went wrong, as far as anybody reacts to it. A new kind does not compile until every reaction is decided. */
export type ErrorKind =
  | 'invalid-request'
  | 'authentication'
  | 'permission'
  | 'billing'
  | 'not-found'
  | 'too-large'
  | 'rate-limit'
  | 'budget'
  | 'content-policy'
  | 'overloaded'
  | 'queue-full'
  | 'timeout'
  | 'network'
  | 'bad-response'
  | 'cancelled'
  | 'internal';

export interface ErrorDetails {
  /** HTTP status as the upstream gave it. Absent when we refused the request ourselves. */
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly provider?: string;
  /** The dialect's own words for it, kept where the client speaks the same dialect. */
  readonly type?: string;
  readonly code?: string;
  readonly param?: string;
  /** What an error of the Messages API says in its own `details`, on which clients of that API act. */
  readonly messagesDetails?: JsonObject;
  /** The stream that began with this error and held nothing else, as it came: a client of its format gets just that. */
  readonly stream?: { readonly codec: CodecId; readonly bytes: Uint8Array };
  /** What the caller must do first: log in to an MCP server. */
  readonly mcpAuthRequired?: McpAuthRequired;
  /** True where what was asked is gone: nobody can be asked again. */
  readonly isFinal?: boolean;
  /** Upstream request id. */
  readonly upstreamRequestId?: string;
  readonly cause?: unknown;
}

/** The one error class. The message says what happened, to what, and what to do; it never holds a secret. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly kind: ErrorKind;
  readonly details: ErrorDetails;

  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.details = details;
  }
}

const KIND_OF_STATUS: Readonly<Record<number, ErrorKind>> = {
  400: 'invalid-request',
  401: 'authentication',
  402: 'billing',
  403: 'permission',
  404: 'not-found',
  408: 'timeout',
  413: 'too-large',
  422: 'invalid-request',
  429: 'rate-limit',
  500: 'overloaded',
  502: 'overloaded',
  503: 'overloaded',
  504: 'timeout',
  529: 'overloaded',
};

export const kindOfStatus = (status: number): ErrorKind =>
  KIND_OF_STATUS[status] ?? (status >= 500 ? 'overloaded' : 'invalid-request');

const STATUS_OF_KIND: Readonly<Record<ErrorKind, number>> = {
  'invalid-request': 400,
  authentication: 401,
  permission: 403,
  billing: 402,
  'not-found': 404,
  'too-large': 413,
  'rate-limit': 429,
  budget: 402,
  'content-policy': 400,
  overloaded: 503,
  'queue-full': 503,
  timeout: 504,
  network: 502,
  'bad-response': 502,
  cancelled: 499,
  internal: 500,
};

/** The HTTP status to answer with: the upstream's own where there was one. */
export const statusOf = (error: GatewayError): number => error.details.status ?? STATUS_OF_KIND[error.kind];

/** What nests without end fails wherever somebody first walks it; JSON itself is read to any depth. */
const isTooDeep = (thrown: unknown): boolean =>
  thrown instanceof RangeError && thrown.message === 'Maximum call stack size exceeded';

const TOO_DEEP = 'what was sent, or what a tool answered, is nested too deeply to be read; nest it less';

/** No text of V8 is longer than 512 MB. */
const isTooLong = (thrown: unknown): boolean =>
  thrown instanceof RangeError && thrown.message === 'Invalid string length';

const TOO_LONG = 'what was sent, or what was answered, is longer than the 512 MB that can be held as one text';

/** Any thrown value as a GatewayError; what is not one already becomes `internal`, its message kept, its cause too. */
export function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  if (isTooDeep(thrown)) return new GatewayError('invalid-request', TOO_DEEP, { cause: thrown });
  if (isTooLong(thrown)) return new GatewayError('too-large', TOO_LONG, { cause: thrown });
  if (thrown instanceof Error && thrown.name === 'AbortError') {
    return new GatewayError('cancelled', 'the request was cancelled', { cause: thrown });
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new GatewayError('internal', `unexpected failure in the gateway: ${message}`, { cause: thrown });
}
