import type { McpClientConfig, ToolMode } from '../config/schema.ts';
import { ownValue } from '../model/json.ts';
import type { Catalog, CatalogTool } from './contract.ts';
import { allows, type CallerFilters, type ClientRules, refusalOf } from './filters.ts';
import { compareNames, type ListedTool } from './listed-tools.ts';

/** One client's part of the catalog. */
export interface CatalogSource {
  readonly config: McpClientConfig;
  readonly listed: readonly ListedTool[];
}

const NO_FILTERS: CallerFilters = {};

/** Everything the clients offer, by client and then by tool, without what their own rules hide. */
export function buildCatalog(version: number, sources: readonly CatalogSource[]): Catalog {
  const ordered = [...sources].sort((a, b) => compareNames(a.config.name, b.config.name));
  const tools = ordered.flatMap(({ config, listed }) => offeredTools(config, listed));
  return Object.freeze({
    version,
    tools: Object.freeze(tools),
    byName: new Map(tools.map((tool) => [tool.name, tool])),
  });
}

/** The tools that the client's rules let through, in the order of the list. */
export function offeredTools(client: ClientRules, listed: readonly ListedTool[]): CatalogTool[] {
  return listed
    .map((tool) => catalogTool(client, tool))
    .filter((tool) => refusalOf(tool, client, NO_FILTERS) === undefined);
}

/** `<client>-<tool>`; a client's name has no hyphen, so the first one separates. */
export const exposedName = (client: string, upstreamName: string): string => `${client}-${upstreamName}`;

function catalogTool(client: ClientRules, tool: ListedTool): CatalogTool {
  const { upstreamName } = tool;
  const mode = toolModeOf(client);
  const priceUsd = ownValue(client.tool_pricing ?? {}, upstreamName);
  return Object.freeze({
    ...tool,
    name: exposedName(client.name, upstreamName),
    clientId: client.client_id ?? '',
    clientName: client.name,
    autoExecute: allows(client.tools_to_execute, upstreamName) && allows(client.tools_to_auto_execute, upstreamName),
    ...(client.sampling?.enabled && { asksModels: true }),
    ...(mode !== 'direct' && { mode }),
    ...(priceUsd !== undefined && { priceUsd }),
  });
}

/** `tool_mode` wins over the older flag. */
const toolModeOf = ({ tool_mode: mode, is_code_mode_client: isCode }: ClientRules): ToolMode =>
  mode ?? (isCode ? 'code' : 'direct');
