import { z } from 'zod';
import { codeModeLimits } from './code-mode-section.ts';
import { duration, milliseconds, nanoseconds, secondsOrNanoseconds } from './durations.ts';
import { AUTH_TYPES, authFault, headerKeys, oauthConfig } from './mcp-auth-section.ts';
import { openApiConfig } from './openapi-section.ts';
import { clientSampling } from './sampling.ts';
import { secret } from './secrets.ts';
import { tlsConfig } from './tls-section.ts';
import { clientResultLimits, clientToolSafety } from './tool-safety-section.ts';
import { withoutEffect } from './without-effect.ts';

/** `["*"]` = all, empty = none, otherwise exactly those, compared without case. */
export const whiteList = z
  .array(z.string())
  .refine((list) => !list.includes('*') || list.length === 1, {
    message: "wildcard '*' cannot be used with other values in the whitelist",
  })
  .refine((list) => new Set(list.map((entry) => entry.toLowerCase())).size === list.length, {
    message: 'the list names an entry twice',
  });

/** A name's id at the provider; beside it, where that model lives when not where the key says. */
const keyAlias = z.union([
  z.string(),
  z.looseObject({
    model_id: z.string(),
    model_name: z.string().optional(),
    model_family: z.string().optional(),
    endpoint: secret.optional(),
    api_version: secret.optional(),
    region: secret.optional(),
    project_id: secret.optional(),
  }),
]);

const azureKey = z.looseObject({
  endpoint: secret.prefault(''),
  api_version: secret.optional(),
  client_id: secret.optional(),
  client_secret: secret.optional(),
  tenant_id: secret.optional(),
  scopes: z.array(z.string()).default([]),
  authority_host: secret.optional(),
});

const vertexKey = z.looseObject({
  project_id: secret.optional(),
  project_number: secret.optional(),
  region: secret.optional(),
  auth_credentials: secret.optional(),
});

const bedrockKey = z.looseObject({
  access_key: secret.optional(),
  secret_key: secret.optional(),
  session_token: secret.optional(),
  region: secret.optional(),
  arn: secret.optional(),
  role_arn: secret.optional(),
  external_id: secret.optional(),
  session_name: secret.optional(),
  /** The older place of `aliases`. */
  deployments: z.record(z.string(), keyAlias).default({}),
});

const providerKey = z.looseObject({
  id: z.string().optional(),
  name: z.string().default(''),
  value: secret.prefault(''),
  models: whiteList.optional(),
  blacklisted_models: z.array(z.string()).default([]),
  weight: z.number().min(0).default(1),
  enabled: z.boolean().default(true),
  use_for_batch_api: z
    .boolean()
    .optional()
    .describe('Files and batches go with such keys only; with any where no key of the provider is one.'),
  aliases: z.record(z.string(), keyAlias).default({}),
  ollama_key_config: z.looseObject({ url: secret }).optional(),
  vllm_key_config: z.looseObject({ url: secret, model_name: z.string().optional() }).optional(),
  sgl_key_config: z.looseObject({ url: secret }).optional(),
  databricks_key_config: z
    .looseObject({
      workspace_url: secret,
      api_format: withoutEffect(z.string().default('auto')),
      forward_gateway_tags: withoutEffect(z.boolean().default(false)),
    })
    .optional(),
  replicate_key_config: z
    .looseObject({ use_deployments_endpoint: withoutEffect(z.boolean().default(false)) })
    .optional(),
  azure_key_config: azureKey.optional(),
  vertex_key_config: vertexKey.optional(),
  bedrock_key_config: bedrockKey.optional(),
  bedrock_mantle_key_config: bedrockKey.optional(),
});

const networkConfig = z.looseObject({
  base_url: secret.optional(),
  extra_headers: z.record(z.string(), secret).default({}),
  default_request_timeout_in_seconds: z.number().positive().default(300),
  max_retries: z.number().int().min(0).default(0),
  retry_backoff_initial: duration(milliseconds).prefault('500ms'),
  retry_backoff_max: duration(milliseconds).prefault('5s'),
  stream_idle_timeout_in_seconds: z.number().min(5).max(3_600).default(120),
  keep_alive_timeout_in_seconds: z
    .number()
    .positive()
    .max(86_400)
    .optional()
    .describe('How long a connection without requests is kept at most; absent = 60, or as the provider offers.'),
  enforce_http2: z
    .boolean()
    .default(false)
    .describe('Speak HTTP/2 where the provider has it over TLS, and HTTP/1.1 elsewhere and through proxies.'),
  allow_private_network: z
    .boolean()
    .optional()
    .describe('Always allowed: who writes this file says where providers are.'),
  max_conns_per_host: z.number().int().positive().max(10_000).default(5_000),
  insecure_skip_verify: z.boolean().default(false),
  ca_cert_pem: secret.optional(),
  beta_header_overrides: z.record(z.string(), z.boolean()).default({}),
});

