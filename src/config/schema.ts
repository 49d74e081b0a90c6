import { z } from 'zod';
import { codeModeLimits } from './code-mode-section.ts';
import { duration, nanoseconds, secondsOrNanoseconds } from './durations.ts';
import { AUTH_TYPES, authFault, headerKeys, oauthConfig } from './mcp-auth-section.ts';
import { openApiConfig } from './openapi-section.ts';
import type { networkConfig, provider, providerKey } from './provider-section.ts';
import { clientSampling } from './sampling.ts';
import { secret } from './secrets.ts';
import { tlsConfig } from './tls-section.ts';
import { clientResultLimits, clientToolSafety } from './tool-safety-section.ts';
import { whiteList } from './white-list.ts';

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
    client_id: z.string().optional().describe('How virtual keys and the API name it; made of the name when absent.'),
    name: clientName.describe('Begins the names of its tools: <name>-<tool>.'),
    endpoint_slug: endpointSlug.optional().describe('Serves /mcp/<slug>; made of the name when absent.'),
    connection_type: z.enum(['http', 'sse', 'stdio', 'openapi']).describe('http = streamable HTTP; openapi = an API.'),
    connection_string: secret.optional().describe('The URL of the server, for http and sse.'),
    stdio_config: z
      .looseObject({
        command: z.string().min(1).describe('The program; "bifrost" is this very gateway.'),
        args: z.array(z.string()).default([]).describe('Its arguments; the working directory is the app-dir.'),
        envs: z
          .array(z.string())
          .default([])
          .describe('NAME, a variable of the gateway, or NAME=value; it gets no others.'),
      })
      .optional()
      .describe('The process of a stdio server.'),
    openapi_config: openApiConfig.optional().describe('The document of an API, and how it is asked.'),
    headers: z.record(z.string(), secret).default({}).describe('Sent with every request to the server.'),
    tls_config: tlsConfig.optional().describe('For "http" and "sse".'),
    auth_type: z
      .enum(AUTH_TYPES, { error: ({ input }) => `auth_type '${String(input)}' is not supported` })
      .default('headers')
      .describe('How the gateway shows who calls: one login for all, or, with per_user_*, each caller with their own.'),
    oauth_config: oauthConfig.optional().describe('For oauth and per_user_oauth; what is absent is discovered.'),
    per_user_header_keys: headerKeys
      .optional()
      .describe('The headers that each caller submits a value for, with per_user_headers.'),
    allowed_extra_headers: whiteList
      .default([])
      .describe('Headers of callers that travel on to the server; ["*"] = all that may.'),
    tools_to_execute: whiteList
      .nullish()
      .transform((list) => list ?? [])
      .describe('The tools that exist for models and at /mcp, without the prefix. ["*"] = all; absent = none.'),
    tools_to_auto_execute: whiteList
      .nullish()
      .transform((list) => list ?? [])
      .describe('Those of them that the agent loop runs without asking.'),
    is_ping_available: z
      .boolean()
      .nullish()
      .transform((value) => value ?? true)
      .describe('Health is checked by a ping; false: by reading the list of tools.'),
    tool_execution_timeout: duration(secondsOrNanoseconds)
      .optional()
      .describe('In place of that of tool_manager_config; a bare integer is seconds, from a million on nanoseconds.'),
    tool_sync_interval: duration(nanoseconds)
      .optional()
      .describe('In place of mcp.tool_sync_interval; a bare integer is nanoseconds.'),
    tool_pricing: z
      .record(z.string(), z.number().min(0))
      .default({})
      .describe('US dollars for one run, by tool, without the prefix.'),
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
    process_config: processConfig.prefault({}).describe('How the process of a stdio server is kept.'),
    tool_safety: clientToolSafety.optional().describe('What is absent is as in mcp.tool_safety.'),
    result_limits: clientResultLimits.optional().describe('What is absent is as in mcp.result_limits.'),
    sampling: clientSampling.optional().describe('Completions that the server asks for (sampling/createMessage).'),
    disabled: z.boolean().default(false).describe('true = it is not connected, and has no tools.'),
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
    .transform((ms) => (ms > 0 ? ms : 30_000))
    .describe('How long a tool may run; a bare integer is seconds, from a million on nanoseconds.'),
  max_agent_depth: z
    .number()
    .int()
    .default(10)
    .transform((depth) => (depth > 0 ? depth : 10))
    .describe('How many rounds of tools one request may take.'),
  code_mode_binding_level: z
    .string()
    .default('server')
    .describe('Code mode reads declarations by server, or by "tool".'),
  code_mode_limits: codeModeLimits.prefault({}).describe('What a script of code mode may use.'),
  disable_auto_tool_inject: z
    .boolean()
    .default(false)
    .describe('true = models are given the tools of requests that ask by header only.'),
  max_parallel_tools: z
    .number()
    .int()
    .positive()
    .default(16)
    .describe("At most this many of one turn's tool calls run at once."),
  tool_visibility: z
    .enum(['native', 'hidden'])
    .default('native')
    .describe('How tools that the gateway ran appear to clients whose API has words for them.'),
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
