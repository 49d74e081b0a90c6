import { type ErrorKind, GatewayError, kindOfStatus, statusOf } from '../../model/errors.ts';
import { type JsonObject, ownValue, parsedObject } from '../../model/json.ts';
import type { WireError } from '../codec.ts';
import { plainMessage } from '../plain-answer.ts';
import { sse, textOf } from './wire.ts';

/** Bedrock's exceptions, and those of AWS in front of it, that say more than the status beside them. */
const KIND_OF_TYPE: Readonly<Record<string, ErrorKind>> = {
  ValidationException: 'invalid-request',
  ConflictException: 'invalid-request',
  AccessDeniedException: 'permission',
  UnrecognizedClientException: 'authentication',
  InvalidSignatureException: 'authentication',
  IncompleteSignatureException: 'authentication',
  MissingAuthenticationTokenException: 'authentication',
  ExpiredTokenException: 'authentication',
  ResourceNotFoundException: 'not-found',
  ThrottlingException: 'rate-limit',
  ServiceQuotaExceededException: 'rate-limit',
  ModelNotReadyException: 'overloaded',
  ModelTimeoutException: 'timeout',
  ModelErrorException: 'overloaded',
  ModelStreamErrorException: 'overloaded',
  InternalServerException: 'overloaded',
  InternalFailure: 'overloaded',
  ServiceUnavailableException: 'overloaded',
};

const TYPE_OF_KIND: Readonly<Record<ErrorKind, string>> = {
  'invalid-request': 'ValidationException',
  authentication: 'UnrecognizedClientException',
  permission: 'AccessDeniedException',
  billing: 'AccessDeniedException',
  'not-found': 'ResourceNotFoundException',
  'too-large': 'ValidationException',
  'rate-limit': 'ThrottlingException',
  budget: 'ServiceQuotaExceededException',
  'content-policy': 'ValidationException',
  overloaded: 'ServiceUnavailableException',
  'queue-full': 'ServiceUnavailableException',
  timeout: 'ModelTimeoutException',
  network: 'ServiceUnavailableException',
  'bad-response': 'ModelErrorException',
  cancelled: 'InternalServerException',
  internal: 'InternalServerException',
};

/** The exceptions that a stream may hold (Bedrock API, ConverseStreamOutput). */
const IN_STREAM: ReadonlySet<string> = new Set([
  'InternalServerException',
  'ModelStreamErrorException',
  'ServiceUnavailableException',
  'ThrottlingException',
  'ValidationException',
]);

/** Bedrock's and its models' words for a conversation that has grown too long. */
const TOO_LONG =
  /input is too long|prompt is too long|too many (?:input )?tokens|context (?:length|window)|exceeds? .*context/i;

/** An error answer: its type stands in a header, or in the body under one of three names (AWS restJson1, errors). */
export function decodeError(status: number, text: string, headers: Readonly<Record<string, string>>): GatewayError {
  const body = parsedObject(text) ?? {};
  const type = typeName(headers['x-amzn-errortype'] ?? (textOf(body.__type) || textOf(body.code) || textOf(body.type)));
  const message = textOf(body.message) || textOf(body.Message) || plainMessage(status, text);
  const upstreamRequestId = headers['x-amzn-requestid'];
  return new GatewayError(ownValue(KIND_OF_TYPE, type) ?? kindOfStatus(status), message, {
    status,
    ...wordsOf(type, message),
    ...(upstreamRequestId && { upstreamRequestId }),
  });
}

/** An exception in the middle of a stream: `{type, message}`, as `framing.ts` reads it. */
export function streamError(data: JsonObject): GatewayError {
  const type = typeName(textOf(data.type));
  const message =
    textOf(data.message) ||
    textOf(data.originalMessage) ||
    `the provider ended the stream with ${type || 'an exception that says nothing'}`;
  return new GatewayError(ownValue(KIND_OF_TYPE, type) ?? 'overloaded', message, wordsOf(type, message));
}

function wordsOf(type: string, message: string): { type?: string; code?: string } {
  return {
    ...(type !== '' && { type }),
    // clients that shorten their history by themselves look for this word
    ...(type === 'ValidationException' && TOO_LONG.test(message) && { code: 'context_length_exceeded' }),
  };
}

/** `throttlingException`, `ThrottlingException:http://...` and `com.amazon.coral#ThrottlingException` are one. */
function typeName(given: string): string {
  const bare = (given.split(':')[0] ?? '').replace(/^.*#/, '').trim();
  return bare === '' ? '' : bare.charAt(0).toUpperCase() + bare.slice(1);
}

export function encodeError(error: GatewayError): WireError {
  const { retryAfterMs } = error.details;
  return {
    status: statusOf(error),
    body: { message: error.message },
    headers: {
      'x-amzn-errortype': typeOf(error),
      ...(retryAfterMs !== undefined && { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) }),
    },
  };
}

/** Ends a stream that has begun. */
export function encodeStreamError(error: GatewayError): string {
  const type = typeOf(error);
  return sse('exception', { type: IN_STREAM.has(type) ? type : 'ModelStreamErrorException', message: error.message });
}

/** The upstream's own word where it is one of this format's, else the word for the kind. */
const typeOf = ({ kind, details }: GatewayError): string =>
  details.type !== undefined && ownValue(KIND_OF_TYPE, details.type) ? details.type : TYPE_OF_KIND[kind];
