import { randomUUID } from 'node:crypto';
import type { GrantMode, GrantStore, StoredGrant } from '../../model/oauth-grants.ts';
import { OauthError } from './oauth-error.ts';
import { hashOf, newSecret } from './secrets.ts';

/** As whom somebody lets a client in. */
export interface Identity {
  readonly mode: GrantMode;
  readonly subject: string;
}

interface GrantedTo extends Identity {
  readonly clientId: string;
  readonly clientName: string;
  readonly scope: string;
  readonly resource: string;
}

/** What people have allowed, for as long as nobody revokes it. Which grants live is known without asking the store. */
export class Grants {
  readonly #store: GrantStore;
  readonly #now: () => number;
  readonly #alive: Set<string>;
  /** Called after each revocation. */
  onrevoked: (() => void) | undefined;

  private constructor(store: GrantStore, alive: readonly StoredGrant[], now: () => number) {
    this.#store = store;
    this.#now = now;
    this.#alive = new Set(alive.map(({ id }) => id));
  }

  static async open(store: GrantStore, now: () => number): Promise<Grants> {
    return new Grants(store, await store.grants(), now);
  }

  isAlive(id: string): boolean {
    return this.#alive.has(id);
  }

  list(): Promise<readonly StoredGrant[]> {
    return this.#store.grants();
  }

  async add(to: GrantedTo): Promise<{ readonly grant: StoredGrant; readonly refreshToken: string }> {
    const refreshToken = newSecret();
    const grant: StoredGrant = { id: randomUUID(), ...to, createdAtMs: this.#now(), lastUsedAtMs: null };
    await this.#store.addGrant(grant, hashOf(refreshToken));
    this.#alive.add(grant.id);
    return { grant, refreshToken };
  }

  /** The grant of a refresh token that was not renewed yet. Throws OauthError. */
  async of(refreshToken: string, clientId: string): Promise<StoredGrant> {
    const found = await this.#store.grantOf(hashOf(refreshToken));
    if (!found || found.grant.clientId !== clientId) throw unknownToken();
    if (found.isSpent) await this.#stolen(found.grant.id);
    return found.grant;
  }

  /** A new refresh token in the place of this one. Throws OauthError when somebody else was faster. */
  async renewed(grant: StoredGrant, refreshToken: string): Promise<string> {
    const next = newSecret();
    if (!(await this.#store.rotate(grant.id, hashOf(refreshToken), hashOf(next), this.#now()))) {
      await this.#stolen(grant.id);
    }
    return next;
  }

  /** Whose refresh token this is; undefined when it is nobody's. */
  async find(refreshToken: string): Promise<StoredGrant | undefined> {
    return (await this.#store.grantOf(hashOf(refreshToken)))?.grant;
  }

  /** False when there was no such grant any more. */
  async revoke(id: string): Promise<boolean> {
    if (this.#alive.delete(id)) this.onrevoked?.();
    return this.#store.revoke(id, this.#now());
  }

  /** A token came twice, so two have it, and nobody knows which of them is the thief (RFC 9700, section 4.14). */
  async #stolen(id: string): Promise<never> {
    await this.revoke(id);
    throw new OauthError('invalid_grant', 'the refresh token was used before: its grant is revoked, sign in again');
  }
}

const unknownToken = (): OauthError =>
  new OauthError('invalid_grant', 'the refresh token is not known, or its grant was revoked');
