import { randomBytes, randomUUID } from 'node:crypto';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { McpClientConfig } from '../../config/schema.ts';
import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import type {
  CredentialState,
  CredentialStore,
  McpAuthRequired,
  PendingFlow,
  StoredCredential,
} from '../../model/mcp-credentials.ts';
import { CredentialError } from '../failures.ts';
import { type CredentialSource, credentialFetch } from './credential-fetch.ts';
import { Grant } from './grant.ts';
import { isPerUser, SHARED, usesOauth } from './identity.ts';
import { type FinishedLogin, FLOW_LIFE_MS, OauthLogins } from './oauth-logins.ts';
import { joinedScopes, type Tokens, tokensFrom } from './tokens.ts';

export interface UpstreamAuthOptions {
  /** Opened on first use: most gateways have no login to keep. */
  readonly store: () => Promise<CredentialStore>;
  readonly fetch: FetchLike;
  /** The way to the server of a client that has one of its own (`tls_config`). */
  readonly fetchOf?: (config: McpClientConfig) => FetchLike;
  readonly log: (message: string) => void;
  readonly now?: () => number;
}

/** A login of one MCP client. */
interface LoginOf {
  readonly config: McpClientConfig;
  readonly identity: string;
}

/** The page on which a caller logs in, or submits headers (Bifrost). */
export const LOGIN_PATH = '/workspace/mcp-sessions/auth';

/** The logins of all MCP clients: kept, renewed, shown to their servers, and asked for where they are missing. */
export class UpstreamAuth {
  readonly logins: OauthLogins;
  readonly #options: UpstreamAuthOptions;
  readonly #now: () => number;
  readonly #grants = new Map<string, Grant>();
  readonly #openFlows = new Map<string, { id: string; expiresAtMs: number }>();

