import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';

async function warningsOf(file: object): Promise<readonly string[]> {
  const appDir = mkdtempSync(join(tmpdir(), 'bifrost-config-'));
  try {
    writeFileSync(join(appDir, 'config.json'), JSON.stringify(file));
    const listen = { host: 'localhost', port: 8080 };
    const loaded = await loadConfig({ appDir, env: {}, listen, detectable: [], probe: async () => false });
    return loaded.warnings;
  } finally {
    rmSync(appDir, { recursive: true });
  }
}

const provider = (more: object) => ({ providers: { openai: { keys: [], ...more } } });
const key = (more: object) => ({
  providers: { openai: { keys: [{ name: 'k', value: 'sk', models: ['*'], weight: 1, ...more }] } },
});

/** Settings of the original that nothing here reads. */
test.each<[path: string, file: object]>([
  ['initial_pool_size', { client: { initial_pool_size: 5_000 } }],
  ['retain_content_in_object_storage', { client: { retain_content_in_object_storage: true } }],
  ['hidden_request_types', { client: { hidden_request_types: ['embedding'] } }],
  ['dual_credential_conflict_behavior', { client: { dual_credential_conflict_behavior: 'prefer_vk' } }],
  ['whitelisted_routes', { client: { whitelisted_routes: ['/x'] } }],
  ['async_job_result_ttl', { client: { async_job_result_ttl: 60 } }],
  ['routing_chain_max_depth', { client: { routing_chain_max_depth: 3 } }],
  ['disable_db_pings_in_health', { client: { disable_db_pings_in_health: true } }],
  ['hide_deleted_virtual_keys_in_filters', { client: { hide_deleted_virtual_keys_in_filters: true } }],
  ['delete_expired_virtual_keys', { client: { delete_expired_virtual_keys: true } }],
  ['webhook_config', { client: { webhook_config: { delivery_history_retention_days: 3 } } }],
  ['mcp_enable_temp_token_auth', { client: { mcp_enable_temp_token_auth: true } }],
  ['use_deployments_endpoint', key({ replicate_key_config: { use_deployments_endpoint: true } })],
  ['api_format', key({ databricks_key_config: { workspace_url: 'https://x', api_format: 'model_serving' } })],
  ['client_secret', key({ databricks_key_config: { workspace_url: 'https://x', client_secret: 's' } })],
  ['batch_s3_config', key({ bedrock_key_config: { region: 'us-east-1', batch_s3_config: { buckets: [{}] } } })],
  ['stream_throughput_guard', provider({ network_config: { stream_throughput_guard: { x: 1 } } })],
  ['prompt_cache', provider({ prompt_cache: { auto_inject: true } })],
  ['writer', { logs_store: { writer: { max_batch_size: 5 } } }],
  ['object_storage', { logs_store: { object_storage: { type: 's3' } } }],
  ['live_models_sync_interval', { framework: { pricing: { live_models_sync_interval: 60 } } }],
  ['model_parameters_url', { framework: { pricing: { model_parameters_url: 'https://x' } } }],
  ['health_monitor_config', { mcp: { health_monitor_config: { interval: 1 } } }],
  ['routing_rules', { governance: { routing_rules: [{ id: 'r' }] } }],
  ['providers', { governance: { providers: [{ name: 'openai' }] } }],
  ['vector_store', { vector_store: { enabled: true, type: 'redis' } }],
  ['plugins', { plugins: [{ name: 'otel', enabled: true }] }],
  ['env_label', { env_label: 'dev' }],
  ['websocket', { websocket: { max_connections_per_user: 5 } }],
])('%s is accepted, and named as having no effect', async (name, file) => {
  expect(await warningsOf(file)).toEqual([
    expect.stringMatching(new RegExp(`^"${name}" in \\S.* is accepted but has no effect in this version$`)),
  ]);
});

test('the original’s defaults ask for nothing, so nobody is told of them', async () => {
  const client = {
    initial_pool_size: 300,
    prometheus_labels: [],
    hidden_request_types: [],
    allow_per_request_content_storage_override: false,
    retain_content_in_object_storage: false,
    dual_credential_conflict_behavior: 'prefer_idp',
    whitelisted_routes: [],
    async_job_result_ttl: 3_600,
    routing_chain_max_depth: 10,
    disable_db_pings_in_health: false,
    hide_deleted_virtual_keys_in_filters: false,
    delete_expired_virtual_keys: false,
    mcp_enable_temp_token_auth: false,
    webhook_config: { delivery_history_retention_days: 30 },
    compat: { should_drop_params: false, should_convert_params: false, azure_deepseek: false },
  };
  const network_config = { allow_private_network: true };
  const file = {
    client,
    server: { read_buffer_size: 65_536 },
    framework: { pricing: { live_models_sync_interval: 3_600 } },
    ...provider({
      network_config,
      keys: [{ name: 'k', value: 'sk', models: ['*'], use_for_batch_api: false }],
    }),
    logs_store: { writer: { max_batch_size: 1_000, batch_interval: '5s' }, retention_days: 0 },
  };
  expect(await warningsOf(file)).toEqual([]);
});

test('a wrong value is named with its place, as everywhere', async () => {
  await expect(warningsOf({ client: { async_job_result_ttl: 'soon' } })).rejects.toThrow(
    /client\.async_job_result_ttl/,
  );
});

test('enable_litellm_fallbacks is the older name of compat.convert_text_to_chat', async () => {
  expect(await warningsOf({ client: { enable_litellm_fallbacks: true } })).toEqual([]);
});

test.each([
  ['vault.secret/openai#key'],
  [{ ref: 'secret/openai#key', type: 'vault' }],
  [{ ref: 'vault.secret/openai#key', type: 'vault' }],
])('a reference to a vault is no key: %j is named, and its value stays empty', async (value) => {
  expect(await warningsOf(key({ value }))).toEqual([
    'providers.openai.keys["k"].value is empty: this version reads no vaults, and vault.secret/openai#key is in one; write "env.NAME" for an environment variable',
  ]);
});
