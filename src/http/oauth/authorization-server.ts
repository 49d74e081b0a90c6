import { createHash, randomUUID } from 'node:crypto';
import type { VirtualKeys } from '../../governance/virtual-keys.ts';
import type { Caller } from '../../model/call.ts';
import { asGatewayError } from '../../model/errors.ts';
import type { JsonObject } from '../../model/json.ts';
import type { GrantMode, GrantStore, RegisteredClient, StoredGrant } from '../../model/oauth-grants.ts';
import { AccessTokens } from './access-tokens.ts';
import { covers, namedResource } from './addresses.ts';
import { type AuthorizationRequest, authorizationRequest } from './authorization-request.ts';
import { authenticatedClient, type Claimant } from './client-authentication.ts';
import { type ClientDocuments, isDocumentUrl } from './client-documents.ts';
import { registered } from './client-registration.ts';
import { Expiring } from './expiring.ts';
import { Grants, type Identity } from './grants.ts';
import { OauthError } from './oauth-error.ts';
import { withParameters } from './redirect-uris.ts';
import { hashOf, newSecret } from './secrets.ts';
import { openSigningKey, type SigningKey } from './signing-key.ts';

export interface AuthorizationServerOptions {
  readonly store: GrantStore;
  readonly keys: VirtualKeys;
  readonly codeLifeMs: number;
  readonly tokenLifeMs: number;
  /** As whom people may sign in. */
  readonly modes: readonly GrantMode[];
  /** Clients that are known by an address; absent where each must register. */
  readonly documents?: ClientDocuments | undefined;
  readonly now?: () => number;
}

/** What waits for a person to say yes. */
export interface PendingConsent {
  readonly id: string;
  readonly request: AuthorizationRequest;
  /** Known to the browser alone in which the page was opened. */
  readonly browserSecret: string;
  tries: number;
}

/** A yes, and what came of it once its client has fetched it. */
interface Code {
  readonly request: AuthorizationRequest;
  readonly identity: Identity;
  use?: ReturnType<Grants['add']>;
}

/** A form or a query, and the header in which a client may say who it is. */
interface TokenRequest {
  readonly form: URLSearchParams;
  readonly authorization: string | undefined;
  readonly issuer: string;
}

const MOST_PENDING = 10_000;
/** Anybody may register. */
const MOST_IDLE_CLIENTS = 1_000;
/** Of one consent page, for who has the wrong key in the clipboard. */
const MOST_TRIES = 5;
/** RFC 7636, section 4.1. */
const VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/;

/** The gateway as the OAuth 2.1 authorization server of its own /mcp. */
export class AuthorizationServer {
  readonly grants: Grants;
  readonly jwks: JsonObject;
  readonly modes: readonly GrantMode[];
  readonly #options: AuthorizationServerOptions;
  readonly #now: () => number;
  readonly #tokens: AccessTokens;
  readonly #pending: Expiring<PendingConsent>;
  readonly #codes: Expiring<Code>;

  private constructor(options: AuthorizationServerOptions, grants: Grants, key: SigningKey) {
    const { now = Date.now } = options;
    this.#options = options;
    this.#now = now;
    this.grants = grants;
    this.modes = options.modes;
    this.jwks = { keys: [key.jwk] };
    this.#tokens = new AccessTokens(key, now);
    this.#pending = new Expiring(MOST_PENDING, now);
    this.#codes = new Expiring(MOST_PENDING, now);
  }

  /** Throws GatewayError when the kept key cannot be read. */
  static async open(options: AuthorizationServerOptions): Promise<AuthorizationServer> {
    const { store, now = Date.now } = options;
    return new AuthorizationServer(options, await Grants.open(store, now), await openSigningKey(store));
  }

  async close(): Promise<void> {
    await this.#options.documents?.close();
    await this.#options.store.close();
  }

  /** Whether clients may be known by the address of a document. */
  get readsDocuments(): boolean {
    return this.#options.documents !== undefined;
  }

