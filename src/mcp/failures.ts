import { SseError } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { GatewayError } from '../model/errors.ts';

const MAX_REASON = 512;

/** The messages of an error and of its causes on one line, short enough for a status page. */
export function reasonOf(thrown: unknown): string {
  const messages: string[] = [];
  for (let error = thrown; error !== undefined && messages.length < 4; error = causeOf(error)) {
    const message = error instanceof Error ? messageOf(error) : String(error);
    if (message && !messages.some((known) => known.includes(message))) messages.push(message);
  }
  return messages.join(': ').replace(/\s+/g, ' ').slice(0, MAX_REASON);
}

/** The SDK says what the server's answer held, which may be nothing, and leaves out its status. */
function messageOf(error: Error): string {
  if (
    !(error instanceof StreamableHTTPError) ||
    !error.code ||
    error.code < 100 ||
    error.message.includes(`${error.code}`)
  )
    return error.message || codeOf(error);
  // an answer may be megabytes of blanks
  const told = error.message.slice(0, MAX_REASON).trimEnd();
  return `${told.endsWith(':') ? told.slice(0, -1) : told} (HTTP ${error.code})`;
}

const causeOf = (error: unknown): unknown => (error instanceof Error ? error.cause : undefined);

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

function anyCode(thrown: unknown, codes: ReadonlySet<string>): boolean {
  for (let error = thrown; error !== undefined; error = causeOf(error)) {
    if (codes.has(codeOf(error))) return true;
    if (error instanceof AggregateError && error.errors.some((inner) => codes.has(codeOf(inner)))) return true;
  }
  return false;
}

/** The HTTP status a server answered with, when that was the failure. */
export function statusOfFailure(thrown: unknown): number | undefined {
  for (let error = thrown; error !== undefined; error = causeOf(error)) {
    if (error instanceof StreamableHTTPError || error instanceof SseError) return error.code;
    // The SDK's SSE transport gives the status of a POST in the text only.
    const match = error instanceof Error ? /^Error POSTing to endpoint \(HTTP (\d{3})\)/.exec(error.message) : null;
    if (match) return Number(match[1]);
  }
  return undefined;
}

const PERMANENT_STATUS = new Set([400, 401, 403, 404, 405, 422]);
const PERMANENT_CODES = new Set(['ENOENT', 'EACCES', 'EPERM']);

/** Bifrost v2 reads the text of an error; a status in it counts only as a word of its own. */
const PERMANENT_WORDS =
  /\b(40[0135]|422)\b|unauthori[sz]ed|forbidden|not found|no such file|permission denied|timed? ?out|deadline/i;

/** Failures that waiting seldom mends: wrong config, no such command, no permission. They are tried again, slowly. */
export function isPermanent(thrown: unknown): boolean {
  if (thrown instanceof GatewayError && thrown.kind === 'invalid-request') return true;
  const status = statusOfFailure(thrown);
  if (status !== undefined) return PERMANENT_STATUS.has(status);
  return anyCode(thrown, PERMANENT_CODES) || PERMANENT_WORDS.test(reasonOf(thrown));
}

/**
 * The credential of a client is missing, or its server takes it no longer: trying again is of no use until a person has
 * acted. Whoever fetches credentials throws it out of a dial or a call, and the client goes to that state.
 */
export class CredentialError extends Error {
  readonly state: 'needs_reauth' | 'pending_verification';

  constructor(state: 'needs_reauth' | 'pending_verification', message: string, options?: ErrorOptions) {
    super(message, options);
    this.state = state;
  }
}

export function credentialErrorIn(thrown: unknown): CredentialError | undefined {
  for (let error = thrown; error !== undefined; error = causeOf(error)) {
    if (error instanceof CredentialError) return error;
  }
  return undefined;
}

/**
 * The server does not know our session: 404 by the specification, and 400 with a word about it from servers built on
 * the example of the SDK. Either way it did not look at the request.
 */
export function isSessionLost(thrown: unknown): boolean {
  const status = statusOfFailure(thrown);
  return status === 404 || (status === 400 && /session/i.test(reasonOf(thrown)));
}

const NO_CONNECTION_CODES = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** True when the request surely did not reach a server that would run it, so that sending it again is safe. */
export const isNeverExecuted = (thrown: unknown): boolean =>
  isSessionLost(thrown) || anyCode(thrown, NO_CONNECTION_CODES);

/** The connection or the server broke, with or without having run the request; another try may go better. */
export function isTransient(thrown: unknown): boolean {
  if (thrown instanceof GatewayError) return false;
  if (thrown instanceof McpError) return thrown.code === ErrorCode.ConnectionClosed;
  const status = statusOfFailure(thrown);
  return status === undefined || status >= 500;
}
