import { z } from 'zod';
import { apiClients } from './api-clients-section.ts';
import { clientSection } from './client-section.ts';
import { duration, nanoseconds } from './durations.ts';
import { frameworkSection } from './framework-section.ts';
import { governanceSection } from './governance-section.ts';
import { provider } from './provider-section.ts';
import { mcpClient, requestServers, toolManager } from './schema.ts';
import { secret } from './secrets.ts';
import { resultLimits, toolSafety } from './tool-safety-section.ts';
import { virtualMcp } from './virtual-mcp.ts';
import { withoutEffect } from './without-effect.ts';

const DEFAULT_TOOL_SYNC_INTERVAL_MS = 600_000;

const mcpSection = z.looseObject({
  client_configs: z.array(mcpClient).default([]).describe('The MCP servers whose tools the gateway offers.'),
  tool_manager_config: toolManager.prefault({}).describe('How tools are offered and run.'),
  request_servers: requestServers.prefault({}).describe('MCP servers that requests name for themselves.'),
  api_clients: apiClients.prefault({}).describe('What MCP clients made through the API may be.'),
  tool_safety: toolSafety.prefault({}).describe('What becomes of tools whose definitions changed or hide something.'),
  result_limits: resultLimits.prefault({}).describe('What becomes of results too large for a model.'),
  virtual_mcps: z.array(virtualMcp).default([]).describe('Chosen sets of tools, each served at /mcp/<slug>.'),
  tool_sync_interval: duration(nanoseconds)
    .prefault('10m')
    .transform((ms) => (ms > 0 ? ms : DEFAULT_TOOL_SYNC_INTERVAL_MS))
    .describe('How often tool lists are read again; a bare integer is nanoseconds.'),
});

/** `path` is relative to the app-dir in the file, and absolute once loaded. */
const storeFields = (defaultPath: string) => ({
  enabled: z.boolean().default(true).describe('false = nothing is kept there.'),
  type: z.enum(['sqlite', 'postgres', 'clickhouse']).default('sqlite').describe('sqlite; the others stop the start.'),
  config: z
    .looseObject({ path: z.string().min(1).default(defaultPath).describe('The file, relative to the app-dir.') })
    .prefault({})
    .describe('Where it is.'),
});

const refuseOtherStores = (store: { enabled: boolean; type: string }, context: z.RefinementCtx): void => {
  if (!store.enabled || store.type === 'sqlite') return;
  const message = `"${store.type}" is not supported by this version; write "sqlite", or "enabled": false to do without`;
  context.addIssue({ code: 'custom', path: ['type'], message });
};

const logsWriter = z.looseObject({
  max_batch_size: z.number().int().positive().default(1_000),
  batch_interval: duration(nanoseconds).prefault('5s'),
  max_batch_bytes: z.number().int().positive().default(314_572_800),
  write_queue_capacity: z.number().int().positive().default(10_000),
  deferred_usage_concurrency: z.number().int().positive().default(5),
});

const logsStore = z.looseObject({
  ...storeFields('./logs.db'),
  writer: withoutEffect(logsWriter.prefault({})),
  retention_days: z.number().int().min(0).default(0).describe('0 = as client.log_retention_days says.'),
});

/** `config.json` as a whole: what may stand in it, and every default. */
export const configFile = z.looseObject({
  $schema: z.string().optional().describe('For editors: ./config.schema.json, or where this schema is published.'),
  version: z
    .literal([1, 2])
    .default(1)
    .describe('1: an empty allow-list allows everything. 2: an empty allow-list allows nothing.'),
  source_of_truth: z
    .enum(['split', 'config.json'])
    .default('split')
    .describe('config.json = this file goes above what was changed by the API.'),
  encryption_key: secret
    .optional()
    .describe('Secrets that the gateway keeps are encrypted with it (env twin: BIFROST_ENCRYPTION_KEY).'),
  client: clientSection.prefault({}).describe('How the gateway treats those who call it.'),
  server: z
    .looseObject({
      read_buffer_size: z.number().int().positive().default(65_536).describe('How long headers may be, in bytes.'),
    })
    .prefault({})
    .describe('How requests are read.'),
  providers: z
    .record(z.string(), provider)
    .default({})
    .describe('By name: the providers of models, in addition to those found by environment variables.'),
  mcp: mcpSection.prefault({}).describe('MCP servers and their tools.'),
  governance: governanceSection.prefault({}).describe('Virtual keys and prices.'),
  config_store: z
    .looseObject(storeFields('./config.db'))
    .superRefine(refuseOtherStores)
    .prefault({})
    .describe('Logins to MCP servers, sign-ins at /mcp, and what was changed by API.'),
  logs_store: logsStore.superRefine(refuseOtherStores).prefault({}).describe('The log of requests and tool runs.'),
  framework: frameworkSection.prefault({}).describe('What is known of models and of MCP servers.'),
});

/** Sections of the original that this version accepts and does nothing with. */
export const SECTIONS_WITHOUT_EFFECT: readonly string[] = [
  'env_label',
  'auth_config',
  'vector_store',
  'vault_store',
  'plugins',
  'webhooks',
  'websocket',
  'skills_registry',
  'feature_flags',
  'alerting',
  'guardrails_config',
  'audit_logs',
  'cluster_config',
  'load_balancer_config',
  'large_payload_optimization',
  'scim_config',
  'access_profiles',
  'circuit_breaker_config',
];

/** The same for fields inside the sections. Each leaves this list when something reads it. */
export const FIELDS_WITHOUT_EFFECT: readonly string[] = [
  // governance
  'budgets',
  'rate_limits',
  'customers',
  'teams',
  'routing_rules',
  'model_configs',
  'business_units',
  'roles',
  'complexity_analyzer_config',
  'providers',
  // providers and their keys
  'prompt_cache',
  'batch_s3_config',
  'force_single_region',
  'does_not_send_done_marker',
  'wait_for_usage',
  'client_id',
  'client_secret',
  'stream_throughput_guard',
  // stores
  'object_storage',
  'object_storage_exclude_fields',
  'matview_refresh_interval',
  // mcp
  'health_monitor_config',
  'token_exchange',
  // framework
  'model_parameters_url',
];

export type ConfigFile = z.output<typeof configFile>;
