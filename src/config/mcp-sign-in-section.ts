import { z } from 'zod';
import { secret } from './secrets.ts';

/** What callers of /mcp show: the headers of virtual keys, tokens of the gateway's own OAuth server, or either. */
export const MCP_AUTH_MODES = ['headers', 'both', 'oauth'] as const;

const DEFAULT_CODE_SECONDS = 300;
const DEFAULT_TOKEN_SECONDS = 600;

/** Programs that are known by an address, at which they say who they are, and do not register. */
const clientMetadataDocuments = z.looseObject({
  enabled: z.boolean().default(true).describe('Whether a client id may be the https address of a metadata document.'),
  allow_private_addresses: z
    .boolean()
    .default(false)
    .describe('Whether such a document may be on this machine or on a private network.'),
  allowed_hosts: z
    .array(z.string())
    .default([])
    .describe('Hosts ("name" or "name:port") that may be reached wherever they are.'),
});

/** The gateway as an authorization server for its own /mcp. */
export const oauth2Server = z.looseObject({
  issuer_url: secret
    .optional()
    .describe('Where clients and browsers reach this gateway; needed behind a proxy and on several hosts.'),
  auth_code_ttl: z
    .number()
    .int()
    .min(0)
    .max(900)
    .default(DEFAULT_CODE_SECONDS)
    .transform((seconds) => seconds || DEFAULT_CODE_SECONDS)
    .describe('Seconds from the consent page to the token.'),
  access_token_ttl: z
    .number()
    .int()
    .min(0)
    .default(DEFAULT_TOKEN_SECONDS)
    .transform((seconds) => seconds || DEFAULT_TOKEN_SECONDS)
    .describe('Seconds that a token is good for; clients renew it by themselves.'),
  client_metadata_documents: clientMetadataDocuments
    .prefault({})
    .describe('Programs that are known by an https address and do not register.'),
  disable_vk_identity: z.boolean().default(false).describe('Nobody may sign in as a virtual key; "oauth" mode only.'),
});

export type McpAuthMode = (typeof MCP_AUTH_MODES)[number];
