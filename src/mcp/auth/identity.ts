import { createHash } from 'node:crypto';
import type { McpClientConfig } from '../../config/schema.ts';
import type { Caller } from '../../model/call.ts';

/** The one login of `oauth` clients. */
export const SHARED = 'shared';
/** The admin's own, with which the tools of a per-user client are found out. */
export const DISCOVERY = 'discovery';

/** Whom a caller's logins belong to: virtual key before session (Bifrost); as a hash, so that no key is kept. */
export function identityOf({ virtualKey, mcpSessionId }: Caller): string | undefined {
  if (virtualKey) return `virtual-key:${hashed(virtualKey)}`;
  return mcpSessionId ? `session:${hashed(mcpSessionId)}` : undefined;
}

export const hashed = (text: string): string => createHash('sha256').update(text).digest('base64url');

type AuthType = Pick<McpClientConfig, 'auth_type'>;

export const isPerUser = ({ auth_type: type }: AuthType): boolean => type.startsWith('per_user');

export const usesOauth = ({ auth_type: type }: AuthType): boolean => type === 'oauth' || type === 'per_user_oauth';

export const needsLogin = (config: AuthType): boolean => usesOauth(config) || isPerUser(config);

/** The login behind a client's own connection. */
export const ownIdentity = (config: AuthType): string => (isPerUser(config) ? DISCOVERY : SHARED);
