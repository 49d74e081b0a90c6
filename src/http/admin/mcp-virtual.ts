import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { type VirtualMcpConfig, virtualMcp } from '../../config/virtual-mcp.ts';
import { ownerOfSlug, slugOf } from '../../mcp/endpoints.ts';
import type { VirtualMcp } from '../../mcp/virtual-mcps.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { pageQuery } from './contract.ts';
import { adminError } from './errors.ts';
import { type KeyRooms, knownKey } from './key-assignments.ts';
import type { McpClients } from './mcp-clients.ts';
import { checkedQuery } from './queries.ts';

/** The virtual MCPs that are served now. */
export interface VirtualMcpList {
  readonly list: readonly VirtualMcp[];
  get(id: string): VirtualMcp | undefined;
  put(config: VirtualMcpConfig): VirtualMcp;
  remove(id: VirtualMcp['id']): void;
}

export interface VirtualMcpRoutes {
  readonly virtualMcps: VirtualMcpList;
  /** Where changes are kept for the next start. */
  readonly virtualMcpStore: {
    put(config: VirtualMcpConfig, formerName?: string): Promise<void>;
    remove(name: string): Promise<void>;
  };
  readonly clients: McpClients;
  readonly keys: KeyRooms['keys'];
}

type ById = Request<{ id: string }>;
type ByKey = Request<{ id: string; virtualKey: string }>;

export function virtualMcpRoutes({ virtualMcps, virtualMcpStore, clients, keys }: VirtualMcpRoutes): Router {
  const router = Router();
  const configs = () => clients.statuses().flatMap(({ id }) => clients.config(id) ?? []);
  const known = (id: string): VirtualMcp => {
    const found = virtualMcps.get(id);
    if (!found) throw adminError(404, 'virtual MCP not found');
    return found;
  };

  /** One that has gone since may stay. */
  const checkKeys = ({ virtual_key_ids: ids }: VirtualMcpConfig, former: readonly string[] = []) => {
    for (const id of ids) if (!former.includes(id)) knownKey(keys.list, id, 400);
  };

  router.get('/mcp/virtual-mcps', (request: Request, response: Response) => {
    response.json(pageOf(virtualMcps.list, request));
  });
  router.get('/mcp/virtual-mcps/:id', (request: ById, response: Response) => {
    response.json({ virtual_mcp: shown(known(request.params.id)) });
  });
  router.post('/mcp/virtual-mcps', async (request: Request, response: Response) => {
    const config = newVirtualMcp(request.body, clients.statuses());
    checkKeys(config);
    checkFree(config, virtualMcps.list);
    const slug = config.endpoint_slug ?? slugOf(config.name);
    const owner = ownerOfSlug(slug, virtualMcps.list, configs());
    if (owner) throw adminError(409, `endpoint_slug '${slug}' is taken by ${owner}`);
    const added = virtualMcps.put(config);
    await virtualMcpStore.put(added).catch((thrown: unknown) => {
      virtualMcps.remove(added.id);
      throw thrown;
    });
    response.status(201).json({ virtual_mcp: shown(added) });
  });
  router.put('/mcp/virtual-mcps/:id', async (request: ById, response: Response) => {
    const current = known(request.params.id);
    const changed = changedVirtualMcp(current, request.body, clients.statuses());
    checkKeys(changed, current.virtual_key_ids);
    checkFree(
      changed,
      virtualMcps.list.filter(({ id }) => id !== current.id),
    );
    await virtualMcpStore.put(changed, current.name);
    response.json({ virtual_mcp: shown(virtualMcps.put(changed)) });
  });
  router.delete('/mcp/virtual-mcps/:id', async (request: ById, response: Response) => {
    const { id, name } = known(request.params.id);
    await virtualMcpStore.remove(name);
    virtualMcps.remove(id);
    response.json({ success: true });
  });
  for (const method of ['post', 'delete'] as const) {
    router[method]('/mcp/virtual-mcps/:id/virtual-keys/:virtualKey', async (request: ByKey, response: Response) => {
      const current = known(request.params.id);
      const { id } = knownKey(keys.list, request.params.virtualKey, 404);
      const others = current.virtual_key_ids.filter((each) => each !== id);
      const changed = {
        ...current,
        virtual_key_ids: method === 'post' ? [...others, id] : others,
        updated_at: new Date().toISOString(),
      };
      await virtualMcpStore.put(changed, current.name);
      response.json({ success: true, virtual_mcp: shown(virtualMcps.put(changed)) });
    });
  }
  return router;
}

