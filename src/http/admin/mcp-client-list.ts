import type { VirtualKeyConfig } from '../../config/governance-section.ts';
import type { McpClientConfig } from '../../config/schema.ts';
import { redacted } from '../../config/secrets.ts';
import { toolsGivenBy } from '../../governance/virtual-keys.ts';
import type { CatalogTool, ClientStatus } from '../../mcp/contract.ts';
import { slugOf } from '../../mcp/endpoints.ts';
import { isForEveryKey } from '../../mcp/filters.ts';
import { isObject } from '../../model/json.ts';
import { type ClientForm, clientForm } from '../../stores/client-form.ts';
import type { ClientFacets, ClientList, ShownClient, ShownTool } from './contract.ts';
import type { ClientQuery } from './query-contract.ts';
import { shownObject } from './redact.ts';

interface Clients {
  statuses(): readonly ClientStatus[];
  config(id: string): McpClientConfig | undefined;
}

type Listed = readonly [status: ClientStatus, config: McpClientConfig];

type Keys = readonly VirtualKeyConfig[];

const listed = (clients: Clients): Listed[] =>
  clients.statuses().flatMap((status): Listed[] => {
    const config = clients.config(status.id);
    return config ? [[status, config]] : [];
  });

export function clientList(clients: Clients, keys: Keys, query: ClientQuery): ClientList {
  const { limit, offset } = query;
  const matching = listed(clients).filter((client) => matches(client, keys, query));
  const page = matching.slice(offset, offset + limit).map(([status, config]) => shownClient(status, config, keys));
  return { clients: page, count: page.length, total_count: matching.length, limit, offset };
}

/** Each given filter must hold; of a list, one entry. */
function matches([status, config]: Listed, keys: Keys, query: ClientQuery): boolean {
  const { search, server, state, connection_type: types, auth_type: auths, virtual_keys: asked } = query;
  const isOneOf = (list: readonly string[], ...values: string[]) =>
    list.length === 0 || values.some((value) => list.includes(value));
  const isAsked = (asked: boolean | undefined, is: boolean) => asked === undefined || asked === is;
  return (
    (!search || config.name.toLowerCase().includes(search.toLowerCase())) &&
    isOneOf(server, status.id, config.name) &&
    (state.length === 0 || state.some((asked) => isInState(status, asked))) &&
    isOneOf(types, config.connection_type) &&
    isOneOf(auths, config.auth_type || 'headers') &&
    isOneOf(asked, ...assignments(config, keys).flatMap((each) => [each.virtual_key_id, each.virtual_key_name])) &&
    isAsked(query.all_virtual_keys, isForEveryKey(config)) &&
    isAsked(query.code_mode, (config.tool_mode ?? (config.is_code_mode_client ? 'code' : '')) === 'code') &&
    isAsked(query.disabled, config.disabled)
  );
}

/** As in the original `unstable` is whatever is not healthy; the other states stand for themselves. */
const isInState = ({ state }: ClientStatus, asked: string): boolean =>
  state === asked || (asked === 'unstable' && state !== 'healthy');

export function clientFacets(clients: Clients): ClientFacets {
  const all = listed(clients);
  const sorted = (values: readonly string[]) => [...new Set(values)].sort();
  return {
    connection_types: sorted(all.map(([, config]) => config.connection_type)),
    auth_types: sorted(all.map(([, config]) => config.auth_type || 'headers')),
    states: sorted(all.map(([status]) => status.state)),
  };
}

/** The keys that name this client, with what each of them lets through. */
const assignments = (config: McpClientConfig, keys: Keys): ShownClient['vk_configs'] =>
  keys.flatMap((key) => {
    const tools = toolsGivenBy(key, config);
    return tools ? [{ virtual_key_id: key.id, virtual_key_name: key.name, tools_to_execute: [...tools] }] : [];
  });

/** Both names are written, as in the original. */
const byDefault = (config: McpClientConfig) => ({
  allow_by_default: isForEveryKey(config),
  allow_on_all_virtual_keys: isForEveryKey(config),
});

/** A document may be megabytes; `GET /api/mcp/client/{id}/openapi-spec` gives it. The rest is redacted as it is. */
function shownForm(config: McpClientConfig): ClientForm {
  const { openapi_config: openapi, ...form } = clientForm(config, redacted);
  if (!isObject(openapi)) return shownObject(form);
  const { spec, ...rest } = openapi;
  return { ...shownObject(form), openapi_config: { ...rest, has_spec: spec !== undefined } };
}

function shownClient(status: ClientStatus, config: McpClientConfig, keys: Keys): ShownClient {
  const { id, name, state, hiddenTools, restarts, stderr, lastFailure, serverInfo, pid, isStale, isResting } = status;
  return {
    config: {
      ...shownForm(config),
      client_id: id,
      name,
      endpoint_slug: config.endpoint_slug ?? slugOf(name),
      connection_type: config.connection_type,
      ...byDefault(config),
    },
    state,
    tools: status.tools.map(shownTool).sort((a, b) => (a.name < b.name ? -1 : 1)),
    hidden_tools: [...hiddenTools],
    held_tools: status.heldTools.map(({ tool, why }) => ({ tool, why })),
    flagged_tools: status.flaggedTools.map(({ tool, findings }) => ({
      tool,
      severity: findings[0]?.severity ?? 'low',
      rules: [...new Set(findings.map(({ rule }) => rule))],
    })),
    restarts,
    vk_configs: assignments(config, keys),
    is_stale: isStale,
    is_resting: isResting,
    stderr: [...stderr],
    // what is over is no diagnosis
    ...(lastFailure && state !== 'healthy' && { last_failure: lastFailure }),
    ...(serverInfo && { server_info: serverInfo }),
    ...(pid !== undefined && { pid }),
  };
}

const shownTool = (tool: CatalogTool): ShownTool => ({
  name: tool.name,
  upstream_name: tool.upstreamName,
  ...(tool.description !== undefined && { description: tool.description }),
  parameters: tool.inputSchema,
  annotations: { ...tool.annotations },
  auto_execute: tool.autoExecute,
});
