import { isObject, type JsonObject, type JsonValue } from '../model/json.ts';

/**
 * The file's JSON with its older spellings moved to where they live now, so that the schema knows one place for each
 * setting. A spelling of today wins over an older one.
 */
export function prepare(file: JsonObject): JsonObject {
  const { governance, ...rest } = file;
  // null means absent, as in the original (Go); only governance tells them apart (`weight: null`).
  const prepared = withVirtualMcps(withoutNulls(rest) as JsonObject);
  return {
    ...prepared,
    ...(governance !== undefined && governance !== null && { governance }),
    ...(isObject(prepared.client) && { client: withCompatTwin(withAuthTwins(prepared.client)) }),
    ...withMcpTwins(prepared),
    ...(isObject(prepared.providers) && { providers: withLowerCaseNames(prepared.providers) }),
  };
}

function withoutNulls(value: JsonValue | undefined): JsonValue | undefined {
  if (Array.isArray(value)) return value.map((entry) => withoutNulls(entry) ?? null);
  if (!isObject(value)) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name, withoutNulls(member)]));
}

const withAuthTwins = (client: JsonObject): JsonObject => ({
  ...client,
  enforce_auth_on_inference:
    client.enforce_auth_on_inference ?? client.enforce_governance_header ?? client.enforce_scim_auth,
});

/** `enable_litellm_fallbacks` came before `compat`. */
function withCompatTwin(client: JsonObject): JsonObject {
  const { enable_litellm_fallbacks: older, compat = {} } = client;
  if (older === undefined || !isObject(compat)) return client;
  return { ...client, compat: { convert_text_to_chat: older, ...compat } };
}

/** The deprecated `client.mcp_*` settings, each with its own unit, in the `mcp` section. */
function withMcpTwins({ client, mcp }: JsonObject): JsonObject {
  if (!isObject(client) || (mcp !== undefined && !isObject(mcp))) return {};
  const manager = mcp?.tool_manager_config;
  if (manager !== undefined && !isObject(manager)) return {};
  const twins = {
    max_agent_depth: client.mcp_agent_depth,
    tool_execution_timeout: inUnit(client.mcp_tool_execution_timeout, 's'),
    code_mode_binding_level: client.mcp_code_mode_binding_level,
    disable_auto_tool_inject: client.mcp_disable_auto_tool_inject,
  };
  return {
    mcp: {
      tool_sync_interval: inUnit(client.mcp_tool_sync_interval, 'm'),
      ...mcp,
      tool_manager_config: { ...twins, ...manager },
    },
  };
}

/** `mcp.tool_groups` is the older name of `mcp.virtual_mcps`. */
function withVirtualMcps(file: JsonObject): JsonObject {
  if (!isObject(file.mcp) || file.mcp.tool_groups === undefined) return file;
  const { tool_groups: groups, ...mcp } = file.mcp;
  return { ...file, mcp: { virtual_mcps: groups, ...mcp } };
}

const inUnit = (value: JsonValue | undefined, unit: 's' | 'm'): JsonValue | undefined =>
  typeof value === 'number' ? `${value}${unit}` : value;

const withLowerCaseNames = (providers: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(providers).map(([name, entry]) => [name.toLowerCase(), withAliases(entry)]));

/** The older `deployments` of a cloud's key are aliases today. */
function withAliases(provider: JsonValue | undefined): JsonValue {
  if (!isObject(provider) || !Array.isArray(provider.keys)) return provider ?? null;
  return { ...provider, keys: provider.keys.map((key) => (isObject(key) ? withDeployments(key) : key)) };
}

const CLOUDS = ['azure_key_config', 'vertex_key_config', 'bedrock_key_config'] as const;

function withDeployments(key: JsonObject): JsonObject {
  const maps = CLOUDS.flatMap((cloud) => {
    const config = key[cloud];
    return isObject(config) && isObject(config.deployments) ? [config.deployments] : [];
  });
  if (maps.length === 0 || (key.aliases !== undefined && !isObject(key.aliases))) return key;
  return { ...key, aliases: Object.assign({}, ...maps, key.aliases) };
}