  async register(body: unknown): Promise<JsonObject> {
    const { client, answer } = registered(body, this.#now());
    await this.#options.store.addClient(client, MOST_IDLE_CLIENTS);
    return answer;
  }

  /** A consent page for what a client asks. Throws OauthError, RedirectedError where the client is to hear of it. */
  async begin(query: URLSearchParams, issuer: string, browserSecret: string): Promise<PendingConsent> {
    const request = await authorizationRequest(query, issuer, (id) => this.#clientOf(id));
    const pending: PendingConsent = { id: newSecret(), request, browserSecret, tries: 0 };
    this.#pending.put(pending.id, pending, this.#now() + this.#options.codeLifeMs);
    return pending;
  }

  pending(id: string): PendingConsent | undefined {
    return this.#pending.get(id);
  }

  /** Where to send the browser after a yes. Throws GatewayError when the key that was pasted is not good. */
  allow({ id, request }: PendingConsent, mode: GrantMode, pastedKey: string): string {
    const pending = this.#pending.get(id);
    if (!pending || !this.modes.includes(mode)) throw new OauthError('invalid_request', 'this cannot be chosen');
    pending.tries += 1;
    if (pending.tries >= MOST_TRIES) this.#pending.take(id);
    const identity: Identity = { mode, subject: mode === 'vk' ? this.#keyId(pastedKey) : randomUUID() };
    this.#pending.take(id);
    const code = newSecret();
    this.#codes.put(hashOf(code), { request, identity }, this.#now() + this.#options.codeLifeMs);
    const { redirectUri, state, issuer } = request;
    return withParameters(redirectUri, { code, state, iss: issuer });
  }

  /** Where to send the browser after a no. */
  deny({ id, request }: PendingConsent): string {
    this.#pending.take(id);
    const { redirectUri, state, issuer } = request;
    const told = { error: 'access_denied', error_description: 'the request was denied' };
    return withParameters(redirectUri, { ...told, state, iss: issuer });
  }

  /** The token endpoint. Throws OauthError. */
  async token(asked: TokenRequest): Promise<JsonObject> {
    const client = await authenticatedClient(asked.form, asked.authorization, (id) => this.#claimantOf(id));
    switch (asked.form.get('grant_type')) {
      case 'authorization_code':
        return this.#exchanged(asked, client);
      case 'refresh_token':
        return this.#refreshed(asked, client);
      default:
        throw new OauthError('unsupported_grant_type', 'grant_type must be authorization_code or refresh_token');
    }
  }

  /** RFC 7009: who revokes one token of a grant is done with all of it. */
  async revoke({ form, authorization }: TokenRequest): Promise<void> {
    const client = await authenticatedClient(form, authorization, (id) => this.#claimantOf(id));
    const token = form.get('token') ?? '';
    const grant = (await this.grants.find(token)) ?? (await this.#grantOfAccessToken(token));
    if (grant?.clientId === client.clientId) await this.grants.revoke(grant.id);
  }

  /**
   * The caller as whoever allowed this token. Throws OauthError when the token is not good here, GatewayError when the
   * virtual key behind it is not.
   */
  admitted(token: string, resource: string, issuer: string, caller: Caller): Caller {
    const { audience, issuer: issuedBy, grantId, mode, subject } = this.#tokens.checked(token);
    if (issuedBy !== issuer || !covers(audience, resource)) throw refused('the token was issued for another address');
    if (!this.grants.isAlive(grantId)) throw refused('the grant of the token was revoked');
    if (!this.modes.includes(mode)) throw refused(NO_LONGER[mode]);
    if (mode === 'session') return { ...caller, mcpSessionId: subject };
    const key = this.#options.keys.byId(subject);
    if (!key) throw refused('the virtual key of the token is gone');
    return this.#options.keys.as(key, caller);
  }

  /** Whether the grant of a token that was admitted still lets its holder in. */
  standing(token: string): () => boolean {
    const read = this.#tokens.read(token);
    return () => read !== undefined && this.grants.isAlive(read.grantId) && this.#holderFault(read) === undefined;
  }

  /** The name that an admin knows a grant's holder by. */
  subjectName({ mode, subject }: StoredGrant): string | undefined {
    return mode === 'vk' ? this.#options.keys.byId(subject)?.name : undefined;
  }

  #keyId(pasted: string): string {
    const { keyOwner } = this.#options.keys.identified({ virtualKey: pasted, forwardHeaders: {} });
    return keyOwner?.id ?? '';
  }

  #clientOf(id: string): Promise<RegisteredClient | undefined> {
    const { documents, store } = this.#options;
    return documents && isDocumentUrl(id) ? documents.client(id) : store.client(id);
  }

  /**
   * Who shows a code or a token. A client of a document has no secret: its id says all that there is to know, and what
   * it was given does not depend on whether its document can be reached again.
   */
  async #claimantOf(id: string): Promise<Claimant | undefined> {
    const { documents, store } = this.#options;
    return documents && isDocumentUrl(id) ? { clientId: id, secretHash: null } : store.client(id);
  }

  async #exchanged({ form, issuer }: TokenRequest, { clientId }: Claimant): Promise<JsonObject> {
    const code = this.#codes.get(hashOf(form.get('code') ?? ''));
    if (!code) throw new OauthError('invalid_grant', 'the code is not known, or too old');
    const { request, identity } = code;
    if (request.client.clientId !== clientId) throw new OauthError('invalid_grant', 'the code is not for this client');
    checkProof(form, request);
    // Whoever comes second with a code may be the one it was meant for: what the first got is taken back.
    if (code.use) {
      await this.grants.revoke((await code.use).grant.id);
      throw new OauthError('invalid_grant', 'the code was used before: what it gave is revoked');
    }
    const { resource, scope, client } = request;
    code.use = this.grants.add({ ...identity, clientId, clientName: client.name, resource, scope });
    const { grant, refreshToken } = await code.use;
    return this.#answer(grant, refreshToken, issuer);
  }

  async #refreshed({ form, issuer }: TokenRequest, { clientId }: Claimant): Promise<JsonObject> {
    const refreshToken = form.get('refresh_token') ?? '';
    const grant = await this.grants.of(refreshToken, clientId);
    requireSameResource(form, grant.resource, issuer);
    const fault = this.#holderFault(grant);
    if (fault !== undefined) throw new OauthError('invalid_grant', fault);
    return this.#answer(grant, await this.grants.renewed(grant, refreshToken), issuer);
  }

  /** Why the holder of a grant may not use it any more. */
  #holderFault({ mode, subject }: Identity): string | undefined {
    if (!this.modes.includes(mode)) return NO_LONGER[mode];
    if (mode === 'session') return undefined;
    const { keys } = this.#options;
    const key = keys.byId(subject);
    if (!key) return 'the virtual key of the grant is gone';
    try {
      keys.as(key, { forwardHeaders: {} });
      return undefined;
    } catch (thrown) {
      return asGatewayError(thrown).message;
    }
  }

