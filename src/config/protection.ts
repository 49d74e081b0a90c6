import { isObject } from '../model/json.ts';
import { ConfigError } from './config-error.ts';
import type { ConfigFile } from './config-file.ts';

/**
 * Throws ConfigError when the file asks for a protection that this version does not have, or that cannot hold: to start
 * without it would let everyone in, where its author was promised that nobody gets in.
 */
export function requireOnlyWhatIsEnforced(config: ConfigFile, file: string): void {
  const login = [config.governance.auth_config, config.auth_config].find(
    (auth) => isObject(auth) && auth.is_enabled === true,
  );
  if (login) {
    throw new ConfigError(
      `${file}: auth_config.is_enabled is true, but this version has no login and would let everyone in; set it to false, and keep the gateway on localhost`,
    );
  }
  const fault = signInFault(config);
  if (fault) throw new ConfigError(`${file}: ${fault}`);
}

/** Why nobody, or the wrong ones, could sign in at /mcp. */
function signInFault({ client, config_store: store }: ConfigFile): string | undefined {
  const { mcp_server_auth_mode: mode, oauth2_server_config: server, enforce_auth_on_inference: needsKey } = client;
  if (server.disable_vk_identity && mode !== 'oauth') {
    return 'client.oauth2_server_config.disable_vk_identity is only valid when client.mcp_server_auth_mode is "oauth": elsewhere virtual keys are taken in headers';
  }
  if (server.disable_vk_identity && needsKey) {
    return 'client.oauth2_server_config.disable_vk_identity and client.enforce_auth_on_inference leave nobody who may sign in at /mcp; set one of them to false';
  }
  if (mode !== 'headers' && !store.enabled) {
    return `client.mcp_server_auth_mode "${mode}" needs a place for its signing key and grants: set config_store.enabled to true`;
  }
  return undefined;
}
