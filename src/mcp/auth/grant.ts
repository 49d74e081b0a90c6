import { InvalidClientError, InvalidGrantError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { GatewayError } from '../../model/errors.ts';
import { CredentialError, reasonOf } from '../failures.ts';
import { later } from '../timing.ts';
import type { Challenge } from './discovery.ts';
import { holdsScopes, type Tokens } from './tokens.ts';

export interface GrantOptions {
  /** Of the MCP client, for messages. */
  readonly name: string;
  /** Gives the tokens kept, or why there are none. */
  readonly load: () => Promise<Tokens | CredentialError>;
  /** Asks the authorization server for new tokens. Throws what it answers. */
  readonly refresh: (refreshToken: string, scope: string | undefined) => Promise<Tokens>;
  readonly save: (tokens: Tokens) => Promise<void>;
  /** The login is over until a person renews it. `forgetClient`: the server does not know our registration either. */
  readonly ended: (why: string, details: { forgetClient: boolean; neededScope?: string }) => Promise<void>;
  /** Refreshes ahead of expiry, so that no call waits for it; otherwise when it is next used. */
  readonly inBackground: boolean;
  readonly now: () => number;
  readonly log: (message: string) => void;
}

/** Of a token's remaining life, this is kept back for its renewal; at most a minute. */
const LEAD_SHARE = 0.1;
const MAX_LEAD_MS = 60_000;
const BACKOFF_INITIAL_MS = 1_000;
const BACKOFF_MAX_MS = 300_000;
const LONGEST_WAIT_MS = 12 * 3_600_000;

/** The life of one login: its tokens, renewed by one request at a time, until the authorization server ends it. */
export class Grant {
  readonly #options: GrantOptions;
  #tokens: Tokens | undefined;
  #loading: Promise<Tokens> | undefined;
  #refreshing: Promise<Tokens> | undefined;
  #failures = 0;
  #nextTryMs = 0;
  #lastFailure: unknown;
  #timer: NodeJS.Timeout | undefined;
  #renewAtMs = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(options: GrantOptions) {
    this.#options = options;
  }

  /** A token that is good as far as its expiry tells. Throws CredentialError, or what keeps it from being renewed. */
  async accessToken(): Promise<string> {
    const tokens = this.#tokens ?? (await this.#loaded());
    if (!this.#isDue) return tokens.accessToken;
    const isExpired = this.#isExpired(tokens);
    if (!tokens.refreshToken) {
      if (isExpired) await this.#end('the token has expired, and the server gave none to renew it with');
      return tokens.accessToken;
    }
    // Until the last moment a failed renewal is no reason to stop.
    const renewed = await this.#refreshed(tokens, tokens.refreshToken).catch((thrown: unknown) => {
      if (thrown instanceof CredentialError || isExpired) throw thrown;
      return tokens;
    });
    return renewed.accessToken;
  }

  /** The server refused this token: gives another one to try, once. Throws where a person must act. */
  async afterRefusal(refused: string, status: number, challenge: Challenge): Promise<string> {
    const tokens = this.#tokens ?? (await this.#loaded());
    if (status === 403) return this.#stepUp(tokens, challenge);
    if (tokens.accessToken !== refused) return tokens.accessToken;
    if (!tokens.refreshToken) await this.#end('the server does not take the token any more');
    return (await this.#refreshed(tokens, tokens.refreshToken ?? '')).accessToken;
  }

  /** What was just renewed was refused as well. */
  async refusedAgain(): Promise<never> {
    return this.#end('the server refuses a token that was just renewed');
  }

  /** A person has logged in again, in whatever way; what was known before is out of date. */
  forget(): void {
    this.#tokens = undefined;
    this.#failures = 0;
    this.#nextTryMs = 0;
    clearTimeout(this.#timer);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  get #isDue(): boolean {
    return this.#options.now() >= this.#renewAtMs;
  }

  #isExpired({ expiresAtMs }: Tokens): boolean {
    return expiresAtMs !== undefined && this.#options.now() >= expiresAtMs;
  }

  #loaded(): Promise<Tokens> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #load(): Promise<Tokens> {
    const kept = await this.#options.load();
    if (kept instanceof CredentialError) throw kept;
    this.#hold(kept);
    return kept;
  }

  #hold(tokens: Tokens): void {
    const { now, inBackground } = this.#options;
    this.#tokens = tokens;
    clearTimeout(this.#timer);
    if (tokens.expiresAtMs === undefined) {
      this.#renewAtMs = Number.POSITIVE_INFINITY;
      return;
    }
    const leftMs = tokens.expiresAtMs - now();
    this.#renewAtMs = tokens.expiresAtMs - Math.min(MAX_LEAD_MS, Math.max(0, leftMs * LEAD_SHARE));
    if (inBackground && tokens.refreshToken) this.#renewIn(this.#renewAtMs - now());
  }

  #renewIn(delayMs: number): void {
    if (this.#closed) return;
    this.#timer = later(Math.min(Math.max(0, delayMs), LONGEST_WAIT_MS), () => this.#renewIfDue());
  }

  /** A timer may be early: by a fraction, or because the wait is longer than one may be. */
  #renewIfDue(): void {
    const leftMs = Math.max(this.#renewAtMs, this.#nextTryMs) - this.#options.now();
    if (leftMs > 0) this.#renewIn(Math.ceil(leftMs));
    // A failure was told when it happened; whoever calls next hears of it.
    else void this.accessToken().catch(() => undefined);
  }

  /** Single-flight; after a failure not before its pause is over. */
  #refreshed(tokens: Tokens, refreshToken: string): Promise<Tokens> {
    if (!this.#refreshing && this.#options.now() < this.#nextTryMs) return Promise.reject(this.#lastFailure);
    this.#refreshing ??= this.#refresh(tokens, refreshToken).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refresh(tokens: Tokens, refreshToken: string): Promise<Tokens> {
    const { refresh, save } = this.#options;
    let renewed: Tokens;
    try {
      const { scope } = tokens;
      renewed = { refreshToken, ...(scope && { scope }), ...(await refresh(refreshToken, scope)) };
    } catch (thrown) {
      return this.#refreshFailed(thrown);
    }
    this.#failures = 0;
    this.#hold(renewed);
    await save(renewed);
    return renewed;
  }

  /** Only the authorization server's own word ends a login; everything else is tried again (G12). */
  async #refreshFailed(thrown: unknown): Promise<never> {
    if (thrown instanceof InvalidGrantError) return this.#end('the authorization server has ended the login');
    if (thrown instanceof InvalidClientError) {
      return this.#end('the authorization server does not know this gateway any more', { forgetClient: true });
    }
    const { name, now, log } = this.#options;
    const pauseMs = Math.min(BACKOFF_INITIAL_MS * 2 ** this.#failures, BACKOFF_MAX_MS);
    this.#failures += 1;
    this.#nextTryMs = now() + pauseMs;
    if (this.#options.inBackground) this.#renewIn(pauseMs);
    log(`the login of MCP client ${name} could not be renewed, and is tried again: ${withoutBody(thrown)}`);
    this.#lastFailure = new GatewayError(
      'network',
      `the token for MCP client ${name} could not be renewed: ${withoutBody(thrown)}; it is tried again by itself`,
    );
    throw this.#lastFailure;
  }

  /** Asking a person again is of no use where what is wanted was asked for already. */
  async #stepUp({ scope: held }: Tokens, { scope: wanted, error }: Challenge): Promise<never> {
    const { name } = this.#options;
    if (wanted && !holdsScopes(held, wanted)) {
      return this.#end(`the server wants more than was granted (scopes ${wanted})`, { neededScope: wanted });
    }
    throw new GatewayError(
      'permission',
      `the MCP server of ${name} refuses what this login may do (${error ?? 'forbidden'}), though the scopes it names were granted; ask its owner for the right`,
    );
  }

  async #end(why: string, details: { forgetClient?: boolean; neededScope?: string } = {}): Promise<never> {
    this.forget();
    await this.#options.ended(why, { forgetClient: false, ...details });
    throw new CredentialError('needs_reauth', why);
  }
}

/** The SDK puts the whole answer into the text, where it is no error of OAuth: that may be anything. */
const withoutBody = (thrown: unknown): string =>
  reasonOf(thrown)
    .replace(/Raw body: .*$/s, '')
    .slice(0, 200);
