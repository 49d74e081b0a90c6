import { randomBytes, randomUUID } from 'node:crypto';
import {
  exchangeAuthorization,
  refreshAuthorization,
  startAuthorization,
} from '@modelcontextprotocol/sdk/client/auth.js';
import { InvalidClientError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import type { OAuthClientInformationMixed } from '@modelcontextprotocol/sdk/shared/auth.js';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { type OauthConfig, oauthConfig } from '../../config/mcp-auth-section.ts';
import type { McpClientConfig } from '../../config/schema.ts';
import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import type { CredentialStore, PendingFlow, StoredOauthConfig } from '../../model/mcp-credentials.ts';
import { answerFetch } from './answer-fetch.ts';
import { type Discovered, discover } from './discovery.ts';
import { hashed } from './identity.ts';
import { clientFor } from './registration.ts';
import { type Tokens, tokensOf } from './tokens.ts';

/** How long a login may take, from its beginning to the way back (Bifrost). */
export const FLOW_LIFE_MS = 15 * 60_000;

export const CALLBACK_PATH = '/api/oauth/callback';
export const CLIENT_DOCUMENT_PATH = '/api/oauth/client-metadata.json';

/** What was found out and agreed on once for an MCP client, and is needed for as long as its tokens live. */
interface OauthSetup {
  readonly discovered: Discovered;
  readonly client: OAuthClientInformationMixed;
  readonly redirectUrl: string;
  /** The settings it was made from; under others it is made anew. */
  readonly from: string;
  /** A client of the API that is kept only when its login is complete. */
  readonly pendingClient?: JsonObject;
  readonly completed?: boolean;
}

export interface LoginRequest {
  /** With its id. */
  readonly config: McpClientConfig;
  readonly identity: string;
  /** Where the browser will come back: `http(s)://host[:port]`. */
  readonly base: string;
  /** Needed besides what was found out. */
  readonly scope?: string | undefined;
  readonly pendingClient?: JsonObject;
  /** Known only to the browser that began; it must be shown on the way back. */
  readonly browserSecret?: string;
}

export interface BegunLogin {
  readonly oauthConfigId: string;
  readonly authorizeUrl: string;
  readonly expiresAtMs: number;
}

export interface FinishedLogin {
  readonly mcpClientId: string;
  readonly identity: string;
  readonly oauthConfigId: string;
  readonly tokens: Tokens;
}

/** What the authorization server sends back through the browser. */
export interface Callback {
  readonly state?: string | undefined;
  readonly code?: string | undefined;
  readonly error?: string | undefined;
  readonly iss?: string | undefined;
  readonly browserSecret?: string | undefined;
}

export interface OauthLoginsOptions {
  readonly store: () => Promise<CredentialStore>;
  readonly fetch: FetchLike;
  /** The way to the server of a client that has one of its own (`tls_config`), and to whoever it logs in at. */
  readonly fetchOf?: ((config: McpClientConfig) => FetchLike) | undefined;
  readonly now: () => number;
}

/** Logins by OAuth 2.1 with PKCE: begun here, finished by the browser's way back. */
export class OauthLogins {
  readonly #options: OauthLoginsOptions;
  /** By the id of the MCP client. */
  readonly #networks = new Map<string, FetchLike>();

  constructor(options: OauthLoginsOptions) {
    this.#options = options;
  }

  /** Whatever is asked about this client's logins goes the way its server is reached, from now on. */
  goTheWayOf(config: McpClientConfig): void {
    const { fetchOf } = this.#options;
    if (fetchOf) this.#networks.set(idOf(config), fetchOf(config));
  }

  async begin(request: LoginRequest): Promise<BegunLogin> {
    const { config, base, scope: needed, pendingClient } = request;
    this.goTheWayOf(config);
    const store = await this.#options.store();
    const now = this.#options.now();
    await store.removeExpired(now);
    const setup = await this.#setupFor(request, store);
    const id = randomUUID();
    const expiresAtMs = now + FLOW_LIFE_MS;
    const kept: OauthSetup = { ...setup, ...(pendingClient && { pendingClient }) };
    const row = { id, mcpClientId: idOf(config), status: 'pending' as const, createdAtMs: now, expiresAtMs };
    await store.putOauthConfig({ ...row, secret: asJson(kept) });
    const { discovered, client } = setup;
    const state = randomBytes(32).toString('base64url');
    const scope = needed ?? discovered.scope;
    const { authorizationUrl, codeVerifier } = await startAuthorization(discovered.authorizationServerUrl, {
      ...(discovered.metadata && { metadata: discovered.metadata }),
      clientInformation: client,
      redirectUrl: callbackUrl(base),
      ...(scope && { scope }),
      state,
      ...(discovered.resource && { resource: discovered.resource }),
    });
    await store.putFlow(flowOf(request, { id, state, codeVerifier, scope, expiresAtMs }));
    return { oauthConfigId: id, authorizeUrl: authorizationUrl.href, expiresAtMs };
  }

  /** Exchanges the code. Each flow ends here, whatever comes of it. Throws GatewayError for the person to read. */
  async finish(callback: Callback): Promise<FinishedLogin> {
    const store = await this.#options.store();
    const flow = callback.state ? await store.takeFlow({ stateHash: hashed(callback.state) }) : undefined;
    const config = flow?.oauthConfigId ? await store.oauthConfig(flow.oauthConfigId) : undefined;
    if (!flow || !config || flow.expiresAtMs < this.#options.now()) throw refused(NO_FLOW);
    try {
      checkBrowser(flow, callback);
      const tokens = await this.#exchange(flow, config, callback);
      await store.putOauthConfig({ ...config, status: 'authorized' });
      return { mcpClientId: flow.mcpClientId, identity: flow.identity, oauthConfigId: config.id, tokens };
    } catch (thrown) {
      await store.putOauthConfig({ ...config, status: 'failed', secret: withoutClient(config.secret, thrown) });
      throw thrown;
    }
  }

  /** New tokens from the server that gave the old ones, under the registration that they were given to. */
  async refresh(oauthConfigId: string, refreshToken: string, scope: string | undefined): Promise<Tokens> {
    const config = await (await this.#options.store()).oauthConfig(oauthConfigId);
    const setup = config && setupFrom(config.secret);
    if (!setup) throw new InvalidClientError('the registration of this gateway is not known any more');
    const { discovered, client } = setup;
    const answer = await refreshAuthorization(discovered.authorizationServerUrl, {
      ...serverOf(discovered),
      clientInformation: client,
      refreshToken,
      fetchFn: answerFetch(this.#networkOf(config.mcpClientId)),
    });
    return tokensOf(answer, scope, this.#options.now());
  }

  /** The next login registers anew. */
  async forgetClient(oauthConfigId: string): Promise<void> {
    const store = await this.#options.store();
    const config = await store.oauthConfig(oauthConfigId);
    if (config)
      await store.putOauthConfig({ ...config, status: 'revoked', secret: { ...config.secret, client: null } });
  }

  async #exchange(flow: PendingFlow, config: StoredOauthConfig, callback: Callback): Promise<Tokens> {
    const setup = setupFrom(config.secret);
    const { codeVerifier, redirectUrl, scope } = flow.secret;
    if (!setup || typeof codeVerifier !== 'string') throw refused(NO_FLOW);
    const { discovered, client } = setup;
    if (callback.error) throw refused(`the authorization server refused (${callback.error.slice(0, 100)})`);
    // Mix-up: an answer of another server must not be taken to this one (RFC 9207).
    const issuer = discovered.metadata?.issuer;
    if (callback.iss && issuer && callback.iss !== issuer) throw refused('another authorization server has answered');
    if (!callback.code) throw refused('the authorization server gave no code');
    try {
      const answer = await exchangeAuthorization(discovered.authorizationServerUrl, {
        ...serverOf(discovered),
        clientInformation: client,
        authorizationCode: callback.code,
        codeVerifier,
        redirectUri: String(redirectUrl),
        fetchFn: answerFetch(this.#networkOf(config.mcpClientId)),
      });
      return tokensOf(answer, typeof scope === 'string' ? scope : undefined, this.#options.now());
    } catch (cause) {
      const reason = cause instanceof Error && 'errorCode' in cause ? String(cause.errorCode) : 'no usable answer';
      throw refused(`the authorization server gave no token (${reason})`, cause);
    }
  }

  /** What was agreed on before, as long as it holds for the way back and the settings. */
  async #setupFor({ config, base }: LoginRequest, store: CredentialStore): Promise<OauthSetup> {
    const oauth: OauthConfig = config.oauth_config ?? oauthConfig.parse({});
    const from = hashed(JSON.stringify([config.connection_string?.value, oauth]));
    const redirectUrl = callbackUrl(base);
    const network = this.#networkOf(idOf(config));
    const discovered = await discover(new URL(config.connection_string?.value ?? ''), oauth, network);
    const last = await store.oauthConfigOf(idOf(config));
    const known = last && setupFrom(last.secret);
    const isSame =
      known?.from === from && known.redirectUrl === redirectUrl && !isOver(known.client, this.#options.now());
    const isSameServer = known?.discovered.authorizationServerUrl === discovered.authorizationServerUrl;
    const documentUrl = `${base}${CLIENT_DOCUMENT_PATH}`;
    const client =
      known && isSame && isSameServer
        ? known.client
        : await clientFor({ discovered, oauth, redirectUrl, documentUrl, fetch: answerFetch(network) });
    return { discovered, client, redirectUrl, from };
  }

  #networkOf(mcpClientId: string): FetchLike {
    return this.#networks.get(mcpClientId) ?? this.#options.fetch;
  }
}

export const callbackUrl = (base: string): string => `${base}${CALLBACK_PATH}`;

/** Undefined where there is none, or where it was forgotten. */
export function setupFrom(secret: JsonObject): OauthSetup | undefined {
  // written by `OauthLogins` only
  return isObject(secret.client) ? (secret as unknown as OauthSetup) : undefined;
}

const NO_FLOW = 'this login is not known, was used already, or took longer than 15 minutes';

const refused = (why: string, cause?: unknown): GatewayError =>
  new GatewayError('invalid-request', `the login did not succeed: ${why}; begin it again`, { cause });

const idOf = ({ client_id: id }: McpClientConfig): string => id ?? '';

const serverOf = ({ metadata, resource }: Discovered) => ({
  ...(metadata && { metadata }),
  // as the server writes it: a URL object would add a slash, which strict servers refuse
  ...(resource && { resource: resource }),
});

function flowOf(
  { config, identity, base, browserSecret }: LoginRequest,
  begun: { id: string; state: string; codeVerifier: string; scope: string | undefined; expiresAtMs: number },
): PendingFlow {
  const { id, state, codeVerifier, scope, expiresAtMs } = begun;
  return {
    id: randomUUID(),
    kind: 'oauth',
    mcpClientId: idOf(config),
    identity,
    oauthConfigId: id,
    stateHash: hashed(state),
    expiresAtMs,
    secret: {
      codeVerifier,
      redirectUrl: callbackUrl(base),
      ...(scope && { scope }),
      ...(browserSecret && { browserHash: hashed(browserSecret) }),
    },
  };
}

function checkBrowser({ secret }: PendingFlow, { browserSecret }: Callback): void {
  if (secret.browserHash === undefined) return;
  if (browserSecret && hashed(browserSecret) === secret.browserHash) return;
  throw refused('it was begun in another browser');
}

/** A registration has an end where the server says so (RFC 7591, client_secret_expires_at; 0 = never). */
const isOver = (client: OAuthClientInformationMixed, nowMs: number): boolean =>
  Boolean(client.client_secret_expires_at) && (client.client_secret_expires_at ?? 0) * 1_000 <= nowMs;

const withoutClient = (secret: JsonObject, thrown: unknown): JsonObject =>
  thrown instanceof GatewayError && thrown.cause instanceof InvalidClientError ? { ...secret, client: null } : secret;

const asJson = (setup: OauthSetup): JsonObject => JSON.parse(JSON.stringify(setup)) as JsonObject;
