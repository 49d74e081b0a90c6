import type { Codec } from '../codecs/codec.ts';
import type { ProviderKey } from '../config/schema.ts';
import { GatewayError } from '../model/errors.ts';
import type { DirectResponse } from './direct-response.ts';

/** The error that an answer of another status than 2xx means, in the words of the provider. */
export function refusalOf(answer: DirectResponse, codec: Codec, provider: string, key?: ProviderKey): GatewayError {
  if (answer.status < 400) return redirected(answer, provider);
  const { record } = answer.headers;
  const error = codec.decodeError(answer.status, withoutKey(answer.bytes.toString('utf8'), key), record);
  const retryAfterMs = error.details.retryAfterMs ?? retryAfterMsOf(record);
  return new GatewayError(error.kind, error.message, {
    ...error.details,
    status: error.details.status ?? answer.status,
    provider,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** Some servers repeat the key that they refuse. */
export const withoutKey = (text: string, key: ProviderKey | undefined): string =>
  key && key.value.value.length >= SHORTEST_KEY ? text.replaceAll(key.value.value, '[hidden]') : text;

/** What is shorter stands in answers by chance. */
const SHORTEST_KEY = 8;

/** Nobody is followed elsewhere with a key: what is asked for stands at the address that the configuration names. */
function redirected({ status, headers }: DirectResponse, provider: string): GatewayError {
  // a query may hold what is nobody else's business
  const [place = ''] = (headers.get('location') ?? '').split(/[?#]/);
  const where = place === '' ? 'nowhere' : place.replace(/\/\/[^/@]*@/, '//');
  const message = `${provider} answered with a redirect (${status}) to ${where}; set network_config.base_url to where it is`;
  return new GatewayError('bad-response', message, { provider });
}

/** `retry-after-ms` is OpenAI's; `retry-after` counts seconds (its other form, a date, is not used by providers). */
function retryAfterMsOf(headers: Readonly<Record<string, string>>): number | undefined {
  const ms = Number(headers['retry-after-ms'] ?? Number.NaN);
  if (ms >= 0) return ms;
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  return seconds >= 0 ? seconds * 1_000 : undefined;
}

const LIMITS = /^(x-ratelimit-|anthropic-ratelimit-|ratelimit-|retry-after)/;
const TOLD: ReadonlySet<string> = new Set([
  'x-request-id',
  'request-id',
  'apim-request-id',
  'x-amzn-requestid',
  'cf-ray',
  'openai-processing-ms',
  'x-should-retry',
]);

/** The response headers that clients use: limits and the provider's request id. Never framing, cookies or accounts. */
export function toldHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const told: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined && (TOLD.has(name) || LIMITS.test(name))) told[name] = value;
  }
  return told;
}

/** How the APIs say that what stands in a history was written for somebody else, or is missing. */
const HISTORY_REFUSALS: readonly RegExp[] = [
  // Anthropic Messages API, extended thinking
  /invalid `signature` in `thinking` block/i,
  /invalid `data` in `redacted_thinking` block/i,
  /expected `thinking` or `redacted_thinking`/i,
  /thinking` or `redacted_thinking` blocks .*cannot be modified/i,
  // OpenAI Responses API, reasoning items
  /encrypted content .*could not be (verified|decrypted)/i,
  /invalid_encrypted_content/,
  /provided without its required '?(reasoning|following)/i,
  // Gemini API, thought signatures
  /thought[_ ]?signature/i,
];

/** Whether a provider refused a request for the reasoning state in its history, which it may be asked again without. */
export const isHistoryRefusal = (thrown: unknown): boolean =>
  thrown instanceof GatewayError &&
  thrown.kind === 'invalid-request' &&
  HISTORY_REFUSALS.some((words) => words.test(`${thrown.details.code ?? ''} ${thrown.message}`));

/** How Claude and Converse refuse texts of nothing but white space, which other models write and clients give back. */
const BLANK_REFUSALS: readonly RegExp[] = [
  /text content blocks must (be non-empty|contain non-whitespace text)/i,
  /text field in the ContentBlock object at \S+ is blank/i,
];

/** Whether a provider refused texts that say nothing, which a request that is written anew leaves out. */
export const isBlankRefusal = (thrown: unknown): boolean =>
  thrown instanceof GatewayError &&
  thrown.kind === 'invalid-request' &&
  BLANK_REFUSALS.some((words) => words.test(thrown.message));
