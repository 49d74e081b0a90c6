import type { Config } from '../config/load.ts';
import type { Log } from '../logs/process-log.ts';
import { addressRulesFor } from '../mcp/api-clients.ts';
import { UpstreamAuth } from '../mcp/auth/upstream-auth.ts';
import { patientFetch } from '../mcp/patient-fetch.ts';
import type { CredentialStore } from '../model/mcp-credentials.ts';

/** The logins to MCP servers, and where they are done. */
export interface UpstreamLogins {
  readonly auth: UpstreamAuth;
  /** Where browsers reach the gateway, if not where its callers do. */
  readonly externalUrl: string | undefined;
  close(): Promise<void>;
}

/** Their store is opened on first use, in the file of the original's config store: most gateways have no login. */
export function openUpstreamAuth(config: Config, log: Log): UpstreamLogins {
  const http = patientFetch();
  let opened: Promise<CredentialStore> | undefined;
  const auth = new UpstreamAuth({
    store: () => {
      opened ??= openStore(config, log);
      return opened;
    },
    fetch: http.fetch,
    fetchOf: (client) =>
      http.fetchOf(client.tls_config, addressRulesFor(client, config.mcp.api_clients, config.mcp.client_configs)),
    log: (message) => log('warn', message),
  });
  return {
    auth,
    // without the slash that addresses are joined with
    externalUrl: config.client.mcp_external_client_url?.value.replace(/\/+$/, '') || undefined,
    async close() {
      auth.close();
      await http.close();
      await (await opened?.catch(() => undefined))?.close();
    },
  };
}

async function openStore(config: Config, log: Log): Promise<CredentialStore> {
  const { encryption_key: key, config_store: kept } = config;
  const { path } = kept.config;
  if (!key) log('warn', `logins to MCP servers are kept in plain text in ${path}; set encryption_key to encrypt them`);
  else if (!key.ref) log('warn', 'encryption_key stands in the config file itself; write "env.NAME" in its place');
  const { openCredentialStore } = await import('../stores/credential-store.ts');
  return openCredentialStore({ path, encryptionKeys: key ? [key.value] : [] });
}
