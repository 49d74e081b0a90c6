import { z } from 'zod';
import { duration } from './durations.ts';
import { MCP_AUTH_MODES, oauth2Server } from './mcp-sign-in-section.ts';
import { secret } from './secrets.ts';

const names = z.array(z.string()).default([]);
const minutes = (value: number): number => value * 60_000;
const seconds = (value: number): number => value * 1_000;

const compat = z.looseObject({
  convert_text_to_chat: z
    .boolean()
    .default(false)
    .describe('Ask legacy completions of models that only chat as chats, and answer as completions.'),
  convert_chat_to_responses: z
    .boolean()
    .default(false)
    .describe('Serve models of the Responses API alone to clients of Chat Completions.'),
  force_reasoning_only_models_to_responses: z
    .boolean()
    .default(true)
    .describe('The same, and chats that offer tools to models which then reason in the Responses API only.'),
  convert_responses_to_chat: z
    .boolean()
    .optional()
    .describe('Always done: the Responses API is served by every provider that chats.'),
  azure_deepseek: z
    .boolean()
    .default(false)
    .describe("Ask DeepSeek's models on Azure as chats, as its Responses API loses their reasoning."),
  should_drop_params: z
    .boolean()
    .optional()
    .describe(
      'Leave out tools and schemas that a model takes none of, and tell in every answer what was left out; parameters that a model refuses always are.',
    ),
  should_convert_params: z.boolean().optional().describe('Always done: what goes by another name is sent under it.'),
});

/** The `client` section: how the gateway treats those who call it. */
export const clientSection = z.looseObject({
  enable_logging: z.boolean().default(true).describe('Keep one log record for each request.'),
  disable_content_logging: z.boolean().default(false).describe('Keep the figures of a request but not its words.'),
  log_retention_days: z.number().int().min(1).default(365),
  logging_headers: names.describe('Request headers to copy into the log record.'),
  hidden_request_types: names,
  dump_errors_in_console_logs: z.boolean().default(false),
  drop_excess_requests: z.boolean().default(false),
  initial_pool_size: z.number().int().min(0).default(300).describe('Accepted for compatibility; without effect.'),
  max_request_body_size_mb: z.number().positive().default(100),
  allow_direct_keys: z.boolean().default(false).describe("Use the provider key in a caller's own headers."),
  allow_per_request_raw_override: z
    .boolean()
    .default(false)
    .describe('Let callers ask for raw payloads by the headers x-bf-send-back-raw-request and -response.'),
  enforce_auth_on_inference: z.boolean().default(false).describe('Refuse requests that carry no virtual key.'),
  enforce_governance_header: z.boolean().optional().describe('Older name of enforce_auth_on_inference.'),
  enforce_scim_auth: z.boolean().optional().describe('Older name of enforce_auth_on_inference.'),
  // the original lets every page in by default; a page that may call can run tools and spend money
  allowed_origins: names.describe('Web origins that may call, besides those on this machine; "*" lets every page in.'),
  allowed_headers: names.describe('Further request headers that browsers may send.'),
  required_headers: names,
  header_filter_config: z
    .looseObject({ allowlist: names, denylist: names })
    .prefault({})
    .describe('Which x-bf-eh-* headers travel on to providers.'),
  compat: compat.prefault({}).describe('What is asked otherwise where a model does not take it as it came.'),
  enable_litellm_fallbacks: z.boolean().optional().describe('Older name of compat.convert_text_to_chat.'),
  whitelisted_routes: names,
  prometheus_labels: names,
  async_job_result_ttl: z.number().int().positive().default(3_600),
  routing_chain_max_depth: z.number().int().positive().default(10),
  mcp_agent_depth: z.number().int().optional().describe('Older name of mcp.tool_manager_config.max_agent_depth.'),
  mcp_tool_execution_timeout: duration(seconds)
    .optional()
    .describe('Older name of mcp.tool_manager_config.tool_execution_timeout; a bare integer is seconds.'),
  mcp_code_mode_binding_level: z.string().optional(),
  mcp_tool_sync_interval: duration(minutes)
    .optional()
    .describe('Older name of mcp.tool_sync_interval; a bare integer is minutes.'),
  mcp_disable_auto_tool_inject: z.boolean().optional(),
  mcp_external_client_url: secret
    .optional()
    .describe('Where browsers reach this gateway; logins to MCP servers come back there.'),
  mcp_server_auth_mode: z.enum(MCP_AUTH_MODES).default('headers').describe('How callers of /mcp say who they are.'),
  oauth2_server_config: oauth2Server.prefault({}),
});
