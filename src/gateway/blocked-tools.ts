import type { CatalogTool } from '../mcp/contract.ts';
import type { Caller } from '../model/call.ts';
import { GatewayError } from '../model/errors.ts';
import type { FunctionTool } from '../model/request.ts';
import type { LoggedTools } from './tool-runs.ts';

/**
 * Whether a request to a model may ask for tools that its virtual key does not let through: such a request is refused
 * as a whole there (Bifrost), while at /mcp the two lists are intersected.
 */
export const mayBeBlocked = ({ includeTools, keyTools }: Caller): boolean =>
  includeTools !== undefined && keyTools !== undefined;

/**
 * `inject`: what a request would be given of what its caller sees. Only what would really stand in the request under its
 * own name counts. Throws GatewayError('permission') that names the tools.
 */
export function refuseBlockedTools(
  caller: Caller,
  tools: Pick<LoggedTools, 'catalog' | 'visibleTools'>,
  inject: (caller: Caller) => readonly FunctionTool[],
): void {
  const { keyTools: _, ...withoutKey } = caller;
  const allowed = new Set(tools.visibleTools(caller).map(({ name }: CatalogTool) => name));
  const blocked = inject(withoutKey).filter(({ name }) => tools.catalog.byName.has(name) && !allowed.has(name));
  if (blocked.length === 0) return;
  const names = blocked.map(({ name }) => name).join(', ');
  throw new GatewayError(
    'permission',
    `MCP tools not allowed for virtual key '${caller.keyOwner?.name ?? ''}': ${names}`,
    { type: 'mcp_tool_blocked' },
  );
}
