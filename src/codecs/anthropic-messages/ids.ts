import { GatewayIds } from '../gateway-ids.ts';

/** Ids of the `mcp_tool_use` blocks that show calls of the gateway. */
export const gatewayIds = new GatewayIds('mcptoolu_bf');

/** Ids of the `server_tool_use` blocks that show searches of the gateway over tools left out of the prompt. */
export const searchIds = new GatewayIds('srvtoolu_bf');

/** Tool-call ids must match ^[a-zA-Z0-9_-]+$ (Anthropic Messages API, tool_use.id). */
export const wireCallId = (id: string): string => id.replace(/[^a-zA-Z0-9_-]/g, '_');

/** Gives each call an id that no other call of the same body has; same calls in, same ids out. */
export function uniqueIds(toWire: (id: string) => string = wireCallId): (id: string) => string {
  const taken = new Set<string>();
  const copies = new Map<string, number>();
  return (id) => {
    const base = toWire(id) || 'toolu';
    let unique = base;
    for (let copy = copies.get(base) ?? 2; taken.has(unique); copy++) {
      unique = `${base}_${copy}`;
      copies.set(base, copy);
    }
    taken.add(unique);
    return unique;
  };
}
