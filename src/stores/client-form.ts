import type { OpenApiConfig } from '../config/openapi-section.ts';
import type { McpClientConfig } from '../config/schema.ts';
import type { Secret } from '../config/secrets.ts';
import { isObject } from '../model/json.ts';

/** A client's config as it is written: what the config schema reads back. */
export type ClientForm = Record<string, unknown>;

/** The config with each secret written by `writeSecret`, and each duration as text, whose unit nobody can mistake. */
export function clientForm(config: McpClientConfig, writeSecret: (secret: Secret) => string): ClientForm {
  const {
    connection_string,
    headers,
    openapi_config,
    oauth_config,
    tls_config,
    tool_execution_timeout,
    tool_sync_interval,
    process_config,
    ...plain
  } = config;
  return {
    ...plain,
    process_config: { ...process_config, idle_timeout: durationText(process_config.idle_timeout) },
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, writeSecret(value)])),
    ...(connection_string && { connection_string: writeSecret(connection_string) }),
    ...(tls_config && { tls_config: written(tls_config, writeSecret) }),
    ...(oauth_config && { oauth_config: written(oauth_config, writeSecret) }),
    ...(openapi_config && { openapi_config: openApiForm(openapi_config, writeSecret) }),
    ...(tool_execution_timeout !== undefined && { tool_execution_timeout: durationText(tool_execution_timeout) }),
    ...(tool_sync_interval !== undefined && { tool_sync_interval: durationText(tool_sync_interval) }),
  };
}

function openApiForm(
  { security_credentials, ...plain }: OpenApiConfig,
  writeSecret: (secret: Secret) => string,
): ClientForm {
  const { spec, ...addresses } = plain;
  return {
    ...written(addresses, writeSecret),
    // A document may hold anything, also what looks like a secret of ours.
    ...(spec !== undefined && { spec }),
    security_credentials: Object.fromEntries(
      Object.entries(security_credentials).map(([name, credential]) => [name, written(credential, writeSecret)]),
    ),
  };
}

const written = (members: Readonly<Record<string, unknown>>, writeSecret: (secret: Secret) => string): ClientForm =>
  Object.fromEntries(
    Object.entries(members).map(([name, value]) => [name, isSecret(value) ? writeSecret(value) : value]),
  );

const isSecret = (value: unknown): value is Secret => isObject(value) && typeof value.value === 'string';

/** A reference stays a reference: what it names is none of the disk's business. */
export const storedSecret = ({ ref, value }: Secret): string => ref ?? value;

const durationText = (ms: number): string => (ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`);
