import type { JsonObject } from './json.ts';

/** What is kept of logins to MCP servers. `secret` is sealed on the disk where an encryption key is set. */

export type CredentialState = 'active' | 'needs_reauth' | 'needs_update' | 'orphaned' | 'pending';

/** One login: tokens, or the values of headers. One for each MCP client and identity. */
export interface StoredCredential {
  readonly id: string;
  readonly mcpClientId: string;
  /** `shared`, `discovery`, or a caller's, as a hash. */
  readonly identity: string;
  readonly kind: 'oauth' | 'headers';
  readonly state: CredentialState;
  readonly secret: JsonObject;
  readonly expiresAtMs: number | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** How an OAuth client was set up: the authorization server, our registration there, the MCP client that waits for it. */
export interface StoredOauthConfig {
  readonly id: string;
  readonly mcpClientId: string;
  readonly status: 'pending' | 'authorized' | 'failed' | 'revoked';
  readonly secret: JsonObject;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

/** A login that somebody has begun. */
export interface PendingFlow {
  readonly id: string;
  readonly kind: 'oauth' | 'headers';
  readonly mcpClientId: string;
  readonly identity: string;
  readonly oauthConfigId: string | null;
  /** OAuth's `state`, as a hash; absent until the browser is sent to the authorization server. */
  readonly stateHash: string | null;
  readonly secret: JsonObject;
  readonly expiresAtMs: number;
}

export interface CredentialStore {
  credential(mcpClientId: string, identity: string): Promise<StoredCredential | undefined>;
  credentialsOf(mcpClientId: string): Promise<readonly StoredCredential[]>;
  putCredential(credential: StoredCredential): Promise<void>;
  removeCredentialsOf(mcpClientId: string): Promise<void>;
  oauthConfig(id: string): Promise<StoredOauthConfig | undefined>;
  /** The newest of a client. */
  oauthConfigOf(mcpClientId: string): Promise<StoredOauthConfig | undefined>;
  putOauthConfig(config: StoredOauthConfig): Promise<void>;
  flow(id: string): Promise<PendingFlow | undefined>;
  putFlow(flow: PendingFlow): Promise<void>;
  /** Gives the flow and removes it: who comes second finds nothing. */
  takeFlow(by: { readonly stateHash: string } | { readonly id: string }): Promise<PendingFlow | undefined>;
  removeExpired(nowMs: number): Promise<void>;
  close(): Promise<void>;
}

/** What a caller needs to know to log in; the wire's own names (Bifrost, `extra_fields.mcp_auth_required`). */
export interface McpAuthRequired {
  readonly kind: 'oauth' | 'headers';
  readonly authorize_url?: string;
  readonly submit_url?: string;
  readonly mcp_client_id: string;
  readonly mcp_client_name: string;
  readonly session_id?: string;
  readonly message: string;
}