  #answer(grant: StoredGrant, refreshToken: string, issuer: string): JsonObject {
    const { tokenLifeMs } = this.#options;
    return {
      access_token: this.#tokens.issue(grant, issuer, tokenLifeMs),
      token_type: 'Bearer',
      expires_in: Math.floor(tokenLifeMs / 1_000),
      refresh_token: refreshToken,
      scope: grant.scope,
    };
  }

  async #grantOfAccessToken(token: string): Promise<StoredGrant | undefined> {
    try {
      const { grantId } = this.#tokens.checked(token);
      return (await this.grants.list()).find(({ id }) => id === grantId);
    } catch {
      // not one of ours, or over: there is nothing to revoke (RFC 7009, section 2.2)
      return undefined;
    }
  }
}

/** Why grants of a kind that may not be chosen any more are refused (Bifrost's words). */
const NO_LONGER: Readonly<Record<GrantMode, string>> = {
  vk: 'virtual-key identity is no longer accepted; re-authenticate',
  session:
    'authentication required; session-mode tokens are not accepted when authentication is enforced - re-authenticate with a virtual key or user identity',
};

/** What shows that a code is fetched by whom it was asked for. */
function checkProof(form: URLSearchParams, request: AuthorizationRequest): void {
  if (form.get('redirect_uri') !== request.redirectUri) {
    throw new OauthError('invalid_grant', 'the redirect_uri is not the one that the code was sent to');
  }
  const verifier = form.get('code_verifier') ?? '';
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  if (!VERIFIER.test(verifier) || challenge !== request.codeChallenge) {
    throw new OauthError('invalid_grant', 'the code_verifier does not match the code_challenge');
  }
  requireSameResource(form, request.resource, request.issuer);
}

function requireSameResource(form: URLSearchParams, resource: string, issuer: string): void {
  const asked = form.get('resource');
  if (asked === null || namedResource(asked, issuer) === resource) return;
  throw new OauthError('invalid_target', `the grant is for ${resource}`);
}

const refused = (why: string): OauthError => new OauthError('invalid_token', why, 401);
