import { type Request, type Response, Router } from 'express';
import type { VirtualMcpConfig } from '../../config/virtual-mcp.ts';
import { ownerOfSlug, slugOf } from '../../mcp/endpoints.ts';
import type { VirtualMcp } from '../../mcp/virtual-mcps.ts';
import type { JsonObject } from '../../model/json.ts';
import { adminError } from './errors.ts';
import { type KeyRooms, knownKey } from './key-assignments.ts';
import type { McpClients } from './mcp-clients.ts';
import { checkedQuery } from './queries.ts';
import { pageQuery } from './query-contract.ts';
import { changedVirtualMcp, newVirtualMcp } from './virtual-changes.ts';

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

export function virtualMcpRoutes(rooms: VirtualMcpRoutes): Router {
  const router = Router();
  router.get('/mcp/virtual-mcps', (request: Request, response: Response) => {
    response.json(pageOf(rooms.virtualMcps.list, request));
  });
  router.get('/mcp/virtual-mcps/:id', (request: ById, response: Response) => {
    response.json({ virtual_mcp: shown(known(request.params.id, rooms)) });
  });
  router.post('/mcp/virtual-mcps', async (request: Request, response: Response) => {
    response.status(201).json({ virtual_mcp: shown(await added(request.body, rooms)) });
  });
  router.put('/mcp/virtual-mcps/:id', async (request: ById, response: Response) => {
    const current = known(request.params.id, rooms);
    response.json({ virtual_mcp: shown(await changed(current, request.body, rooms)) });
  });
  router.delete('/mcp/virtual-mcps/:id', async (request: ById, response: Response) => {
    const { id, name } = known(request.params.id, rooms);
    await rooms.virtualMcpStore.remove(name);
    rooms.virtualMcps.remove(id);
    response.json({ success: true });
  });
  for (const method of ['post', 'delete'] as const) {
    router[method]('/mcp/virtual-mcps/:id/virtual-keys/:virtualKey', async (request: ByKey, response: Response) => {
      const current = known(request.params.id, rooms);
      const { id } = knownKey(rooms.keys.list, request.params.virtualKey, 404);
      const others = current.virtual_key_ids.filter((each) => each !== id);
      const keyIds = method === 'post' ? [...others, id] : others;
      response.json({ success: true, virtual_mcp: shown(await withKeys(current, keyIds, rooms)) });
    });
  }
  return router;
}

function known(id: string, { virtualMcps }: VirtualMcpRoutes): VirtualMcp {
  const found = virtualMcps.get(id);
  if (!found) throw adminError(404, 'virtual MCP not found');
  return found;
}

async function added(body: unknown, rooms: VirtualMcpRoutes): Promise<VirtualMcp> {
  const { virtualMcps, virtualMcpStore, clients } = rooms;
  const config = newVirtualMcp(body, clients.statuses());
  checkKeys(config, [], rooms);
  checkFree(config, virtualMcps.list);
  const slug = config.endpoint_slug ?? slugOf(config.name);
  const clientConfigs = clients.statuses().flatMap(({ id }) => clients.config(id) ?? []);
  const owner = ownerOfSlug(slug, virtualMcps.list, clientConfigs);
  if (owner) throw adminError(409, `endpoint_slug '${slug}' is taken by ${owner}`);
  const made = virtualMcps.put(config);
  await virtualMcpStore.put(made).catch((thrown: unknown) => {
    virtualMcps.remove(made.id);
    throw thrown;
  });
  return made;
}

async function changed(current: VirtualMcp, body: unknown, rooms: VirtualMcpRoutes): Promise<VirtualMcp> {
  const { virtualMcps, virtualMcpStore, clients } = rooms;
  const config = changedVirtualMcp(current, body, clients.statuses());
  checkKeys(config, current.virtual_key_ids, rooms);
  const others = virtualMcps.list.filter(({ id }) => id !== current.id);
  checkFree(config, others);
  await virtualMcpStore.put(config, current.name);
  return virtualMcps.put(config);
}

async function withKeys(
  current: VirtualMcp,
  keyIds: string[],
  { virtualMcps, virtualMcpStore }: VirtualMcpRoutes,
): Promise<VirtualMcp> {
  const config = { ...current, virtual_key_ids: keyIds, updated_at: new Date().toISOString() };
  await virtualMcpStore.put(config, current.name);
  return virtualMcps.put(config);
}

/** A key that has gone since may stay. */
function checkKeys({ virtual_key_ids: ids }: VirtualMcpConfig, former: readonly string[], { keys }: VirtualMcpRoutes) {
  for (const id of ids) if (!former.includes(id)) knownKey(keys.list, id, 400);
}

function checkFree({ name }: VirtualMcpConfig, others: readonly VirtualMcp[]): void {
  if (others.some((other) => other.name === name)) {
    throw adminError(409, 'a virtual MCP with this name or endpoint already exists');
  }
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
