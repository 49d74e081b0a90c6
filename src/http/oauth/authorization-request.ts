import type { RegisteredClient } from '../../model/oauth-grants.ts';
import { namedResource, resourceAt, SCOPE } from './addresses.ts';
import { OauthError, RedirectedError } from './oauth-error.ts';
import { isRegistered, withParameters } from './redirect-uris.ts';

/** What a client asks a person for, checked. */
export interface AuthorizationRequest {
  readonly client: RegisteredClient;
  readonly redirectUri: string;
  readonly state: string | undefined;
  readonly codeChallenge: string;
  readonly scope: string;
  readonly resource: string;
  readonly issuer: string;
}

/** Of base64url, 43 characters: a SHA-256 (RFC 7636, section 4.2). */
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;

/**
 * Throws OauthError as long as it is not known where the client waits, so that nobody is sent to an address that was
 * not registered; RedirectedError from then on.
 */
export async function authorizationRequest(
  query: URLSearchParams,
  issuer: string,
  clientOf: (clientId: string) => Promise<RegisteredClient | undefined>,
): Promise<AuthorizationRequest> {
  requireSingle(query);
  const client = await clientOf(query.get('client_id') ?? '');
  if (!client) throw new OauthError('invalid_client', 'this client is not registered here; let it register again');
  const redirectUri = query.get('redirect_uri') ?? '';
  if (!isRegistered(redirectUri, client.redirectUris)) {
    throw new OauthError('invalid_request', 'the redirect_uri is none that this client has registered');
  }
  const state = query.get('state') ?? undefined;
  const fail = (code: string, description: string): never => {
    const told = { error: code, error_description: description, state, iss: issuer };
    throw new RedirectedError(code, description, withParameters(redirectUri, told));
  };
  if (query.get('response_type') !== 'code') fail('unsupported_response_type', 'response_type must be "code"');
  if (query.get('code_challenge_method') !== 'S256') fail('invalid_request', 'code_challenge_method must be "S256"');
  const codeChallenge = query.get('code_challenge') ?? '';
  if (!CHALLENGE.test(codeChallenge)) fail('invalid_request', 'code_challenge must be a SHA-256 in base64url');
  const scopes = (query.get('scope') ?? SCOPE).split(' ').filter((scope) => scope !== '');
  if (scopes.length > 0 && !scopes.includes(SCOPE)) fail('invalid_scope', `the scope here is "${SCOPE}"`);
  const asked = query.get('resource');
  const resource = asked === null ? resourceAt(issuer, undefined) : namedResource(asked, issuer);
  if (resource === undefined) return fail('invalid_target', `the resource is none of this server: ${issuer}/mcp is`);
  return { client, redirectUri, state, codeChallenge, scope: SCOPE, resource, issuer };
}

/** Two of one parameter are read differently by different readers (RFC 6749, section 3.1). */
function requireSingle(query: URLSearchParams): void {
  for (const name of new Set(query.keys())) {
    if (query.getAll(name).length > 1) throw new OauthError('invalid_request', 'a parameter is given twice');
  }
}
