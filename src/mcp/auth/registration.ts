import { isHttpsUrl, registerClient } from '@modelcontextprotocol/sdk/client/auth.js';
import type { OAuthClientInformationMixed, OAuthClientMetadata } from '@modelcontextprotocol/sdk/shared/auth.js';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { OauthConfig } from '../../config/mcp-auth-section.ts';
import { GatewayError } from '../../model/errors.ts';
import type { Discovered } from './discovery.ts';

/** What authorization servers are told of this gateway. */
export const clientMetadata = (redirectUrl: string): OAuthClientMetadata => ({
  client_name: 'Bifrost',
  redirect_uris: [redirectUrl],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
});

export interface RegistrationOptions {
  readonly discovered: Discovered;
  readonly oauth: OauthConfig;
  readonly redirectUrl: string;
  /** Where this gateway publishes its client id metadata document, if browsers and servers can reach it by https. */
  readonly documentUrl?: string | undefined;
  readonly fetch: FetchLike;
}

/**
 * Who we are at the authorization server: as configured, else by the address of our metadata document, else registered
 * now (RFC 7591). Throws GatewayError that says what to configure.
 */
export async function clientFor(options: RegistrationOptions): Promise<OAuthClientInformationMixed> {
  const { discovered, oauth, redirectUrl, documentUrl, fetch } = options;
  const { metadata, authorizationServerUrl, scope } = discovered;
  const takesDocuments = metadata?.client_id_metadata_document_supported === true;
  const { client_id: id, client_secret: secret } = oauth;
  if (id && (!isHttpsUrl(id) || takesDocuments || !metadata?.registration_endpoint)) {
    return { client_id: id, ...(secret?.value && { client_secret: secret.value }) };
  }
  if (takesDocuments && isHttpsUrl(documentUrl)) return { client_id: documentUrl ?? '' };
  try {
    return await registerClient(authorizationServerUrl, {
      ...(metadata && { metadata }),
      clientMetadata: clientMetadata(redirectUrl),
      ...(scope && { scope }),
      fetchFn: fetch,
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayError(
      'bad-response',
      `this gateway cannot be registered at ${authorizationServerUrl}: ${reason.slice(0, 300)}; register it there by hand, with the redirect address ${redirectUrl}, and set oauth_config.client_id (and client_secret)`,
      { cause },
    );
  }
}
