import type { JsonObject } from './json.ts';

/** What the gateway keeps as the authorization server of its own /mcp. Of secrets only hashes; the signing key sealed. */

export type ClientAuthMethod = 'none' | 'client_secret_basic' | 'client_secret_post';

/** A program that may ask for tokens. */
export interface RegisteredClient {
  readonly clientId: string;
  /** What it calls itself. */
  readonly name: string;
  readonly redirectUris: readonly string[];
  readonly authMethod: ClientAuthMethod;
  readonly secretHash: string | null;
  readonly createdAtMs: number;
}

/** As whom a grant lets its client in: the holder of a virtual key (by its id), or nobody in particular. */
export type GrantMode = 'vk' | 'session';

/** What somebody has allowed a client, until it is revoked. */
export interface StoredGrant {
  readonly id: string;
  readonly clientId: string;
  readonly clientName: string;
  readonly mode: GrantMode;
  readonly subject: string;
  readonly scope: string;
  /** The address that its tokens are good for, and what is below it. */
  readonly resource: string;
  readonly createdAtMs: number;
  readonly lastUsedAtMs: number | null;
}

export interface GrantStore {
  /** Sealed on the disk where an encryption key is set. */
  secret(name: string): Promise<JsonObject | undefined>;
  /** Keeps it unless there is one; gives the one that is kept. */
  keepSecret(name: string, value: JsonObject): Promise<JsonObject>;
  client(clientId: string): Promise<RegisteredClient | undefined>;
  /** Beyond `maxIdle` clients without a grant the oldest of them goes. */
  addClient(client: RegisteredClient, maxIdle: number): Promise<void>;
  /** Those that were not revoked, the newest first. */
  grants(): Promise<readonly StoredGrant[]>;
  addGrant(grant: StoredGrant, refreshHash: string): Promise<void>;
  /** Whose refresh token this is, or was before it was renewed. Not of revoked grants. */
  grantOf(refreshHash: string): Promise<{ readonly grant: StoredGrant; readonly isSpent: boolean } | undefined>;
  /** Puts a new refresh token in the place of a good one; false when that has been spent already. */
  rotate(grantId: string, refreshHash: string, nextHash: string, nowMs: number): Promise<boolean>;
  /** False when there is no such grant any more. */
  revoke(grantId: string, nowMs: number): Promise<boolean>;
  close(): Promise<void>;
}
