import { randomUUID, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { parsedJson } from '../../model/json.ts';
import type { GrantMode, StoredGrant } from '../../model/oauth-grants.ts';
import { SCOPE } from './addresses.ts';
import { Expiring } from './expiring.ts';
import { OauthError } from './oauth-error.ts';
import type { SigningKey } from './signing-key.ts';

/** RFC 9068, with Bifrost's own `bf_mode`, and `gid`: the grant that the token was given for. */
const claims = z.object({
  iss: z.string(),
  aud: z.array(z.string()).length(1),
  sub: z.string().min(1),
  client_id: z.string(),
  scope: z.string(),
  bf_mode: z.enum(['vk', 'session']),
  gid: z.string(),
  exp: z.number(),
  nbf: z.number(),
});

/** Of a token that is ours and good, whatever became of its grant. */
export interface AccessToken {
  readonly issuer: string;
  readonly audience: string;
  readonly subject: string;
  readonly mode: GrantMode;
  readonly grantId: string;
}

const MOST_REMEMBERED = 1_000;

/** A JWT by its looks: three parts, the first a JSON object. Virtual keys and keys of providers are none. */
export const looksLikeToken = (bearer: string): boolean => /^eyJ[\w-]*\.[\w-]+\.[\w-]+$/.test(bearer);

/** Access tokens: signed and checked. A token that was good is known by its text until it expires. */
export class AccessTokens {
  readonly #key: SigningKey;
  readonly #now: () => number;
  readonly #known: Expiring<AccessToken>;

  constructor(key: SigningKey, now: () => number) {
    this.#key = key;
    this.#now = now;
    this.#known = new Expiring(MOST_REMEMBERED, now);
  }

  issue(grant: StoredGrant, issuer: string, lifeMs: number): string {
    const now = Math.floor(this.#now() / 1_000);
    const body = {
      iss: issuer,
      aud: [grant.resource],
      sub: grant.subject,
      client_id: grant.clientId,
      scope: grant.scope,
      bf_mode: grant.mode,
      gid: grant.id,
      jti: randomUUID(),
      iat: now,
      nbf: now,
      exp: now + Math.floor(lifeMs / 1_000),
    };
    const signed = `${encoded({ typ: 'at+jwt', alg: 'RS256', kid: this.#key.id })}.${encoded(body)}`;
    return `${signed}.${sign('sha256', Buffer.from(signed), this.#key.private).toString('base64url')}`;
  }

  /** Throws OauthError('invalid_token'). */
  checked(token: string): AccessToken {
    return this.#known.get(token) ?? this.#checkedAnew(token);
  }

  /** What a token says that was checked when its holder came in, however long ago. */
  read(token: string): Pick<AccessToken, 'grantId' | 'mode' | 'subject'> | undefined {
    const parsed = claims.safeParse(decoded(token.split('.')[1] ?? ''));
    return parsed.data && { grantId: parsed.data.gid, mode: parsed.data.bf_mode, subject: parsed.data.sub };
  }

  #checkedAnew(token: string): AccessToken {
    const [header = '', body = '', signature = ''] = token.split('.');
    // the algorithm is ours to choose, never the token's
    const { alg, kid } = z.looseObject({ alg: z.string(), kid: z.string() }).catch(NO_HEADER).parse(decoded(header));
    if (alg !== 'RS256' || kid !== this.#key.id) throw invalid('the token is none that was issued here');
    const signed = Buffer.from(`${header}.${body}`);
    if (!verify('sha256', signed, this.#key.public, Buffer.from(signature, 'base64url'))) {
      throw invalid('the signature of the token is wrong');
    }
    const parsed = claims.safeParse(decoded(body));
    if (!parsed.success) throw invalid('the token lacks what tokens of this server hold');
    const { exp, nbf, scope, iss, aud, sub, bf_mode, gid } = parsed.data;
    const now = this.#now();
    if (exp * 1_000 <= now) throw invalid('the token has expired');
    if (nbf * 1_000 > now + SKEW_MS) throw invalid('the token is not valid yet');
    if (!scope.split(' ').includes(SCOPE))
      throw new OauthError('insufficient_scope', `the scope "${SCOPE}" is needed`, 403);
    const known = { issuer: iss, audience: aud[0] ?? '', subject: sub, mode: bf_mode, grantId: gid };
    this.#known.put(token, known, exp * 1_000);
    return known;
  }
}

/** The clock may have been set back since. */
const SKEW_MS = 60_000;
const NO_HEADER = { alg: '', kid: '' };

const invalid = (why: string): OauthError => new OauthError('invalid_token', why, 401);

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const decoded = (part: string): unknown => parsedJson(Buffer.from(part, 'base64url').toString('utf8'));
