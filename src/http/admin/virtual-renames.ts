import type { McpClientConfig } from '../../config/schema.ts';
import type { VirtualMcpConfig } from '../../config/virtual-mcp.ts';
import type { VirtualMcp } from '../../mcp/virtual-mcps.ts';

/** The virtual MCPs, and where it is kept what the API changes of them. */
export interface VirtualMcpRooms {
  readonly virtualMcps: {
    readonly list: readonly VirtualMcp[];
    put(config: VirtualMcpConfig): VirtualMcp;
  };
  readonly virtualMcpStore: { put(config: VirtualMcpConfig, formerName?: string): Promise<void> };
}

/** Virtual MCPs that name a client by a name which it had until now name it by its id from now on. */
export async function keepChosen(
  { client_id: id }: Pick<McpClientConfig, 'client_id'>,
  formerName: string,
  { virtualMcps, virtualMcpStore }: VirtualMcpRooms,
): Promise<void> {
  const isFormer = ({ mcp_client_id: byId, mcp_client_name: byName }: VirtualMcpConfig['tools'][number]) =>
    (byId ?? byName) === formerName;
  for (const virtualMcp of virtualMcps.list.filter(({ tools }) => tools.some(isFormer))) {
    const tools = virtualMcp.tools.map((chosen) =>
      isFormer(chosen) ? { mcp_client_id: id, tool_names: chosen.tool_names } : chosen,
    );
    const changed = { ...virtualMcp, tools };
    await virtualMcpStore.put(changed, virtualMcp.name);
    virtualMcps.put(changed);
  }
}
