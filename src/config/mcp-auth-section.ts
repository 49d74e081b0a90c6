import { z } from 'zod';
import { secret } from './secrets.ts';

/** How the gateway shows who calls an MCP server. `oauth`: one login for all; `per_user_*`: each caller with their own. */
export const AUTH_TYPES = ['none', 'headers', 'oauth', 'per_user_oauth', 'per_user_headers', ''] as const;

/** What is missing is discovered (RFC 9728, RFC 8414, OpenID Connect), and the client registered (RFC 7591). */
export const oauthConfig = z.looseObject({
  client_id: z
    .string()
    .optional()
    .describe('As registered by hand, or an https address: the client id metadata document of this gateway.'),
  client_secret: secret.optional().describe('As registered by hand; absent for public clients.'),
  authorize_url: z.url().optional().describe('Where people log in; absent = discovered.'),
  token_url: z.url().optional().describe('Where tokens come from; absent = discovered.'),
  registration_url: z.url().optional().describe('Where the gateway registers; absent = discovered.'),
  scopes: z.array(z.string()).default([]).describe('Asked for; empty = what the server names.'),
  resource: z.string().optional().describe('The resource indicator (RFC 8707), where the server names none.'),
  server_url: z.url().optional().describe('The authorization server, where the MCP server names none.'),
});

/** Stored in lower case, trimmed (Bifrost). */
export const headerKeys = z
  .array(z.string().transform((name) => name.trim().toLowerCase()))
  .refine((names) => !names.includes(''), {
    error: ({ input }) => `per_user_header_keys[${Array.isArray(input) ? input.indexOf('') : 0}] is empty`,
  })
  .refine((names) => new Set(names).size === names.length, {
    message: 'per_user_header_keys contains duplicate entries',
  });

interface AuthFields {
  readonly connection_type: string;
  readonly auth_type: string;
  readonly per_user_header_keys?: readonly string[] | undefined;
  readonly oauth_config_id?: unknown;
}

/** What is wrong between the fields, with its place. */
export function authFault(client: AuthFields): { path: string; message: string } | undefined {
  const { connection_type: type, auth_type: auth, per_user_header_keys: keys, oauth_config_id: linked } = client;
  const needsLogin = auth === 'oauth' || auth.startsWith('per_user');
  const isOpenApi = type === 'openapi' && auth === 'per_user_headers';
  if (needsLogin && type !== 'http' && type !== 'sse' && !isOpenApi) {
    return { path: 'auth_type', message: `auth_type '${auth}' needs connection_type "http" or "sse", not "${type}"` };
  }
  if (auth !== 'per_user_headers') return undefined;
  if (!keys?.length) {
    return {
      path: 'per_user_header_keys',
      message: "per_user_header_keys must be a non-empty list when auth_type is 'per_user_headers'",
    };
  }
  if (linked) {
    return { path: 'oauth_config_id', message: "oauth_config_id must be absent for auth_type 'per_user_headers'" };
  }
  return undefined;
}

export type OauthConfig = z.output<typeof oauthConfig>;
