import { resolve } from 'node:path';
import type { ConfigFile } from './config-file.ts';
import { type Environment, resolveSecrets, secretOf } from './secrets.ts';
import { textOf } from './usable.ts';

/** The parsed file with its references resolved, its names and lists completed and its paths absolute. */
export function finish(
  parsed: ConfigFile,
  appDir: string,
  env: Environment,
): { config: ConfigFile; warnings: string[] } {
  const named = { ...parsed, providers: mapValues(parsed.providers, withKeyDefaults(parsed.version)) };
  const warnings: string[] = [];
  const resolved = resolveSecrets(named, env, (path, reference) => {
    warnings.push(`${textOf(path, named)} is empty: ${whyEmpty(reference)}`);
  });
  const clients = uniquelyNamed(resolved.mcp.client_configs);
  const config: ConfigFile = {
    ...resolved,
    mcp: { ...resolved.mcp, client_configs: clients.kept },
    ...withEncryptionKey(resolved, env),
    config_store: withAbsolutePath(resolved.config_store, appDir),
    logs_store: withAbsolutePath(resolved.logs_store, appDir),
  };
  return {
    config,
    warnings: [
      ...warnings,
      ...idleKeyWarnings(config),
      ...idleStoreWarnings(config),
      ...sameNameWarnings(config),
      ...sameKeyWarnings(config),
      ...clients.warnings,
    ],
  };
}

const whyEmpty = (reference: string): string =>
  reference.startsWith('vault.')
    ? `this version reads no vaults, and ${reference} is in one; write "env.NAME" for an environment variable`
    : `the environment variable ${reference.slice('env.'.length)} is not set; set it and restart`;

/** The file's own goes above the environment's; an empty one is none. */
function withEncryptionKey({ encryption_key: own }: ConfigFile, env: Environment): Pick<ConfigFile, 'encryption_key'> {
  if (own?.value) return { encryption_key: own };
  const key = secretOf('env.BIFROST_ENCRYPTION_KEY', env);
  return { encryption_key: key.value ? key : undefined };
}

type Provider = ConfigFile['providers'][string];
type McpClients = ConfigFile['mcp']['client_configs'];

/** Names keys that have none, and says outright which models a key serves: empty means all in version 1, none in 2. */
const withKeyDefaults =
  (version: ConfigFile['version']) =>
  (provider: Provider, providerName: string): Provider => ({
    ...provider,
    keys: provider.keys.map((key, index) => ({
      ...key,
      name: key.name || `${providerName}-${index + 1}`,
      models: version === 1 && !key.models?.length ? ['*'] : (key.models ?? []),
    })),
  });

function idleKeyWarnings({ providers }: ConfigFile): string[] {
  const keys = Object.entries(providers).flatMap(([provider, { keys }]) => keys.map((key) => ({ provider, ...key })));
  return keys
    .filter(({ enabled, models }) => enabled && models?.length === 0)
    .map(
      ({ provider, name }) =>
        `providers.${provider}.keys["${name}"] serves no model: "models" is empty and "version" is 2; write ["*"] for all`,
    );
}

/** Other providers of OpenAI's format know no `store`, or refuse it. */
function idleStoreWarnings({ providers }: ConfigFile): string[] {
  return Object.entries(providers).flatMap(([name, { openai_config: own, custom_provider_config: custom }]) =>
    own.disable_store && (custom?.base_provider_type ?? name) !== 'openai'
      ? [`providers.${name}.openai_config has no effect: it is for openai and custom providers based on it; remove it`]
      : [],
  );
}

/** Logs, pins and price overrides know a key by its name alone. */
function sameNameWarnings({ providers }: ConfigFile): string[] {
  return Object.entries(providers).flatMap(([provider, { keys }]) => {
    const names = keys.map(({ name }) => name);
    const twice = new Set(names.filter((name, index) => names.indexOf(name) < index));
    return [...twice].map(
      (name) =>
        `providers.${provider}.keys has several keys named "${name}": all are used, but logs and x-bf-api-key cannot tell them apart; rename them`,
    );
  });
}

function uniquelyNamed(clients: McpClients): { kept: McpClients; warnings: string[] } {
  const kept: McpClients[number][] = [];
  const warnings: string[] = [];
  for (const client of clients) {
    const { name, client_id: id } = client;
    const namesake = kept.some((other) => other.name === name);
    const twin = id ? kept.find((other) => other.client_id === id) : undefined;
    if (namesake) {
      warnings.push(`a second MCP client named "${name}" is skipped; names are unique: rename it and restart`);
    } else if (twin) {
      warnings.push(
        `MCP client "${name}" is skipped: "${twin.name}" has the same client_id; give it another, or none, and restart`,
      );
    } else {
      kept.push(client);
    }
  }
  return { kept, warnings };
}

/** The first of two virtual keys with one id or one value is the one that counts. */
function sameKeyWarnings({ governance: { virtual_keys: keys } }: ConfigFile): string[] {
  return keys.flatMap(({ id, name, value: { value } }, index) => {
    const earlier = keys.slice(0, index);
    const sameId = earlier.some((other) => other.id === id);
    const sameValue = value === '' ? undefined : earlier.find((other) => other.value.value === value);
    return [
      ...(sameId ? [`governance.virtual_keys has several keys with the id "${id}"; give each its own`] : []),
      ...(sameValue
        ? [`virtual key "${name}" can never be shown: "${sameValue.name}" has the same value; change it`]
        : []),
    ];
  });
}

const withAbsolutePath = <Store extends { config: { path: string } }>(store: Store, appDir: string): Store => ({
  ...store,
  config: { ...store.config, path: resolve(appDir, store.config.path) },
});

const mapValues = <Value>(record: Record<string, Value>, map: (value: Value, name: string) => Value) =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]));