const proxyConfig = z
  .looseObject({
    type: z.enum(['none', 'http', 'socks5', 'environment']).default('none'),
    url: secret.optional(),
    username: secret.optional(),
    password: secret.optional(),
    ca_cert_pem: secret.optional(),
  })
  .refine(({ type, url }) => (type !== 'http' && type !== 'socks5') || url !== undefined, {
    path: ['url'],
    message: 'is missing: write the address of the proxy, for example http://proxy:3128',
  });

const BASE_TYPES = ['openai', 'anthropic', 'bedrock', 'cohere', 'gemini', 'replicate', 'huggingface'] as const;

const customProvider = z.looseObject({
  base_provider_type: z.enum(BASE_TYPES),
  is_key_less: z.boolean().default(false),
  allowed_requests: z.record(z.string(), z.boolean()).optional(),
  request_path_overrides: z.record(z.string(), z.string()).default({}),
});

/** As in the original, 0 asks for the usual. */
const countOr = (usual: number) =>
  z
    .number()
    .int()
    .min(0)
    .default(usual)
    .transform((count) => count || usual);

const callLimits = z.looseObject({ concurrency: countOr(1_000), buffer_size: countOr(5_000) });

export const provider = z.looseObject({
  keys: z.array(providerKey).default([]),
  network_config: networkConfig.prefault({}),
  proxy_config: proxyConfig.optional(),
  concurrency_and_buffer_size: callLimits
    .optional()
    .describe('How many calls it is sent at once, and how many may wait; absent = as many as come.'),
  custom_provider_config: customProvider.optional(),
  openai_config: z
    .looseObject({
      disable_store: z
        .boolean()
        .default(false)
        .describe('Ask OpenAI to store nothing (store: false), whatever clients say.'),
    })
    .prefault({})
    .describe('For openai, and for custom providers based on it.'),
  send_back_raw_request: z.boolean().default(false).describe('Show what was sent in extra_fields.raw_request.'),
  send_back_raw_response: z.boolean().default(false).describe('Show what came back in extra_fields.raw_response.'),
  store_raw_request_response: z
    .boolean()
    .default(false)
    .describe('Keep what is sent in chats, and what comes back, in the log as it travelled.'),
});

export const CLIENT_NAME_RULES: readonly (readonly [(name: string) => boolean, string])[] = [
  [(name) => name.trim() !== '', 'name is required for MCP client'],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is the definition of ASCII
  [(name) => /^[\x00-\x7f]*$/.test(name), 'name must contain only ASCII characters'],
  [(name) => !name.includes('-'), 'name cannot contain hyphens'],
  [(name) => !name.includes(' '), 'name cannot contain spaces'],
  [(name) => !/^\d/.test(name), 'name cannot start with a number'],
];

const clientName = z.string().superRefine((name, context) => {
  const broken = CLIENT_NAME_RULES.find(([holds]) => !holds(name));
  if (broken) context.addIssue({ code: 'custom', message: broken[1] });
});

/** The last part of an address under /mcp/. */
export const endpointSlug = z.string().regex(/^[a-z0-9_][a-z0-9_-]{0,62}$/i, {
  message: 'must be 1 to 63 letters, digits, hyphens and underscores, and not begin with a hyphen',
});

/** `direct`: every tool; the others leave most of a large catalog out of the prompt. */
const TOOL_MODES = ['direct', 'code', 'compact', 'compact_names', 'search'] as const;

/** How the process of a stdio server is kept. */
const processConfig = z.looseObject({
  lazy_start: z
    .boolean()
    .default(true)
    .describe('Once its tools are known from an earlier run, the server is started by the first call only.'),
  idle_timeout: duration(nanoseconds).prefault('0s').describe('How long it runs on without a call; 0 = for ever.'),
  memory_limit_mb: z
    .number()
    .min(0)
    .default(0)
    .describe('Above this, in all its processes together, it is started anew; 0 = no limit.'),
  max_restarts: z
    .number()
    .int()
    .min(0)
    .default(0)
    .describe('A server that ended this often within ten minutes is left alone for a while; 0 = no limit.'),
});

