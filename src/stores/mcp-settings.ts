import { createHash, randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { ToolManagerConfig } from '../config/schema.ts';
import { GatewayError } from '../model/errors.ts';
import { isObject } from '../model/json.ts';

/** The settings of all MCP clients together that may change while the gateway runs, in the original's names and units. */
export const mcpSettings = z.object({
  mcp_agent_depth: z.number().int().positive().optional(),
  /** Seconds. */
  mcp_tool_execution_timeout: z.number().positive().optional(),
  mcp_code_mode_binding_level: z.enum(['server', 'tool']).optional(),
  /** Minutes; 0 = the default. */
  mcp_tool_sync_interval: z.number().min(0).optional(),
  mcp_disable_auto_tool_inject: z.boolean().optional(),
});

export type McpSettings = z.output<typeof mcpSettings>;

export interface McpSettingsOptions {
  readonly path: string;
  readonly toolManager: ToolManagerConfig;
  readonly syncIntervalMs: number;
  /** True when only the config file counts. */
  readonly fileWins: boolean;
}

/** The settings as they are now. */
export interface LiveMcpSettings {
  /** The same object for as long as the gateway runs: whoever reads it when it is needed sees every change. */
  readonly toolManager: ToolManagerConfig;
  readonly syncIntervalMs: number;
  readonly shown: Required<McpSettings>;
  /** Resolves once the change holds and is on the disk. */
  change(settings: McpSettings): Promise<void>;
}

const DEFAULT_SYNC_MS = 600_000;
const MINUTE_MS = 60_000;

const stored = z.object({ version: z.literal(1), file_hash: z.string(), settings: mcpSettings });

/**
 * A change made here holds until the config file says something else, as the original has it for
 * `source_of_truth: split`. Throws GatewayError when the file of changes is there and cannot be read.
 */
export async function openMcpSettings(options: McpSettingsOptions): Promise<LiveMcpSettings> {
  const { path, fileWins } = options;
  const hash = createHash('sha256')
    .update(JSON.stringify([options.toolManager, options.syncIntervalMs]))
    .digest('hex');
  const kept = fileWins ? undefined : await readStored(path);
  let settings: McpSettings = kept?.file_hash === hash ? kept.settings : {};
  const toolManager = { ...options.toolManager };
  const sync = { ms: options.syncIntervalMs };
  const apply = (given: McpSettings): void => {
    Object.assign(toolManager, managerOf(given));
    const { mcp_tool_sync_interval: minutes } = given;
    if (minutes !== undefined) sync.ms = minutes * MINUTE_MS || DEFAULT_SYNC_MS;
  };
  apply(settings);
  return {
    toolManager,
    get syncIntervalMs() {
      return sync.ms;
    },
    get shown() {
      return shownSettings(toolManager, sync.ms);
    },
    async change(given) {
      const next = { ...settings, ...given };
      await writeStored(path, { version: 1, file_hash: hash, settings: next });
      settings = next;
      apply(given);
    },
  };
}

function managerOf(settings: McpSettings): Partial<ToolManagerConfig> {
  const { mcp_agent_depth: depth, mcp_tool_execution_timeout: seconds } = settings;
  const { mcp_code_mode_binding_level: level, mcp_disable_auto_tool_inject: onlyOnDemand } = settings;
  return {
    ...(depth !== undefined && { max_agent_depth: depth }),
    ...(seconds !== undefined && { tool_execution_timeout: seconds * 1_000 }),
    ...(level !== undefined && { code_mode_binding_level: level }),
    ...(onlyOnDemand !== undefined && { disable_auto_tool_inject: onlyOnDemand }),
  };
}

const shownSettings = (manager: ToolManagerConfig, syncIntervalMs: number): Required<McpSettings> => ({
  mcp_agent_depth: manager.max_agent_depth,
  mcp_tool_execution_timeout: manager.tool_execution_timeout / 1_000,
  mcp_code_mode_binding_level: manager.code_mode_binding_level === 'tool' ? 'tool' : 'server',
  mcp_tool_sync_interval: syncIntervalMs / MINUTE_MS,
  mcp_disable_auto_tool_inject: manager.disable_auto_tool_inject,
});

async function readStored(path: string): Promise<z.output<typeof stored> | undefined> {
  try {
    return stored.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    if (isObject(cause) && cause.code === 'ENOENT') return undefined;
    const message = `${path} holds the MCP settings changed through the API and cannot be read; mend or remove it`;
    throw new GatewayError('internal', message, { cause });
  }
}

async function writeStored(path: string, value: z.output<typeof stored>): Promise<void> {
  const draft = `${path}.${randomUUID()}.tmp`;
  await writeFile(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, path);
}
