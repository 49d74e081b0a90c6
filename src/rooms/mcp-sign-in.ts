import { ConfigError } from '../config/config-error.ts';
import type { Config } from '../config/load.ts';
import type { VirtualKeys } from '../governance/virtual-keys.ts';
import type { OauthRoutes } from '../http/oauth/routes.ts';
import type { Log } from '../logs/process-log.ts';
import type { AddressRules } from '../mcp/address-guard.ts';
import { asGatewayError } from '../model/errors.ts';
import type { GrantMode } from '../model/oauth-grants.ts';

/** The gateway as the authorization server of its own /mcp. */
export interface SignIn extends OauthRoutes {
  close(): Promise<void>;
}

/** Undefined where the config lets nobody sign in. Throws ConfigError, also when the kept key cannot be read. */
export async function openSignIn(config: Config, keys: VirtualKeys, log: Log): Promise<SignIn | undefined> {
  const { client, config_store: kept, encryption_key: key } = config;
  const { mcp_server_auth_mode: mode, oauth2_server_config: settings } = client;
  if (mode === 'headers') return undefined;
  const { path } = kept.config;
  if (!key) log('warn', `the key that signs tokens of /mcp is kept in plain text in ${path}; set encryption_key`);
  const modes = modesOf(config);
  if (modes.includes('session')) {
    log(
      'warn',
      'whoever opens the consent page of /mcp may sign in without a virtual key; enforce_auth_on_inference ends that',
    );
  }
  // nobody who does without logins pays for them
  const [{ openGrantStore }, { AuthorizationServer }, { ClientDocuments }] = await Promise.all([
    import('../stores/grant-store.ts'),
    import('../http/oauth/authorization-server.ts'),
    import('../http/oauth/client-documents.ts'),
  ]);
  const issuerUrl = issuerUrlOf(config);
  const store = await openGrantStore({ path, encryptionKeys: key ? [key.value] : [] }).catch(unreadable);
  const codeLifeMs = settings.auth_code_ttl * 1_000;
  const tokenLifeMs = settings.access_token_ttl * 1_000;
  const rules = documentRulesOf(config);
  const documents = rules && new ClientDocuments({ rules });
  const server = await AuthorizationServer.open({ store, keys, codeLifeMs, tokenLifeMs, modes, documents }).catch(
    unreadable,
  );
  return { server, issuerUrl, close: () => server.close() };
}

/** Without it nobody could sign in, nor could anybody's token be known. */
function unreadable(cause: unknown): never {
  throw new ConfigError(`signing in at /mcp cannot be set up: ${asGatewayError(cause).message}`, { cause });
}

/** Where documents of clients may be; undefined where none are read. */
function documentRulesOf({ client }: Config): AddressRules | undefined {
  const { enabled, allow_private_addresses, allowed_hosts } = client.oauth2_server_config.client_metadata_documents;
  return enabled ? { allowPrivate: allow_private_addresses, allowedHosts: allowed_hosts } : undefined;
}

/** As whom people may sign in: nobody in particular only where nobody has to say who they are. */
function modesOf({ client }: Config): readonly GrantMode[] {
  const { oauth2_server_config: settings, enforce_auth_on_inference: requiresKey } = client;
  return [...(settings.disable_vk_identity ? [] : ['vk' as const]), ...(requiresKey ? [] : ['session' as const])];
}

/** Without the slash that paths are joined with. */
function issuerUrlOf({ client }: Config): string | undefined {
  const text = client.oauth2_server_config.issuer_url?.value.replace(/\/+$/, '');
  if (!text) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '') return text;
  throw new ConfigError('client.oauth2_server_config.issuer_url is no http or https address; write https://host');
}
