import { z } from 'zod';
import { duration } from './durations.ts';
import { MCP_AUTH_MODES, oauth2Server } from './mcp-sign-in-section.ts';
import { prometheusLabels } from './prometheus-labels.ts';
import { secret } from './secrets.ts';
import { withoutEffect } from './without-effect.ts';

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
  log_retention_days: z.number().int().min(0).default(365).describe('0 = however old they are.'),
  logging_headers: names.describe('Request headers to copy into the log record.'),
  hidden_request_types: withoutEffect(names),
  dump_errors_in_console_logs: z
    .boolean()
    .default(false)
    .describe("Write the errors of requests into the process's own log too."),
  drop_excess_requests: z
    .boolean()
    .default(false)
    .describe(
      'Refuse at once what comes while buffer_size calls wait for a provider, in place of letting it wait too.',
    ),
  initial_pool_size: withoutEffect(z.number().int().min(0).default(300)),
  max_request_body_size_mb: z.number().positive().default(100).describe('Larger bodies are refused, in MiB.'),
  allow_direct_keys: z.boolean().default(false).describe("Use the provider key in a caller's own headers."),
  allow_per_request_raw_override: z
    .boolean()
    .default(false)
    .describe('Let callers ask for raw payloads by the headers x-bf-send-back-raw-request and -response.'),
  allow_per_request_content_storage_override: z
    .boolean()
    .default(false)
    .describe(
      'Let callers say what the log keeps, by the headers x-bf-disable-content-logging and x-bf-store-raw-request-response.',
    ),
  retain_content_in_object_storage: withoutEffect(z.boolean().default(false)),
  enforce_auth_on_inference: z.boolean().default(false).describe('Refuse requests that carry no virtual key.'),
  enforce_governance_header: z.boolean().optional().describe('Older name of enforce_auth_on_inference.'),
  enforce_scim_auth: z.boolean().optional().describe('Older name of enforce_auth_on_inference.'),
  // the original lets every page in by default; a page that may call can run tools and spend money
  allowed_origins: names.describe('Web origins that may call, besides those on this machine; "*" lets every page in.'),
  allowed_headers: names.describe('Pages that may call may send any header: nothing needs to be listed.'),
  required_headers: names.describe(
    'Requests to models or at /mcp that lack one are refused with missing_required_headers.',
  ),
  header_filter_config: z
    .looseObject({
      allowlist: names.describe('Empty = all that the denylist does not name.'),
      denylist: names.describe('Goes above the allowlist.'),
    })
    .prefault({})
    .describe(
      'Which x-bf-eh-* headers travel on to providers; what is in the allowlist does without the prefix too, and "*" ends a beginning.',
    ),
  compat: compat.prefault({}).describe('What is asked otherwise where a model does not take it as it came.'),
  enable_litellm_fallbacks: z.boolean().optional().describe('Older name of compat.convert_text_to_chat.'),
  whitelisted_routes: withoutEffect(names),
  prometheus_labels: prometheusLabels.describe(
    'Labels of the metrics whose values callers give by x-bf-dim-<label> (older: x-bf-prom-<label>).',
  ),
  dual_credential_conflict_behavior: withoutEffect(z.enum(['error', 'prefer_vk', 'prefer_idp']).default('prefer_idp')),
  async_job_result_ttl: withoutEffect(z.number().int().positive().default(3_600)),
  routing_chain_max_depth: withoutEffect(z.number().int().positive().default(10)),
  disable_db_pings_in_health: withoutEffect(z.boolean().default(false)),
  hide_deleted_virtual_keys_in_filters: withoutEffect(z.boolean().default(false)),
  delete_expired_virtual_keys: withoutEffect(z.boolean().default(false)),
  webhook_config: withoutEffect(
    z.looseObject({ delivery_history_retention_days: z.number().int().default(30) }).prefault({}),
  ),
  mcp_enable_temp_token_auth: withoutEffect(z.boolean().default(false)),
  mcp_agent_depth: z.number().int().optional().describe('Older name of mcp.tool_manager_config.max_agent_depth.'),
  mcp_tool_execution_timeout: duration(seconds)
    .optional()
    .describe('Older name of mcp.tool_manager_config.tool_execution_timeout; a bare integer is seconds.'),
  mcp_code_mode_binding_level: z
    .string()
    .optional()
    .describe('Older name of mcp.tool_manager_config.code_mode_binding_level.'),
  mcp_tool_sync_interval: duration(minutes)
    .optional()
    .describe('Older name of mcp.tool_sync_interval; a bare integer is minutes.'),
  mcp_disable_auto_tool_inject: z
    .boolean()
    .optional()
    .describe('Older name of mcp.tool_manager_config.disable_auto_tool_inject.'),
  mcp_external_client_url: secret
    .optional()
    .describe('Where browsers reach this gateway; logins to MCP servers come back there.'),
  mcp_server_auth_mode: z.enum(MCP_AUTH_MODES).default('headers').describe('How callers of /mcp say who they are.'),
  oauth2_server_config: oauth2Server
    .prefault({})
    .describe('The gateway as an OAuth server for its own /mcp, with mcp_server_auth_mode "both" or "oauth".'),
});
