import type { NetworkConfig, ProviderKey } from '../../config/schema.ts';
import type { Identity } from '../identity.ts';
import type { Access } from '../provider.ts';

const DEFAULT_REGION = 'us-east-1';

/** The way to Bedrock: by an API key, by AWS credentials, or as the machine says who we are. */
export const bedrockAccess = (key: ProviderKey, network: NetworkConfig): Access => ({
  // empty: where the SDK knows the region to be
  baseUrl: network.base_url?.value.replace(/\/+$/, '') ?? '',
  cloud: { region: regionOf(key) },
  ...credentialsOf(key),
});

/** The way to the newer endpoint, which speaks OpenAI's and Anthropic's formats. */
export const mantleAccess = (key: ProviderKey, network: NetworkConfig): Access => ({
  baseUrl: `${mantleRoot(key, network)}/v1`,
  cloud: { region: regionOf(key) },
  ...credentialsOf(key),
});

export const mantleClaudeAccess = (key: ProviderKey, network: NetworkConfig): Access => ({
  baseUrl: `${mantleRoot(key, network)}/anthropic`,
  cloud: { region: regionOf(key) },
  ...credentialsOf(key),
});

const mantleRoot = (key: ProviderKey, network: NetworkConfig): string =>
  network.base_url?.value.replace(/\/+$/, '').replace(/\/(v1|anthropic)$/, '') ||
  `https://bedrock-mantle.${regionOf(key)}.api.aws`;

const configOf = (key: ProviderKey) => key.bedrock_key_config ?? key.bedrock_mantle_key_config;

/** As the key says, else as its ARN does. */
function regionOf(key: ProviderKey): string {
  const config = configOf(key);
  return config?.region?.value || /^arn:[\w-]+:bedrock:([\w-]+):/.exec(config?.arn?.value ?? '')?.[1] || DEFAULT_REGION;
}

function credentialsOf(key: ProviderKey): Pick<Access, 'apiKey' | 'identity'> {
  if (key.value.value !== '') return { apiKey: key.value.value };
  const config = configOf(key);
  const identity: Identity = {
    type: 'aws',
    ...(config?.access_key?.value && { accessKeyId: config.access_key.value }),
    ...(config?.secret_key?.value && { secretAccessKey: config.secret_key.value }),
    ...(config?.session_token?.value && { sessionToken: config.session_token.value }),
    ...(config?.role_arn?.value && { roleArn: config.role_arn.value }),
    ...(config?.external_id?.value && { externalId: config.external_id.value }),
    ...(config?.session_name?.value && { sessionName: config.session_name.value }),
  };
  return { identity };
}

/** The key with the older `deployments` among its aliases, and every alias below the key's ARN where it has one. */
export function bedrockKey(key: ProviderKey): ProviderKey {
  const config = configOf(key);
  const arn = config?.arn?.value.replace(/\/+$/, '');
  const named = { ...config?.deployments, ...key.aliases };
  const aliases = Object.fromEntries(
    Object.entries(named).map(([name, alias]) => {
      const given = typeof alias === 'string' ? { model_id: alias } : alias;
      const family = given.model_family || given.model_name || `${name} ${given.model_id}`;
      return [name, { ...given, model_id: below(arn, given.model_id), model_family: family }];
    }),
  );
  return { ...key, aliases };
}

/** Profiles and models are named below an ARN such as `arn:aws:bedrock:us-east-1:1234:inference-profile`. */
const below = (arn: string | undefined, id: string): string => (!arn || id.startsWith('arn:') ? id : `${arn}/${id}`);
