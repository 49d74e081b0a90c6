import { ownValue, parsedObject } from '../../model/json.ts';
import { AMAZON_FRAMES, type AmazonFrame } from '../amazon-frames.ts';
import { eventFrame, eventOfFrame, exceptionFrame, framesOf } from '../bedrock-converse/framing.ts';
import type { Framing, WireEvent } from '../codec.ts';
import { objectOf, textOf } from '../members.ts';

/** Each event of Anthropic's stream travels in base64, in a frame of its own (Bedrock API, ResponseStream.chunk). */
export const invokeFraming: Framing = {
  contentType: AMAZON_FRAMES,
  writer: () => framesOf(chunkFrame),
};

/** Anthropic's words for errors as exceptions that a stream may hold. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  invalid_request_error: 'validationException',
  not_found_error: 'validationException',
  request_too_large: 'validationException',
  rate_limit_error: 'throttlingException',
  overloaded_error: 'serviceUnavailableException',
  timeout_error: 'modelTimeoutException',
};

/** The way back. */
const ERROR_TYPES: Readonly<Record<string, string>> = {
  ValidationException: 'invalid_request_error',
  ThrottlingException: 'rate_limit_error',
  ModelTimeoutException: 'timeout_error',
  ServiceUnavailableException: 'overloaded_error',
  ModelErrorException: 'overloaded_error',
  ModelStreamErrorException: 'overloaded_error',
  ModelNotReadyException: 'overloaded_error',
  InternalServerException: 'api_error',
  InternalFailure: 'api_error',
  AccessDeniedException: 'permission_error',
  ResourceNotFoundException: 'not_found_error',
  ServiceQuotaExceededException: 'rate_limit_error',
  UnrecognizedClientException: 'authentication_error',
  InvalidSignatureException: 'authentication_error',
  IncompleteSignatureException: 'authentication_error',
  MissingAuthenticationTokenException: 'authentication_error',
  ExpiredTokenException: 'authentication_error',
};

/** Anthropic's word for a Bedrock exception; `fallback` for one that we do not know. */
export function errorTypeOf(exception: string, fallback = 'api_error'): string {
  return ownValue(ERROR_TYPES, exception.charAt(0).toUpperCase() + exception.slice(1)) ?? fallback;
}

function chunkFrame({ event, data }: WireEvent): Buffer | undefined {
  if (event === 'exception') return exceptionFrame(data);
  const told = parsedObject(data);
  if (!told) return undefined;
  if (event === 'error' || told.type === 'error') {
    const { type, message } = objectOf(told.error);
    return exceptionFrame(
      JSON.stringify({
        type: ownValue(EXCEPTIONS, textOf(type)) ?? 'internalServerException',
        message: textOf(message),
      }),
    );
  }
  return eventFrame('chunk', JSON.stringify({ bytes: Buffer.from(data).toString('base64') }));
}

/** The text of Anthropic's own stream that a frame stands for; empty for frames that say nothing. */
export function anthropicText(frame: AmazonFrame): string {
  const { event, data } = eventOfFrame(frame);
  if (event === 'exception') {
    const { type, message, originalMessage } = parsedObject(data) ?? {};
    const said = textOf(message) || textOf(originalMessage) || textOf(type);
    return sse('error', JSON.stringify({ type: 'error', error: { type: errorTypeOf(textOf(type)), message: said } }));
  }
  const { bytes } = parsedObject(data) ?? {};
  const inner = typeof bytes === 'string' ? Buffer.from(bytes, 'base64').toString('utf8') : '';
  const { type } = parsedObject(inner) ?? {};
  // an event's data must be one line; JSON has line breaks between its members only
  return typeof type === 'string' ? sse(type, inner.replace(/[\r\n]+/g, ' ')) : '';
}

const sse = (name: string, data: string): string => `event: ${name}\ndata: ${data}\n\n`;
