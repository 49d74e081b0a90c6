import type { McpClientConfig } from '../config/schema.ts';
import type { Secret } from '../config/secrets.ts';

/** A client's config as it is written: what the config schema reads back. */
export type ClientForm = Record<string, unknown>;

/** The config with each secret written by `writeSecret`, and each duration as text, whose unit nobody can mistake. */
export function clientForm(config: McpClientConfig, writeSecret: (secret: Secret) => string): ClientForm {
  const { connection_string, headers, tool_execution_timeout, tool_sync_interval, process_config, ...plain } = config;
  return {
    ...plain,
    process_config: { ...process_config, idle_timeout: durationText(process_config.idle_timeout) },
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, writeSecret(value)])),
    ...(connection_string && { connection_string: writeSecret(connection_string) }),
    ...(tool_execution_timeout !== undefined && { tool_execution_timeout: durationText(tool_execution_timeout) }),
    ...(tool_sync_interval !== undefined && { tool_sync_interval: durationText(tool_sync_interval) }),
  };
}

/** A reference stays a reference: what it names is none of the disk's business. */
export const storedSecret = ({ ref, value }: Secret): string => ref ?? value;

const durationText = (ms: number): string => (ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`);
