import { type McpClientConfig, mcpClient } from '../config/schema.ts';
import { clientForm, storedSecret } from './client-form.ts';
import { type OverrideKind, type Overrides, type OverridesOptions, openOverrides } from './overrides.ts';

export interface ClientOverridesOptions {
  /** The file that the changes are kept in. */
  readonly path: string;
  /** The MCP clients of the config file. */
  readonly fileClients: readonly McpClientConfig[];
  readonly fileNames?: OverridesOptions<McpClientConfig>['fileNames'];
  readonly encryptionKey?: string | undefined;
}

/** The MCP clients as they were changed through the API, kept over restarts. */
export interface ClientOverrides extends Omit<Overrides<McpClientConfig>, 'entries'> {
  /** What to start with: the file's clients and the changes, merged. */
  readonly clients: readonly McpClientConfig[];
}

const formOf = (config: McpClientConfig) => clientForm(config, storedSecret);

const MCP_CLIENTS: OverrideKind<McpClientConfig> = {
  noun: 'MCP client',
  list: 'clients',
  nameOf: ({ name }) => name,
  formOf,
  parse: (form) => mcpClient.safeParse(form),
  smallest: formOf(mcpClient.parse({ name: 'smallest', connection_type: 'http', connection_string: 'x' })),
};

export async function openClientOverrides(options: ClientOverridesOptions): Promise<ClientOverrides> {
  const { fileClients, ...place } = options;
  const { entries, ...rest } = await openOverrides(MCP_CLIENTS, { ...place, fileEntries: fileClients });
  return { ...rest, clients: entries };
}
