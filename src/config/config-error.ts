/** Why the gateway cannot start with this configuration. The message names the file, the place in it, and the fix. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
