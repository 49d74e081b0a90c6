import { z } from 'zod';
import { type VirtualMcpConfig, virtualMcp } from '../../config/virtual-mcp.ts';
import type { ClientStatus } from '../../mcp/contract.ts';
import type { VirtualMcp } from '../../mcp/virtual-mcps.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { adminError } from './errors.ts';

/** What an MCP client may be named by. */
type Clients = readonly Pick<ClientStatus, 'id' | 'name'>[];

/** Throws an error of the admin API for a body that says no virtual MCP. */
export function newVirtualMcp(body: unknown, clients: Clients): VirtualMcpConfig {
  const { id: _, ...fields } = bodyOf(body);
  if (typeof fields.name !== 'string' || fields.name.trim() === '') throw adminError(400, 'name is required');
  const now = new Date().toISOString();
  return parsed({ ...fields, created_at: now, updated_at: now }, clients);
}

/** The slug is given once; whatever else the body does not name stays. */
export function changedVirtualMcp(current: VirtualMcp, body: unknown, clients: Clients): VirtualMcp {
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
  const known = clients && new Set(clients.flatMap(({ id, name }) => [id, name]));
  const named = result.data.tools.map((chosen) => chosen.mcp_client_id ?? chosen.mcp_client_name ?? '');
  const invalid = known ? named.filter((client) => !known.has(client)) : [];
  if (invalid.length > 0) throw adminError(400, `invalid MCP client IDs: ${invalid.join(', ')}`);
  return result.data;
}

function bodyOf(body: unknown): JsonObject {
  if (isObject(body)) return body;
  throw adminError(400, 'invalid request body');
}
