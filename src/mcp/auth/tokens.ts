import type { OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import type { JsonObject } from '../../model/json.ts';

/** What a login gave. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken?: string;
  readonly expiresAtMs?: number;
  /** Granted, or asked for where the server did not say. */
  readonly scope?: string;
}

/** `asked`: the scope of the request, which is what was granted unless the answer says otherwise (RFC 6749, 5.1). */
export function tokensOf(answer: OAuthTokens, asked: string | undefined, nowMs: number): Tokens {
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: seconds } = answer;
  const scope = answer.scope || asked;
  return {
    accessToken,
    ...(refreshToken && { refreshToken }),
    ...(seconds !== undefined && { expiresAtMs: nowMs + seconds * 1_000 }),
    ...(scope && { scope }),
  };
}

export const tokensFrom = (secret: JsonObject): Tokens | undefined =>
  typeof secret.accessToken === 'string'
    ? {
        accessToken: secret.accessToken,
        ...(typeof secret.refreshToken === 'string' && { refreshToken: secret.refreshToken }),
        ...(typeof secret.expiresAtMs === 'number' && { expiresAtMs: secret.expiresAtMs }),
        ...(typeof secret.scope === 'string' && { scope: secret.scope }),
      }
    : undefined;

/** Both lists of scopes as one, each named once. */
export function joinedScopes(...lists: readonly (string | undefined)[]): string | undefined {
  const all = lists.flatMap((list) => list?.split(' ') ?? []).filter((scope) => scope !== '');
  return all.length > 0 ? [...new Set(all)].join(' ') : undefined;
}

export const holdsScopes = (held: string | undefined, wanted: string): boolean => {
  const known = new Set(held?.split(' '));
  return wanted.split(' ').every((scope) => scope === '' || known.has(scope));
};
