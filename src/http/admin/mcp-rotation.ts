import { isDeepStrictEqual } from 'node:util';
import { type OauthConfig, oauthConfig } from '../../config/mcp-auth-section.ts';
import type { McpClientConfig } from '../../config/schema.ts';
import { redacted } from '../../config/secrets.ts';
import { ownIdentity, usesOauth } from '../../mcp/auth/identity.ts';
import type { UpstreamAuth } from '../../mcp/auth/upstream-auth.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { storedSecret } from '../../stores/client-form.ts';
import { adminError } from './errors.ts';
import type { ClientStore } from './mcp-clients.ts';

export interface RotationRooms {
  readonly auth: UpstreamAuth;
  readonly store: ClientStore;
  readonly clients: {
    update(id: string, changes: Partial<McpClientConfig>): Promise<unknown>;
    connection(id: string): { needsReauth(reason: string): void } | undefined;
  };
}

const ENDPOINTS = ['authorize_url', 'token_url', 'registration_url', 'server_url'] as const;

/**
 * Changes how a client logs in, in place: every login of it must be renewed then. What is equal changes nothing. Throws
 * GatewayError with the status and in the sense of the original.
 */
export async function rotateOauth(config: McpClientConfig, body: JsonObject, rooms: RotationRooms): Promise<void> {
  if (body.oauth_config === undefined) return;
  const { auth, store, clients } = rooms;
  if (!usesOauth(config))
    throw adminError(
      400,
      "oauth_config can only be updated for MCP clients using auth_type 'oauth' or 'per_user_oauth'",
    );
  const next = rotatedConfig(config.oauth_config ?? oauthConfig.parse({}), body.oauth_config);
  if (isDeepStrictEqual(next, config.oauth_config)) return;
  if (body.disabled === true) {
    const instead = 'send these as two separate requests';
    throw adminError(400, `oauth credentials cannot be rotated while disabling a client; ${instead}`);
  }
  const id = config.client_id ?? '';
  const kept = await (await auth.store()).credential(id, ownIdentity(config));
  if (!kept) {
    throw adminError(409, "oauth_config cannot be updated before this MCP client's OAuth verification is completed");
  }
  await store.put({ ...config, oauth_config: next });
  await clients.update(id, { oauth_config: next });
  await auth.endLogins(id);
  clients.connection(id)?.needsReauth('its oauth_config was changed');
}

/** A secret that comes back as it was shown is kept, but never taken to another address unseen. */
function rotatedConfig(current: OauthConfig, given: unknown): OauthConfig {
  if (!isObject(given)) throw adminError(400, 'oauth_config must be an object');
  const { client_secret: stored } = current;
  const isKept = given.client_secret === undefined || (stored && given.client_secret === redacted(stored));
  const secret = isKept && stored ? { client_secret: storedSecret(stored) } : {};
  const parsed = oauthConfig.safeParse({ ...current, ...given, ...secret });
  if (!parsed.success) throw adminError(400, `Invalid oauth_config: ${parsed.error.issues[0]?.message}`);
  const moved = ENDPOINTS.find((name) => parsed.data[name] !== current[name]);
  if (moved && isKept && stored) throw adminError(400, `client_secret must be resent explicitly when ${moved} changes`);
  return parsed.data;
}
