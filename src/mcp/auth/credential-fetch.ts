import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { type Challenge, challengeOf } from './discovery.ts';

/** Where the headers of a login come from. */
export interface CredentialSource {
  /** Throws CredentialError where a person must act first. */
  headers(): Promise<Readonly<Record<string, string>>>;
  /** Other ones, after these were refused. Throws where there are none. */
  afterRefusal(
    refused: Readonly<Record<string, string>>,
    status: number,
    challenge: Challenge,
  ): Promise<typeof refused>;
  refusedAgain(): Promise<never>;
}

export interface CredentialFetchOptions {
  readonly fetch: FetchLike;
  readonly source: CredentialSource;
  /** Of the MCP server; nobody else is shown the credential. */
  readonly origin: string;
  /** The transport of 2024-11-05 begins with a GET; for any other a refused one is normal (G13). */
  readonly isSse: boolean;
}

/** A fetch that shows a login to the MCP server, and a renewed one when that is refused. */
export function credentialFetch({ fetch, source, origin, isSse }: CredentialFetchOptions): FetchLike {
  return async (url, init) => {
    if (new URL(url).origin !== origin) return fetch(url, init);
    const shown = await source.headers();
    const response = await fetch(url, showing(init, shown));
    const isListening = !isSse && (init?.method ?? 'GET') !== 'POST';
    if (isListening || !isRefusal(response)) return response;
    await response.body?.cancel();
    const renewed = await source.afterRefusal(shown, response.status, challengeOf(response));
    const second = await fetch(url, showing(init, renewed));
    if (second.status !== 401) return second;
    await second.body?.cancel();
    return source.refusedAgain();
  };
}

/** 403 may mean many things; only with this word it is about the login (RFC 6750, 3.1). */
const isRefusal = (response: Response): boolean =>
  response.status === 401 || (response.status === 403 && challengeOf(response).error === 'insufficient_scope');

function showing(init: RequestInit | undefined, shown: Readonly<Record<string, string>>): RequestInit {
  const headers = new Headers(init?.headers);
  for (const [name, value] of Object.entries(shown)) headers.set(name, value);
  return { ...init, headers };
}
