import { isObject } from '../model/json.ts';
import { ConfigError } from './config-error.ts';
import type { ConfigFile } from './config-file.ts';

/**
 * Throws ConfigError when the file asks for a protection that this version does not have: to start without it would
 * let everyone in, where its author was promised that nobody gets in.
 */
export function requireOnlyWhatIsEnforced({ client, governance, ...rest }: ConfigFile, file: string): void {
  if (client.enforce_auth_on_inference) {
    throw new ConfigError(
      `${file}: client.enforce_auth_on_inference is true, but this version has no virtual keys and would let everyone in; set it to false, and keep the gateway on localhost`,
    );
  }
  const mcpAuth = client.mcp_server_auth_mode;
  if (mcpAuth !== undefined && mcpAuth !== 'headers') {
    throw new ConfigError(
      `${file}: client.mcp_server_auth_mode is ${JSON.stringify(mcpAuth)}, but this version does not ask for a login at /mcp and would let everyone in; set it to "headers", and keep the gateway on localhost`,
    );
  }
  const login = [governance.auth_config, rest.auth_config].find((auth) => isObject(auth) && auth.is_enabled === true);
  if (login) {
    throw new ConfigError(
      `${file}: auth_config.is_enabled is true, but this version has no login and would let everyone in; set it to false, and keep the gateway on localhost`,
    );
  }
}
