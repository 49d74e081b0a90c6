import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { JsonObject } from '../../model/json.ts';
import type { RegisteredClient } from '../../model/oauth-grants.ts';
import { SCOPE } from './addresses.ts';
import { OauthError } from './oauth-error.ts';
import { redirectFault } from './redirect-uris.ts';
import { hashOf } from './secrets.ts';

const MOST_NAME = 100;
export const MOST_URIS = 20;
export const MOST_URI = 2_000;

/** What a program says of itself (RFC 7591). What we have no use for is not kept. */
const metadata = z.looseObject({
  redirect_uris: z.array(z.string().max(MOST_URI)).min(1).max(MOST_URIS),
  client_name: z.string().optional(),
  token_endpoint_auth_method: z.enum(['none', 'client_secret_basic', 'client_secret_post']).default('none'),
  grant_types: z
    .array(z.enum(['authorization_code', 'refresh_token']))
    .default(['authorization_code', 'refresh_token']),
  response_types: z.array(z.literal('code')).default(['code']),
});

/** A new client, and what it is answered. Throws OauthError. */
export function registered(body: unknown, nowMs: number): { client: RegisteredClient; answer: JsonObject } {
  const given = checked(body);
  const { redirect_uris: redirectUris, token_endpoint_auth_method: authMethod } = given;
  for (const uri of redirectUris) {
    const fault = redirectFault(uri);
    if (fault) throw new OauthError('invalid_redirect_uri', `the redirect URI ${fault}`);
  }
  const secret = authMethod === 'none' ? undefined : randomBytes(32).toString('base64url');
  const client: RegisteredClient = {
    clientId: randomUUID(),
    name: shownName(given.client_name),
    redirectUris,
    authMethod,
    secretHash: secret === undefined ? null : hashOf(secret),
    createdAtMs: nowMs,
  };
  const answer: JsonObject = {
    client_id: client.clientId,
    client_id_issued_at: Math.floor(nowMs / 1_000),
    ...(secret !== undefined && { client_secret: secret, client_secret_expires_at: 0 }),
    client_name: client.name,
    redirect_uris: [...redirectUris],
    grant_types: [...given.grant_types],
    response_types: [...given.response_types],
    token_endpoint_auth_method: authMethod,
    scope: SCOPE,
  };
  return { client, answer };
}

function checked(body: unknown): z.output<typeof metadata> {
  const parsed = metadata.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path[0];
  if (field === 'redirect_uris') {
    throw new OauthError('invalid_redirect_uri', `redirect_uris is required: 1 to ${MOST_URIS} absolute URIs`);
  }
  throw new OauthError('invalid_client_metadata', `${String(field ?? 'the body')}: ${issue?.message}`);
}

/** People read it on the consent page: one line, without characters that hide or turn others. */
export function shownName(name: string | undefined): string {
  const shown = (name ?? '').replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return shown.slice(0, MOST_NAME) || 'An MCP client';
}
