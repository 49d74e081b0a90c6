import { type KeyAccess, keyAccess } from '../config/governance-section.ts';
import { type OverrideKind, type Overrides, type OverridesOptions, openOverrides } from './overrides.ts';

const KEY_ACCESS: OverrideKind<KeyAccess> = {
  noun: 'virtual key',
  list: 'virtual_keys',
  nameOf: ({ id }) => id,
  formOf: ({ id, mcp_configs }) => ({ id, mcp_configs }),
  parse: (form) => keyAccess.safeParse(form),
  smallest: { mcp_configs: [] },
};

/** What virtual keys may use of the MCP clients, as it was changed through the API; kept over restarts, without the keys' values. */
export const openKeyOverrides = (options: OverridesOptions<KeyAccess>): Promise<Overrides<KeyAccess>> =>
  openOverrides(KEY_ACCESS, options);
