import { type VirtualMcpConfig, virtualMcp } from '../config/virtual-mcp.ts';
import { type OverrideKind, type Overrides, type OverridesOptions, openOverrides } from './overrides.ts';

const VIRTUAL_MCPS: OverrideKind<VirtualMcpConfig> = {
  noun: 'virtual MCP',
  list: 'virtual_mcps',
  nameOf: ({ name }) => name,
  formOf: (config) => ({ ...config }),
  parse: (form) => virtualMcp.safeParse(form),
  smallest: virtualMcp.parse({ name: 'smallest' }),
};

/** The virtual MCPs as they were changed through the API, kept over restarts. */
export const openVirtualMcpOverrides = (
  options: OverridesOptions<VirtualMcpConfig>,
): Promise<Overrides<VirtualMcpConfig>> => openOverrides(VIRTUAL_MCPS, options);
