import type { IncomingHttpHeaders } from 'node:http';
import { type Request, type Response, Router } from 'express';
import { isClientSlug } from '../../mcp/endpoints.ts';
import { narrowedTo } from '../../mcp/filters.ts';
import { type InspectedClient, type InspectedTool, inspected } from '../../mcp/inspection.ts';
import type { Caller } from '../../model/call.ts';
import type { CatalogInspection } from './contract.ts';
import { adminError } from './errors.ts';
import type { McpClients } from './mcp-clients.ts';
import { checkedQuery } from './queries.ts';
import { inspectQuery } from './query-contract.ts';

/** The ways of a request, as far as they decide which tools it is given. */
export interface Inspected {
  /** Resolves once the servers have had their chance to come up: requests wait for that as well. */
  ready(): Promise<void> | undefined;
  callerOf(headers: IncomingHttpHeaders): Caller;
  /** The caller at /mcp/<slug> of a virtual MCP; undefined when there is none. */
  atVirtualMcp(slug: string, caller: Caller): Caller | undefined;
  /** Names of the tools that a model or an MCP caller is given, meta tools among them. */
  offered(caller: Caller): readonly string[];
  /** `disable_auto_tool_inject`. */
  onlyOnDemand(): boolean;
}

export interface InspectRoutes {
  readonly clients: McpClients;
  readonly inspect: Inspected;
}

/** Which tools would a request with these headers see, in which form, and why not the others. */
export function inspectRoutes({ clients, inspect }: InspectRoutes): Router {
  const router = Router();
  router.get('/mcp/catalog/inspect', async (request: Request, response: Response) => {
    await inspect.ready();
    const { slug, tools: ownNames, model } = checkedQuery(inspectQuery, request);
    const known = clients.statuses().flatMap((status): InspectedClient[] => {
      const config = clients.config(status.id);
      return config ? [[status, config]] : [];
    });
    const caller = callerAt(slug, inspect.callerOf(request.headers), known, inspect);
    const onlyOnDemand = inspect.onlyOnDemand();
    const found = inspected(known, { caller, ownNames, onlyOnDemand });
    const body: CatalogInspection = {
      caller: shownCaller(caller),
      ...(slug !== undefined && { slug }),
      ...(model !== undefined && { model }),
      tools: found.map(shownTool),
      visible_count: found.filter(({ isVisible }) => isVisible).length,
      offered: [...inspect.offered(caller)],
      clients: known.map((client) => shownClient(client, found)),
    };
    response.json(body);
  });
  return router;
}

function callerAt(
  slug: string | undefined,
  caller: Caller,
  clients: readonly InspectedClient[],
  inspect: Inspected,
): Caller {
  if (slug === undefined) return caller;
  const virtual = inspect.atVirtualMcp(slug, caller);
  if (virtual) return virtual;
  const client = clients.find(([, config]) => isClientSlug(config, slug));
  if (!client) throw adminError(404, `there is neither a virtual MCP nor an MCP client at /mcp/${slug}`);
  return narrowedTo(caller, [`${client[1].name}-*`]);
}

const shownCaller = ({ userAgent, includeClients, includeTools, virtualKey }: Caller): CatalogInspection['caller'] => ({
  ...(userAgent !== undefined && { user_agent: userAgent }),
  ...(includeClients && { include_clients: [...includeClients] }),
  ...(includeTools && { include_tools: [...includeTools] }),
  has_virtual_key: virtualKey !== undefined,
});

const shownTool = (tool: InspectedTool): CatalogInspection['tools'][number] => ({
  name: tool.name,
  client: tool.client,
  upstream_name: tool.upstreamName,
  visible: tool.isVisible,
  ...(tool.why && { reason: tool.why }),
  ...(tool.refusal !== undefined && { explanation: tool.refusal }),
  tool_mode: tool.mode,
  auto_execute: tool.autoExecute,
  injected: tool.isInjected,
  ...(tool.whyNotInjected && { not_injected_because: tool.whyNotInjected }),
});

/** A client that never connected lists nothing, and says why here. */
function shownClient([status, config]: InspectedClient, tools: readonly InspectedTool[]) {
  const own = tools.filter(({ client }) => client === config.name);
  return {
    name: config.name,
    state: status.state,
    tool_count: own.length,
    visible_count: own.filter(({ isVisible }) => isVisible).length,
    ...(status.lastFailure && status.state !== 'healthy' && { last_failure: status.lastFailure.message }),
  };
}
