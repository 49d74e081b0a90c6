import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { textWithin } from '../../model/short-answer.ts';

const TIMEOUT_MS = 30_000;
/** Keys, tokens and what servers say of themselves are some kilobytes. */
const MOST_BYTES = 1024 * 1024;
const WITHOUT_BODY: ReadonlySet<number> = new Set([101, 204, 205, 304]);

/**
 * A fetch for short answers, in time and whole, as Node's own `Response`: the SDK reads the errors of authorization
 * servers only from an instance of that, and undici's are of another class of the same name.
 */
export const answerFetch =
  (fetch: FetchLike): FetchLike =>
  async (url, init) => {
    const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
    const { status, statusText, headers } = answer;
    const tooLong = () => new Error(`${new URL(url).host} answered with more than ${MOST_BYTES} bytes`);
    const text = await textWithin(answer, MOST_BYTES, tooLong);
    return new Response(WITHOUT_BODY.has(status) ? null : text, { status, statusText, headers: [...headers] });
  };
