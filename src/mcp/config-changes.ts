import type { McpClientConfig } from '../config/schema.ts';

/** What cannot change after a client was made; a patch that has these is otherwise obeyed (Bifrost v2). */
const IMMUTABLE = ['client_id', 'connection_type', 'connection_string', 'stdio_config', 'auth_type'] as const;

/** What of a patch may change. */
export function changesOf(patch: Partial<McpClientConfig>): Partial<McpClientConfig> {
  const changes = { ...patch };
  for (const field of IMMUTABLE) delete changes[field];
  return changes;
}

/** What a server is told when it is dialled. */
export const mustRedial = (changes: Partial<McpClientConfig>): boolean =>
  ['headers', 'tls_config', 'openapi_config', 'needs_session_stickiness'].some((field) => field in changes);