function pageOf(list: readonly VirtualMcp[], request: Request): JsonObject {
  const { limit, offset, search } = checkedQuery(pageQuery, request);
  const wanted = search?.toLowerCase() ?? '';
  const matching = list.filter(
    ({ name, endpoint_slug }) => name.toLowerCase().includes(wanted) || endpoint_slug.includes(wanted),
  );
  const page = matching.slice(offset, offset + limit).map(shown);
  return { virtual_mcps: page, count: page.length, total_count: matching.length, limit, offset };
}

const shown = ({
  id,
  name,
  endpoint_slug,
  description,
  enabled,
  tools,
  virtual_key_ids,
  ...rest
}: VirtualMcp): JsonObject => ({
  id,
  name,
  endpoint_slug,
  ...(description !== undefined && { description }),
  enabled,
  tools: tools.map(({ mcp_client_id, mcp_client_name, tool_names }) => ({
    ...(mcp_client_id !== undefined && { mcp_client_id }),
    ...(mcp_client_name !== undefined && { mcp_client_name }),
    tool_names: [...tool_names],
  })),
  virtual_key_ids: [...virtual_key_ids],
  ...moments(rest),
});

/** Those of the config file have none. */
const moments = ({ created_at, updated_at }: Record<string, unknown>): JsonObject => ({
  ...(typeof created_at === 'string' && { created_at }),
  ...(typeof updated_at === 'string' && { updated_at }),
});

type Clients = ReturnType<McpClients['statuses']>;

function newVirtualMcp(body: unknown, clients: Clients): VirtualMcpConfig {
  const { id: _, ...fields } = bodyOf(body);
  if (typeof fields.name !== 'string' || fields.name.trim() === '') throw adminError(400, 'name is required');
  const now = new Date().toISOString();
  return parsed({ ...fields, created_at: now, updated_at: now }, clients);
}

/** The slug is given once; whatever else the body does not name stays. */
function changedVirtualMcp(current: VirtualMcp, body: unknown, clients: Clients): VirtualMcp {
  const { name, description, enabled, tools, virtual_key_ids } = bodyOf(body);
  const given = Object.entries({ name: name || undefined, description, enabled, tools, virtual_key_ids }).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  const changed = { ...current, ...Object.fromEntries(given), updated_at: new Date().toISOString() };
  const checked = parsed(changed, tools === undefined ? undefined : clients);
  return { ...checked, id: current.id, endpoint_slug: current.endpoint_slug };
}

function parsed(fields: object, clients: Clients | undefined): VirtualMcpConfig {
  const result = virtualMcp.safeParse(fields);
  if (!result.success) throw adminError(400, `Invalid virtual MCP: ${z.prettifyError(result.error)}`);
  const { tools } = result.data;
  const names = new Set(clients?.flatMap(({ id, name }) => [id, name]));
  const unknown = tools.map((chosen) => chosen.mcp_client_id ?? chosen.mcp_client_name ?? '');
  const invalid = clients ? unknown.filter((client) => !names.has(client)) : [];
  if (invalid.length > 0) throw adminError(400, `invalid MCP client IDs: ${invalid.join(', ')}`);
  return result.data;
}

function checkFree({ name }: VirtualMcpConfig, others: readonly VirtualMcp[]): void {
  if (others.some((other) => other.name === name)) {
    throw adminError(409, 'a virtual MCP with this name or endpoint already exists');
  }
}

function bodyOf(body: unknown): JsonObject {
  if (isObject(body)) return body;
  throw adminError(400, 'invalid request body');
}
