import type { ErrorKind, GatewayError } from '../model/errors.ts';

/**
 * What a failed attempt leads to:
 * `next-key` another key after a pause, `drop-key` another key at once, this one is of no use to this request;
 * `retry` the same key after a pause; `next-target` the next fallback; `stop` the error goes to the client.
 */
export type Reaction = 'next-key' | 'drop-key' | 'retry' | 'next-target' | 'stop';

const REACTIONS: Readonly<Record<ErrorKind, Reaction>> = {
  'invalid-request': 'next-target',
  authentication: 'drop-key',
  permission: 'drop-key',
  billing: 'drop-key',
  'not-found': 'next-target',
  'too-large': 'next-target',
  'rate-limit': 'next-key',
  budget: 'stop',
  'content-policy': 'next-target',
  overloaded: 'retry',
  'queue-full': 'next-target',
  timeout: 'stop',
  network: 'retry',
  'bad-response': 'retry',
  cancelled: 'stop',
  internal: 'next-target',
};

/** Providers that say it in words only (the original's own list). */
const RATE_LIMIT_WORDS = /rate.?limit|quota exceeded|throttl|tokens per minute|requests per minute/i;

export function reactionTo(error: GatewayError): Reaction {
  if (error.details.isFinal) return 'stop';
  // The upstream's own 408 or 504 may go better next time; our patience is spent for the whole request
  if (error.kind === 'timeout' && error.details.status !== undefined) return 'retry';
  if (error.kind === 'invalid-request' && RATE_LIMIT_WORDS.test(error.message)) return 'next-key';
  return REACTIONS[error.kind];
}