export const mcpClient = z
  .looseObject({
    client_id: z.string().optional(),
    name: clientName,
    endpoint_slug: endpointSlug.optional().describe('Serves /mcp/<slug>; made of the name when absent.'),
    connection_type: z.enum(['http', 'sse', 'stdio', 'openapi']),
    connection_string: secret.optional(),
    stdio_config: z
      .looseObject({
        command: z.string().min(1),
        args: z.array(z.string()).default([]),
        envs: z.array(z.string()).default([]),
      })
      .optional(),
    openapi_config: openApiConfig.optional(),
    headers: z.record(z.string(), secret).default({}),
    tls_config: tlsConfig.optional().describe('For "http" and "sse".'),
    auth_type: z
      .enum(AUTH_TYPES, { error: ({ input }) => `auth_type '${String(input)}' is not supported` })
      .default('headers')
      .describe('How the gateway shows who calls: one login for all, or, with per_user_*, each caller with their own.'),
    oauth_config: oauthConfig.optional(),
    per_user_header_keys: headerKeys
      .optional()
      .describe('The headers that each caller submits a value for, with per_user_headers.'),
    allowed_extra_headers: whiteList.default([]),
    tools_to_execute: whiteList.nullish().transform((list) => list ?? []),
    tools_to_auto_execute: whiteList.nullish().transform((list) => list ?? []),
    is_ping_available: z
      .boolean()
      .nullish()
      .transform((value) => value ?? true),
    tool_execution_timeout: duration(secondsOrNanoseconds).optional(),
    tool_sync_interval: duration(nanoseconds).optional(),
    tool_pricing: z.record(z.string(), z.number().min(0)).default({}),
    tool_mode: z
      .enum(TOOL_MODES)
      .nullish()
      .transform((mode) => mode ?? undefined)
      .describe('How models and MCP callers are given the tools; wins over is_code_mode_client.'),
    is_code_mode_client: z.boolean().default(false).describe('The older way to write tool_mode: code.'),
    needs_session_stickiness: z
      .boolean()
      .nullish()
      .transform((value) => value ?? undefined)
      .describe('false: each call opens a session of its own, over "http" only. Otherwise all calls share one.'),
    process_config: processConfig.prefault({}),
    tool_safety: clientToolSafety.optional(),
    result_limits: clientResultLimits.optional(),
    sampling: clientSampling.optional(),
    disabled: z.boolean().default(false),
    allow_by_default: z.boolean().optional().describe('Every virtual key may use it that does not say otherwise.'),
    allow_on_all_virtual_keys: z.boolean().optional().describe('The older name of allow_by_default.'),
  })
  .superRefine((client, context) => {
    if (client.connection_type !== 'http' && client.needs_session_stickiness === false) {
      context.addIssue({
        code: 'custom',
        path: ['needs_session_stickiness'],
        message: `needs_session_stickiness cannot be false for connection_type "${client.connection_type}": only 'http' supports a per-call connection`,
      });
    }
    if (client.connection_type === 'stdio' && !client.stdio_config) {
      context.addIssue({
        code: 'custom',
        path: ['stdio_config'],
        message: 'stdio_config.command is required for stdio',
      });
    }
    if (client.connection_type === 'openapi' && !client.openapi_config) {
      context.addIssue({
        code: 'custom',
        path: ['openapi_config'],
        message: "openapi_config is required for connection_type 'openapi'",
      });
    }
    const fault = authFault(client);
    if (fault) context.addIssue({ code: 'custom', path: [fault.path], message: fault.message });
    const isDialled = client.connection_type === 'http' || client.connection_type === 'sse';
    if (isDialled && !client.connection_string) {
      context.addIssue({
        code: 'custom',
        path: ['connection_string'],
        message: `connection_string (the server's URL) is required for ${client.connection_type}`,
      });
    }
  });

export const toolManager = z.looseObject({
  tool_execution_timeout: duration(secondsOrNanoseconds)
    .prefault('30s')
    .transform((ms) => (ms > 0 ? ms : 30_000)),
  max_agent_depth: z
    .number()
    .int()
    .default(10)
    .transform((depth) => (depth > 0 ? depth : 10)),
  code_mode_binding_level: z.string().default('server'),
  code_mode_limits: codeModeLimits.prefault({}).describe('What a script of code mode may use.'),
  disable_auto_tool_inject: z.boolean().default(false),
  /** At most this many of one turn's tool calls run at once. */
  max_parallel_tools: z.number().int().positive().default(16),
  /** How gateway-run tools appear to a client whose dialect has words for them. */
  tool_visibility: z.enum(['native', 'hidden']).default('native'),
});

/** MCP servers that requests name for themselves (`mcp_servers` of Messages, tools of type `mcp` of Responses). */
export const requestServers = z.looseObject({
  enabled: z.boolean().default(true).describe('Whether a request may name MCP servers of its own.'),
  allow_private_addresses: z
    .boolean()
    .default(false)
    .describe('Whether such a server may be on this machine or on a private network.'),
  allowed_hosts: z
    .array(z.string())
    .default([])
    .describe('Hosts ("name" or "name:port") that may be reached wherever they are.'),
  idle_timeout: duration(nanoseconds).prefault('5m').describe('How long an unused connection is kept.'),
  max_connections: z.number().int().positive().default(100).describe('The longest unused one is given up first.'),
  tool_safety: clientToolSafety.optional().describe('For such servers; what is absent is as in mcp.tool_safety.'),
});

export type WhiteList = z.output<typeof whiteList>;
export type ProviderKey = z.output<typeof providerKey>;
export type NetworkConfig = z.output<typeof networkConfig>;
export type ProviderConfig = z.output<typeof provider>;
export type ToolMode = (typeof TOOL_MODES)[number];
export type McpClientConfig = z.output<typeof mcpClient>;
export type ToolManagerConfig = z.output<typeof toolManager>;
export type RequestServersConfig = z.output<typeof requestServers>;
