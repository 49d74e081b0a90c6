import { GatewayError } from '../model/errors.ts';

/**
 * What a program needs to find itself and its user, and nothing that may be a secret. The MCP specification leaves the
 * list to the client; this is sudo's, as the official SDK takes it, with locale, time zone and temporary folder.
 */
const SAFE_NAMES = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'TERM',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'TMPDIR',
  'TMP',
  'TEMP',
  'APPDATA',
  'COMSPEC',
  'HOMEDRIVE',
  'HOMEPATH',
  'LOCALAPPDATA',
  'PATHEXT',
  'PROCESSOR_ARCHITECTURE',
  'PROGRAMFILES',
  'SYSTEMDRIVE',
  'SYSTEMROOT',
  'USERNAME',
  'USERPROFILE',
  'WINDIR',
] as const;

/** The variables that `envs` asks for: names of the gateway's own variables, or `KEY=value`. Throws on an unset name. */
export function configuredVariables(
  mcpClient: string,
  envs: readonly string[],
  environment: NodeJS.ProcessEnv,
): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const entry of envs) {
    const equals = entry.indexOf('=');
    const name = (equals === -1 ? entry : entry.slice(0, equals)).trim();
    if (!name) {
      throw new GatewayError('invalid-request', `environment variable name is empty for MCP client ${mcpClient}`);
    }
    const value = equals === -1 ? environment[name] : entry.slice(equals + 1);
    if (value === undefined || (equals === -1 && value === '')) {
      throw new GatewayError('invalid-request', `environment variable ${name} is not set for MCP client ${mcpClient}`);
    }
    variables[name] = value;
  }
  return variables;
}

/** The whole environment of a stdio server: the safe names of ours, and what was configured. */
export function serverEnvironment(
  configured: Readonly<Record<string, string>>,
  environment: NodeJS.ProcessEnv,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const name of SAFE_NAMES) {
    const value = environment[name];
    if (value !== undefined) result[name] = value;
  }
  return { ...result, ...configured };
}
