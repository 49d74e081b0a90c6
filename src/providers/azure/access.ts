import type { NetworkConfig, ProviderKey } from '../../config/schema.ts';
import { GatewayError } from '../../model/errors.ts';
import type { Identity } from '../identity.ts';
import type { Access } from '../provider.ts';

/** What the original asks for when the key says nothing. */
export const DEFAULT_API_VERSION = '2024-08-01-preview';

const DEFAULT_AUTHORITY = 'https://login.microsoftonline.com';
const DEFAULT_SCOPE = 'https://cognitiveservices.azure.com/.default';

/** The way to a resource's OpenAI API. Throws GatewayError that says what is missing. */
export const azureAccess = (key: ProviderKey, network: NetworkConfig): Access => ({
  baseUrl: `${resourceOf(key, network)}/openai`,
  cloud: { apiVersion: key.azure_key_config?.api_version?.value || DEFAULT_API_VERSION },
  ...credentialsOf(key),
});

/** The way to the Claude models of the same resource. */
export const claudeAccess = (key: ProviderKey, network: NetworkConfig): Access => ({
  baseUrl: `${resourceOf(key, network)}/anthropic`,
  ...credentialsOf(key),
});

/** The resource without the paths that people copy along from the portal. */
function resourceOf({ name, azure_key_config: config }: ProviderKey, network: NetworkConfig): string {
  const given = config?.endpoint.value || network.base_url?.value;
  if (given) return given.replace(/\/+$/, '').replace(/\/(openai|anthropic)(\/v1)?$/, '');
  throw new GatewayError(
    'invalid-request',
    `nothing says where key "${name}" of provider "azure" leads: set azure_key_config.endpoint, for example https://my-resource.openai.azure.com`,
    { provider: 'azure' },
  );
}

function credentialsOf(key: ProviderKey): Pick<Access, 'apiKey' | 'identity'> {
  if (key.value.value !== '') return { apiKey: key.value.value };
  const identity = entraIdentity(key);
  if (identity) return { identity };
  throw new GatewayError(
    'authentication',
    `key "${key.name}" of provider "azure" is empty: set its value, or client_id, client_secret and tenant_id in azure_key_config`,
    { provider: 'azure' },
  );
}

function entraIdentity({ azure_key_config: config }: ProviderKey): Identity | undefined {
  const tenantId = config?.tenant_id?.value;
  const clientId = config?.client_id?.value;
  const clientSecret = config?.client_secret?.value;
  if (!config || !tenantId || !clientId || !clientSecret) return undefined;
  return {
    type: 'entra',
    authority: (config.authority_host?.value || DEFAULT_AUTHORITY).replace(/\/+$/, ''),
    tenantId,
    clientId,
    clientSecret,
    scopes: config.scopes.length > 0 ? config.scopes : [DEFAULT_SCOPE],
  };
}
