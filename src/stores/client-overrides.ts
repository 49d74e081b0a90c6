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
  /** Hears of secrets that are kept in plain text. */
  readonly warn?: (message: string) => void;
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
  const { fileClients, warn, ...place } = options;
  const { entries, ...rest } = await openOverrides(MCP_CLIENTS, { ...place, fileEntries: fileClients });
  const check = (client: McpClientConfig) => {
    if (!place.encryptionKey && holdsSecrets(client)) warn?.(plainTextWarning(client.name, place.path));
  };
  for (const client of entries) if (!fileClients.includes(client)) check(client);
  return {
    ...rest,
    clients: entries,
    async put(client, formerName) {
      await rest.put(client, formerName);
      check(client);
    },
  };
}

const plainTextWarning = (name: string, path: string): string =>
  `MCP client '${name}' has secrets that ${path} keeps in plain text: set encryption_key, or write env.NAME in their place`;

/** Whether a secret stands in the config itself. An address is none, and of environment variables only the name can tell. */
function holdsSecrets({ connection_string: _, ...client }: McpClientConfig): boolean {
  let isFound = (client.stdio_config?.envs ?? []).some((entry) => /(key|token|secret|password)\w*=./i.test(entry));
  clientForm(client, (secret) => {
    isFound ||= secret.ref === undefined && secret.value !== '';
    return '';
  });
  return isFound;
}
