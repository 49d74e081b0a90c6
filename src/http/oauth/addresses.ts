import type { IncomingHttpHeaders } from 'node:http';
import { addressOf } from '../caller.ts';

/** The one scope there is: what a caller may do is what its identity may do. */
export const SCOPE = 'mcp';

/** Who the gateway is to those who sign in: as configured, else as this request reached it. */
export const issuerOf = (headers: IncomingHttpHeaders, configured: string | undefined): string =>
  configured ?? addressOf(headers) ?? '';

/** `undefined`: /mcp itself. */
export const resourceAt = (issuer: string, slug: string | undefined): string =>
  slug === undefined ? `${issuer}/mcp` : `${issuer}/mcp/${encodeURIComponent(slug)}`;

const METADATA_PATH = '/.well-known/oauth-protected-resource';

/** Where the resource describes itself: the path goes behind the well-known one (RFC 9728, section 3.1). */
export const resourceMetadataAt = (issuer: string, slug: string | undefined): string =>
  `${issuer}${METADATA_PATH}${resourceAt('', slug)}`;

/** What a client names as its resource, in the one spelling that tokens have; undefined when it is none of ours. */
export function namedResource(text: string, issuer: string): string | undefined {
  if (!URL.canParse(text) || text.includes('#') || text.includes('?')) return undefined;
  const base = new URL(issuer);
  const url = new URL(text);
  const prefix = base.pathname.replace(/\/$/, '');
  if (url.origin !== base.origin || !url.pathname.startsWith(`${prefix}/`)) return undefined;
  const path = url.pathname.slice(prefix.length).replace(/\/$/, '');
  return /^\/mcp(?:\/[^/]+)?$/.test(path) ? `${issuer}${path}` : undefined;
}

/** Whether a token for one address is good at another: at itself, and below it. */
export const covers = (audience: string, resource: string): boolean =>
  audience === resource || resource.startsWith(`${audience}/`);

/** RFC 9728. */
export const protectedResource = (issuer: string, slug: string | undefined) => ({
  resource: resourceAt(issuer, slug),
  authorization_servers: [issuer],
  scopes_supported: [SCOPE],
  bearer_methods_supported: ['header'],
  resource_name: slug === undefined ? 'Bifrost MCP gateway' : `Bifrost MCP gateway: ${slug}`,
});

/** RFC 8414. */
export const authorizationServer = (issuer: string, readsDocuments: boolean) => ({
  issuer,
  authorization_endpoint: `${issuer}/oauth2/authorize`,
  token_endpoint: `${issuer}/oauth2/token`,
  registration_endpoint: `${issuer}/oauth2/register`,
  revocation_endpoint: `${issuer}/oauth2/revoke`,
  jwks_uri: `${issuer}/.well-known/jwks.json`,
  scopes_supported: [SCOPE],
  response_types_supported: ['code'],
  response_modes_supported: ['query'],
  grant_types_supported: ['authorization_code', 'refresh_token'],
  token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
  revocation_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
  code_challenge_methods_supported: ['S256'],
  authorization_response_iss_parameter_supported: true,
  client_id_metadata_document_supported: readsDocuments,
});
