import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { durationMs } from '../../config/durations.ts';
import type { Config } from '../../config/load.ts';
import type { ProviderConfig, ProviderKey } from '../../config/schema.ts';
import { isObject } from '../../model/json.ts';
import { type McpSettings, mcpSettings } from '../../stores/mcp-settings.ts';
import type { ProviderList, ShownProvider } from './contract.ts';
import { adminError } from './errors.ts';
import { shownObject } from './redact.ts';

export interface SystemRoutes {
  readonly version: string;
  readonly config: () => Config;
  readonly settings: {
    readonly shown: McpSettings;
    readonly syncIntervalMs: number;
    change(settings: McpSettings): Promise<void>;
  };
  readonly clients: { syncIntervalMs: number };
}

export function systemRoutes({ version, config, settings, clients }: SystemRoutes): Router {
  const router = Router();
  router.get('/version', (_request: Request, response: Response) => {
    response.json({ version });
  });
  router.get('/config', (_request: Request, response: Response) => {
    response.json({ ...shownObject(config()), client_config: settings.shown });
  });
  router.put('/config', async (request: Request, response: Response) => {
    await settings.change(settingsOf(request.body));
    clients.syncIntervalMs = settings.syncIntervalMs;
    response.json({ status: 'success', message: 'configuration updated successfully' });
  });
  // an older way to say a part of it, in the words of the config file
  router.put('/settings/mcp/tool-manager-config', async (request: Request, response: Response) => {
    await settings.change(managerSettingsOf(request.body));
    response.json({ status: 'success', message: 'configuration updated successfully' });
  });
  router.get('/providers', (_request: Request, response: Response) => {
    response.json(providersOf(config()));
  });
  return router;
}

/** Of `client_config` the settings of MCP; the others are the config file's to say in this version. */
function settingsOf(body: unknown): McpSettings {
  const given = isObject(body) ? body.client_config : undefined;
  if (!isObject(given)) throw adminError(400, 'Invalid request format: client_config is required');
  const parsed = mcpSettings.safeParse(given);
  if (!parsed.success) throw adminError(400, `Invalid client_config: ${z.prettifyError(parsed.error)}`);
  const others = Object.keys(given).filter((name) => !name.startsWith('mcp_'));
  if (others.length === 0) return parsed.data;
  throw adminError(400, `only the mcp_ settings of client_config can be changed here, not ${others.join(', ')}`);
}

/** `mcp.tool_manager_config` as the config file has it, in the names of `client_config`. */
function managerSettingsOf(body: unknown): McpSettings {
  if (!isObject(body)) throw adminError(400, 'Invalid request format: the body must be a JSON object');
  const { tool_execution_timeout: timeout } = body;
  const ms = typeof timeout === 'string' ? durationMs(timeout) : undefined;
  const settings = {
    mcp_agent_depth: body.max_agent_depth,
    mcp_tool_execution_timeout: ms === undefined ? timeout : ms / 1_000,
    mcp_code_mode_binding_level: body.code_mode_binding_level,
    mcp_disable_auto_tool_inject: body.disable_auto_tool_inject,
  };
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return settingsOf({ client_config: Object.fromEntries(given) });
}

function providersOf({ providers }: Config): ProviderList {
  const shown = Object.entries(providers).map(([name, provider]) => shownProvider(name, provider));
  return { providers: shown, total: shown.length };
}

function shownProvider(name: string, provider: ProviderConfig): ShownProvider {
  const { keys, custom_provider_config: custom, concurrency_and_buffer_size: limits } = provider;
  return {
    name,
    keys: keys.map(shownKey),
    ...(custom && { base_provider_type: custom.base_provider_type }),
    ...(limits && {
      concurrency_and_buffer_size: { concurrency: limits.concurrency, buffer_size: limits.buffer_size },
    }),
  };
}

const shownKey = (key: ProviderKey): ShownProvider['keys'][number] => ({
  ...(key.id !== undefined && { id: key.id }),
  name: key.name,
  ...(key.value.ref !== undefined && { reference: key.value.ref }),
  has_value: key.value.value !== '',
  ...(key.models && { models: [...key.models] }),
  blacklisted_models: [...key.blacklisted_models],
  weight: key.weight,
  enabled: key.enabled,
});