  constructor(options: UpstreamAuthOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    const { store, fetch, fetchOf } = options;
    this.logins = new OauthLogins({ store, fetch, fetchOf, now: this.#now });
  }

  store(): Promise<CredentialStore> {
    return this.#options.store();
  }

  /** A fetch that shows this login to the client's server, and to nobody else. */
  fetchFor(login: LoginOf, fetch: FetchLike): FetchLike {
    const { config } = login;
    this.logins.goTheWayOf(config);
    const source = usesOauth(config) ? this.#tokenSource(login) : this.#headerSource(login);
    return withSource(config, source, fetch);
  }

  /** Why a person must act before this login can be used; undefined when it can. */
  async missing(login: LoginOf): Promise<CredentialError | undefined> {
    const kept = await (await this.store()).credential(idOf(login.config), login.identity);
    return faultOf(login, kept);
  }

  /** Keeps what a login gave; whoever uses it next has it. */
  async took({ mcpClientId, identity, oauthConfigId, tokens }: FinishedLogin): Promise<void> {
    await this.#keep(mcpClientId, identity, 'oauth', { ...tokens, oauthConfigId }, tokens.expiresAtMs ?? null);
    this.#grants.get(keyOf(mcpClientId, identity))?.forget();
  }

  async tookHeaders({ config, identity }: LoginOf, values: Readonly<Record<string, string>>): Promise<void> {
    await this.#keep(idOf(config), identity, 'headers', { values: { ...values } }, null);
  }

  /** The scopes that the next login must ask for, where what was granted did not do. */
  async neededScope({ config, identity }: LoginOf): Promise<string | undefined> {
    const kept = await (await this.store()).credential(idOf(config), identity);
    const { scope, neededScope } = kept?.secret ?? {};
    if (typeof neededScope !== 'string') return undefined;
    return joinedScopes(typeof scope === 'string' ? scope : undefined, neededScope);
  }

  /** The refusal of a caller who has to log in first, with the address of the page for it. */
  async required({ config, identity }: LoginOf, base: string): Promise<GatewayError> {
    const flow = await this.#openFlow({ config, identity });
    const isOauth = usesOauth(config);
    const url = `${base}${LOGIN_PATH}?flow=${flow}${isOauth ? '' : '&kind=headers'}`;
    const purpose = isOauth ? 'to connect your account' : 'to submit the required headers';
    const message = `Authentication required for ${config.name}. Open this URL ${purpose}: ${url}`;
    const mcpAuthRequired: McpAuthRequired = {
      kind: isOauth ? 'oauth' : 'headers',
      ...(isOauth ? { authorize_url: url } : { submit_url: url }),
      mcp_client_id: idOf(config),
      mcp_client_name: config.name,
      session_id: flow,
      message,
    };
    return new GatewayError('authentication', message, { status: 401, mcpAuthRequired });
  }

  /** A flow that a page may still be shown for. */
  async openFlow(id: string): Promise<PendingFlow | undefined> {
    const flow = await (await this.store()).flow(id);
    return flow && flow.stateHash === null && flow.expiresAtMs >= this.#now() ? flow : undefined;
  }

  async closeFlow(id: string): Promise<void> {
    await (await this.store()).takeFlow({ id });
    for (const [key, flow] of this.#openFlows) if (flow.id === id) this.#openFlows.delete(key);
  }

  /** Every login of a client must be renewed: what it was made with has changed. */
  async endLogins(mcpClientId: string): Promise<void> {
    for (const [key, grant] of this.#grants) if (key.startsWith(`${mcpClientId} `)) grant.forget();
    const store = await this.store();
    for (const kept of await store.credentialsOf(mcpClientId)) {
      await store.putCredential({ ...kept, state: 'needs_reauth', updatedAtMs: this.#now() });
    }
  }

  /** Ends every login of a client that was removed. */
  async forgetClient(mcpClientId: string): Promise<void> {
    for (const [key, grant] of this.#grants) {
      if (!key.startsWith(`${mcpClientId} `)) continue;
      grant.close();
      this.#grants.delete(key);
    }
    await (await this.store()).removeCredentialsOf(mcpClientId);
  }

  close(): void {
    for (const grant of this.#grants.values()) grant.close();
  }

  async #openFlow({ config, identity }: LoginOf): Promise<string> {
    const key = keyOf(idOf(config), identity);
    const known = this.#openFlows.get(key);
    // Half of its life is left to whoever reads the address now.
    if (known && known.expiresAtMs - this.#now() > FLOW_LIFE_MS / 2) return known.id;
    const flow: PendingFlow = {
      id: randomBytes(24).toString('base64url'),
      kind: usesOauth(config) ? 'oauth' : 'headers',
      mcpClientId: idOf(config),
      identity,
      oauthConfigId: null,
      stateHash: null,
      secret: {},
      expiresAtMs: this.#now() + FLOW_LIFE_MS,
    };
    const store = await this.store();
    await store.removeExpired(this.#now());
    await store.putFlow(flow);
    this.#openFlows.set(key, { id: flow.id, expiresAtMs: flow.expiresAtMs });
    return flow.id;
  }

  #tokenSource(login: LoginOf): CredentialSource {
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
    const grant = this.#grantFor(login);
    return {
      headers: async () => bearer(await grant.accessToken()),
      afterRefusal: async ({ authorization = '' }, status, challenge) =>
        bearer(await grant.afterRefusal(authorization.slice('Bearer '.length), status, challenge)),
      refusedAgain: () => grant.refusedAgain(),
    };
  }

  #headerSource(login: LoginOf): CredentialSource {
    const refuse = async (): Promise<never> => {
      await this.#setState(login, 'needs_reauth');
      throw new CredentialError('needs_reauth', 'the server refuses the submitted headers');
    };
    return {
      headers: async () => {
        const kept = await (await this.store()).credential(idOf(login.config), login.identity);
        const fault = faultOf(login, kept);
        if (fault) throw fault;
        return headerValues(kept?.secret);
      },
      afterRefusal: refuse,
      refusedAgain: refuse,
    };
  }

  #grantFor(login: LoginOf): Grant {
    const { config, identity } = login;
    const key = keyOf(idOf(config), identity);
    const grant = this.#grants.get(key) ?? this.#newGrant(login);
    this.#grants.set(key, grant);
    return grant;
  }

  #newGrant(login: LoginOf): Grant {
    const { config, identity } = login;
    const id = idOf(config);
    let oauthConfigId = '';
    return new Grant({
      name: config.name,
      inBackground: identity === SHARED,
      now: this.#now,
      log: this.#options.log,
      load: async () => {
        const kept = await (await this.store()).credential(id, identity);
        const tokens = kept && tokensFrom(kept.secret);
        if (typeof kept?.secret.oauthConfigId === 'string') oauthConfigId = kept.secret.oauthConfigId;
        return faultOf(login, kept) ?? tokens ?? awaited(login);
      },
      refresh: (refreshToken, scope) => this.logins.refresh(oauthConfigId, refreshToken, scope),
      save: (tokens: Tokens) =>
        this.#keep(id, identity, 'oauth', { ...tokens, oauthConfigId }, tokens.expiresAtMs ?? null),
      ended: async (_why, { forgetClient, neededScope }) => {
        if (forgetClient) await this.logins.forgetClient(oauthConfigId);
        await this.#setState(login, 'needs_reauth', neededScope ? { neededScope } : {});
      },
    });
  }

  async #keep(
    mcpClientId: string,
    identity: string,
    kind: StoredCredential['kind'],
    secret: JsonObject,
    expiresAtMs: number | null,
  ): Promise<void> {
    const store = await this.store();
    const now = this.#now();
    const row = { id: randomUUID(), mcpClientId, identity, kind, state: 'active' as const, secret, expiresAtMs };
    await store.putCredential({ ...row, createdAtMs: now, updatedAtMs: now });
  }

  async #setState({ config, identity }: LoginOf, state: CredentialState, more: JsonObject = {}): Promise<void> {
    const store = await this.store();
    const kept = await store.credential(idOf(config), identity);
    if (!kept) return;
    await store.putCredential({ ...kept, state, secret: { ...kept.secret, ...more }, updatedAtMs: this.#now() });
  }
}

export function withSource(config: McpClientConfig, source: CredentialSource, fetch: FetchLike): FetchLike {
  const address = config.connection_string?.value ?? '';
  const origin = URL.canParse(address) ? new URL(address).origin : '';
  return credentialFetch({ fetch, source, origin, isSse: config.connection_type === 'sse' });
}

/** Values to try, before they are kept. */
export const sampleSource = (values: Readonly<Record<string, string>>): CredentialSource => {
  const refuse = () => Promise.reject(new GatewayError('authentication', 'the server refuses these headers'));
  return { headers: async () => values, afterRefusal: refuse, refusedAgain: refuse };
};

export const idOf = ({ client_id: id }: McpClientConfig): string => id ?? '';

const keyOf = (mcpClientId: string, identity: string): string => `${mcpClientId} ${identity}`;

const awaited = ({ config }: LoginOf): CredentialError =>
  new CredentialError(
    'pending_verification',
    isPerUser(config) && !usesOauth(config) ? 'no headers were submitted yet' : 'nobody has logged in yet',
  );

function faultOf(login: LoginOf, kept: StoredCredential | undefined): CredentialError | undefined {
  if (!kept) return awaited(login);
  if (kept.state !== 'active') return new CredentialError('needs_reauth', 'the login has ended and must be renewed');
  if (kept.kind !== 'headers') return undefined;
  const values = headerValues(kept.secret);
  const lacking = login.config.per_user_header_keys?.filter((name) => !values[name]) ?? [];
  if (lacking.length === 0) return undefined;
  return new CredentialError('needs_reauth', `values are missing for ${lacking.join(', ')}`);
}

function headerValues(secret: JsonObject | undefined): Readonly<Record<string, string>> {
  const values = isObject(secret?.values) ? Object.entries(secret.values) : [];
  return Object.fromEntries(values.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
}

/** What a page or the API was given for the required headers. Throws GatewayError with Bifrost's text. */
export function checkedHeaders(keys: readonly string[], given: JsonObject, which = ''): Record<string, string> {
  const byName = new Map(Object.entries(given).map(([name, value]) => [name.trim().toLowerCase(), value]));
  const values = keys.map((key) => [key, byName.get(key)] as const);
  const missing = values.filter(([, value]) => typeof value !== 'string' || value.trim() === '').map(([key]) => key);
  if (missing.length > 0) {
    const message = `${which}user_headers missing values for required keys: ${missing.join(', ')}`;
    throw new GatewayError('invalid-request', message, { status: 400 });
  }
  const broken = values.find(([, value]) => /[\r\n\0]/.test(String(value)));
  if (broken) throw new GatewayError('invalid-request', `the value of ${broken[0]} holds a line break`);
  return Object.fromEntries(values.map(([key, value]) => [key, String(value).trim()]));
}

/** For a browser: what ties the way back to it. */
export const newBrowserSecret = (): string => randomBytes(24).toString('base64url');
