import {
  discoverAuthorizationServerMetadata,
  discoverOAuthProtectedResourceMetadata,
  extractWWWAuthenticateParams,
} from '@modelcontextprotocol/sdk/client/auth.js';
import type {
  AuthorizationServerMetadata,
  OAuthProtectedResourceMetadata,
} from '@modelcontextprotocol/sdk/shared/auth.js';
import { checkResourceAllowed, resourceUrlFromServerUrl } from '@modelcontextprotocol/sdk/shared/auth-utils.js';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { LATEST_PROTOCOL_VERSION } from '@modelcontextprotocol/sdk/types.js';
import type { OauthConfig } from '../../config/mcp-auth-section.ts';
import { GatewayError } from '../../model/errors.ts';
import { answerFetch } from './answer-fetch.ts';

/** Where to log in for an MCP server, and for what. */
export interface Discovered {
  readonly authorizationServerUrl: string;
  /** Absent where the server publishes none: the paths of the specification of 2025-03-26 are taken then. */
  readonly metadata?: AuthorizationServerMetadata;
  /** Resource indicator (RFC 8707), as the server writes it. */
  readonly resource?: string;
  readonly scope?: string;
}

/** What an MCP server says when it wants to be logged in to. */
export interface Challenge {
  readonly resourceMetadataUrl?: URL;
  readonly scope?: string;
  readonly error?: string;
}

export const challengeOf = (response: Response): Challenge => {
  const { resourceMetadataUrl, scope, error } = extractWWWAuthenticateParams(response);
  return { ...(resourceMetadataUrl && { resourceMetadataUrl }), ...(scope && { scope }), ...(error && { error }) };
};

/**
 * Asks the MCP server, then its authorization server; what the config says goes above both. Scopes: the config's, else
 * those of the challenge, else all that the resource has (MCP authorization 2025-11-25, scope selection strategy).
 */
export async function discover(serverUrl: URL, oauth: OauthConfig, network: FetchLike): Promise<Discovered> {
  const challenge = await probe(serverUrl, network);
  const fetch = answerFetch(network);
  const resourceMetadata = await resourceMetadataOf(serverUrl, challenge, fetch);
  const authorizationServerUrl =
    oauth.server_url ?? resourceMetadata?.authorization_servers?.[0] ?? String(new URL('/', serverUrl));
  const metadata = await metadataOf(authorizationServerUrl, oauth, fetch);
  const resource = oauth.resource ?? resourceMetadata?.resource;
  const scopes = oauth.scopes.length > 0 ? oauth.scopes : undefined;
  const scope = scopes?.join(' ') ?? challenge.scope ?? resourceMetadata?.scopes_supported?.join(' ');
  return {
    authorizationServerUrl,
    ...(metadata && { metadata }),
    ...(resource && { resource }),
    ...(scope && { scope }),
  };
}

/** The first message of MCP without a token: a server that wants one says where to get it. Any other answer says nothing. */
async function probe(serverUrl: URL, fetch: FetchLike): Promise<Challenge> {
  const params = {
    protocolVersion: LATEST_PROTOCOL_VERSION,
    capabilities: {},
    clientInfo: { name: 'Bifrost', version: '1.0.0' },
  };
  const response = await fetch(serverUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params }),
    signal: AbortSignal.timeout(10_000),
  });
  // what an MCP server lets in may be a stream without end
  await response.body?.cancel();
  return response.status === 401 ? challengeOf(response) : {};
}

async function resourceMetadataOf(
  serverUrl: URL,
  { resourceMetadataUrl }: Challenge,
  fetch: FetchLike,
): Promise<OAuthProtectedResourceMetadata | undefined> {
  const options = resourceMetadataUrl ? { resourceMetadataUrl } : {};
  // servers older than RFC 9728 have none, and are their own authorization server
  const found = await discoverOAuthProtectedResourceMetadata(serverUrl, options, fetch).catch(() => undefined);
  if (!found) return undefined;
  const requestedResource = resourceUrlFromServerUrl(serverUrl);
  if (checkResourceAllowed({ requestedResource, configuredResource: found.resource })) return found;
  throw new GatewayError(
    'bad-response',
    `the MCP server at ${requestedResource.href} says it is the resource ${found.resource}: no token is asked for in that name; set oauth_config.resource if it is right`,
  );
}

async function metadataOf(
  authorizationServerUrl: string,
  oauth: OauthConfig,
  fetch: FetchLike,
): Promise<AuthorizationServerMetadata | undefined> {
  const { authorize_url: authorize, token_url: token, registration_url: registration } = oauth;
  const found =
    authorize && token
      ? undefined
      : await discoverAuthorizationServerMetadata(authorizationServerUrl, { fetchFn: fetch });
  if (!found && !(authorize && token)) return undefined;
  const origin = new URL(authorizationServerUrl).origin;
  return {
    issuer: origin,
    response_types_supported: ['code'],
    ...found,
    authorization_endpoint: authorize ?? found?.authorization_endpoint ?? '',
    token_endpoint: token ?? found?.token_endpoint ?? '',
    ...(registration && { registration_endpoint: registration }),
  };
}
