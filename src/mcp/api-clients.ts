import { isDeepStrictEqual } from 'node:util';
import type { ApiClientsConfig } from '../config/api-clients-section.ts';
import type { McpClientConfig } from '../config/schema.ts';
import { type AddressRules, refuseInside } from './address-guard.ts';

/** Variables by which a program is made to run something else than itself. */
const STEERING =
  /^(?:PATH|SHELL|IFS|ENV|BASH_ENV|LD_\w+|DYLD_\w+|NODE_OPTIONS|NODE_PATH|NPM_CONFIG_\w+|PYTHON\w+|UV_\w+|PERL5\w+|RUBY\w+|JAVA_TOOL_OPTIONS|GIT_\w+)$/i;

/** Why the API may not make this client a process; undefined when it may. */
export function commandFault(
  { stdio_config: stdio }: McpClientConfig,
  { allowed_commands: allowed }: ApiClientsConfig,
): string | undefined {
  if (!stdio || allowed.includes('*')) return undefined;
  const line = [stdio.command, ...stdio.args];
  if (!allowed.some((entry) => beginsWith(line, entry.split(/\s+/)))) {
    return `the command '${stdio.command}' with these arguments is not in mcp.api_clients.allowed_commands; add it there, or write the client into the config file`;
  }
  const steering = stdio.envs.map((entry) => entry.split('=', 1)[0] ?? '').find((name) => STEERING.test(name));
  if (steering === undefined) return undefined;
  return `the variable '${steering}' can make an allowed command run another one; write the client into the config file to set it`;
}

const beginsWith = (line: readonly string[], words: readonly string[]): boolean =>
  words.every((word, index) => line[index] === word);

const REFUSAL = (host: string): string =>
  `${host} is on a private or local network, where clients made through the API may not lead; ` +
  'allow it with mcp.api_clients.allowed_hosts, or write the client into the config file';

/** What keeps this client's requests from going inside, redirects and new answers of DNS too; undefined = nothing. */
export function addressRulesFor(
  config: McpClientConfig,
  { allow_private_addresses: allowPrivate, allowed_hosts: allowedHosts }: ApiClientsConfig,
  fileClients: readonly McpClientConfig[],
): AddressRules | undefined {
  if (allowPrivate || isOfFile(config, fileClients)) return undefined;
  return { allowPrivate, allowedHosts, refusal: REFUSAL };
}

/** Throws GatewayError where the address of a new client leads inside and may not. */
export async function refuseAddress(config: McpClientConfig, rules: ApiClientsConfig): Promise<void> {
  const addressRules = addressRulesFor(config, rules, []);
  const url = config.connection_string?.value ?? '';
  if (addressRules && URL.canParse(url)) await refuseInside(new URL(url), addressRules);
}

/** Under whatever name and rules: what is reached is what the config file says. */
export const isOfFile = (config: McpClientConfig, fileClients: readonly McpClientConfig[]): boolean =>
  fileClients.some(
    ({ connection_type, connection_string, stdio_config }) =>
      connection_type === config.connection_type &&
      connection_string?.value === config.connection_string?.value &&
      isDeepStrictEqual(stdio_config, config.stdio_config),
  );
