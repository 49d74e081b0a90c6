import { z } from 'zod';
import { duration, milliseconds } from './durations.ts';
import { secret } from './secrets.ts';
import { whiteList } from './white-list.ts';
import { withoutEffect } from './without-effect.ts';

/** A name's id at the provider; beside it, where that model lives when not where the key says. */
const keyAlias = z
  .union([
    z.string(),
    z.looseObject({
      model_id: z.string().describe('The id at the provider: a model, a deployment, an inference profile.'),
      model_name: z.string().optional().describe('The name of the model, where its id does not tell it.'),
      model_family: z
        .string()
        .optional()
        .describe('Its family, where neither id nor name tells: claude, gpt, gemini...'),
      endpoint: secret.optional().describe('Azure: in place of the endpoint of the key.'),
      api_version: secret.optional().describe('Azure: in place of the api_version of the key.'),
      region: secret.optional().describe('Bedrock and Vertex: in place of the region of the key.'),
      project_id: secret.optional().describe('Vertex: in place of the project of the key.'),
    }),
  ])
  .meta({ id: 'alias', description: 'The id at the provider, or an object that tells where that model lives too.' });

const aliases = z.record(z.string(), keyAlias).default({});

const azureKey = z.looseObject({
  endpoint: secret
    .prefault('')
    .describe('https://<resource>.openai.azure.com, or the address of the Foundry resource.'),
  api_version: secret.optional().describe("Of Azure's own paths (2024-10-21...); preview or v1 asks at /openai/v1."),
  client_id: secret.optional().describe('Microsoft Entra: the application that signs in, where value is empty.'),
  client_secret: secret.optional().describe('Microsoft Entra: the secret of client_id.'),
  tenant_id: secret.optional().describe('Microsoft Entra: the tenant of client_id.'),
  scopes: z.array(z.string()).default([]).describe('Microsoft Entra: what the token is for; empty = the usual scope.'),
  authority_host: secret
    .optional()
    .describe('Microsoft Entra: where tokens come from, when not from the public cloud.'),
});

const vertexKey = z.looseObject({
  project_id: secret.optional().describe('The Google Cloud project.'),
  project_number: secret.optional().describe('The number of the project, in place of project_id.'),
  region: secret.optional().describe('us-east5, europe-west1, global...'),
  auth_credentials: secret
    .optional()
    .describe(
      "The JSON of a credentials file, such as a service account's; absent = the machine's own, where value is empty too.",
    ),
});

const bedrockKey = z
  .looseObject({
    access_key: secret
      .optional()
      .describe("AWS credentials, where value holds no Bedrock API key; absent = the machine's own."),
    secret_key: secret.optional().describe('The secret of access_key.'),
    session_token: secret.optional().describe('Of temporary credentials.'),
    region: secret.optional().describe('Absent = that of arn, else us-east-1.'),
    arn: secret
      .optional()
      .describe('What the ids of aliases stand below: arn:aws:bedrock:us-east-1:1234:inference-profile.'),
    role_arn: secret.optional().describe('A role to assume.'),
    external_id: secret.optional().describe('What the role asks for.'),
    session_name: secret.optional().describe('How the assumed role is called in the logs of AWS.'),
    deployments: z.record(z.string(), keyAlias).default({}).describe('The older place of aliases.'),
  })
  .meta({ id: 'bedrock_key' });

const urlKey = z.looseObject({ url: secret.describe('The address of the server.') });

export const providerKey = z.looseObject({
  id: z.string().optional().describe('How x-bf-api-key-id and pricing_overrides name it.'),
  name: z.string().default('').describe('How logs, metrics and x-bf-api-key name it.'),
  value: secret.prefault('').describe('The key itself, best as "env.NAME".'),
  models: whiteList.optional().describe('The models that it serves; ["*"] or absent = all.'),
  blacklisted_models: z.array(z.string()).default([]).describe('Models that it never serves.'),
  weight: z.number().min(0).default(1).describe('Its share of the requests among the keys that serve a model.'),
  enabled: z.boolean().default(true).describe('false = as if it were not there.'),
  use_for_batch_api: z
    .boolean()
    .optional()
    .describe('Files and batches go with such keys only; with any where no key of the provider is one.'),
  aliases: aliases.describe('Names that callers use for models, and their ids at the provider.'),
  ollama_key_config: urlKey.optional().describe('For ollama.'),
  vllm_key_config: urlKey
    .extend({ model_name: z.string().optional().describe('The model that this server serves.') })
    .optional()
    .describe('For vllm.'),
  sgl_key_config: urlKey.optional().describe('For sgl.'),
  databricks_key_config: z
    .looseObject({
      workspace_url: secret.describe('https://<workspace>.cloud.databricks.com'),
      api_format: withoutEffect(z.string().default('auto')),
      forward_gateway_tags: withoutEffect(z.boolean().default(false)),
    })
    .optional()
    .describe('For databricks.'),
  replicate_key_config: z
    .looseObject({ use_deployments_endpoint: withoutEffect(z.boolean().default(false)) })
    .optional()
    .describe('For replicate.'),
  azure_key_config: azureKey.optional().describe('For azure.'),
  vertex_key_config: vertexKey.optional().describe('For vertex.'),
  bedrock_key_config: bedrockKey.optional().describe('For bedrock.'),
  bedrock_mantle_key_config: bedrockKey.optional().describe('For bedrock_mantle.'),
});

export const networkConfig = z.looseObject({
  base_url: secret.optional().describe('Where the provider is, when not at its usual address.'),
  extra_headers: z.record(z.string(), secret).default({}).describe('Sent with every request.'),
  default_request_timeout_in_seconds: z
    .number()
    .positive()
    .default(300)
    .describe('Until the headers of a stream, or all of any other answer, must have come.'),
  max_retries: z.number().int().min(0).default(0).describe('How often a failed request is sent again.'),
  retry_backoff_initial: duration(milliseconds)
    .prefault('500ms')
    .describe('The pause before the first retry, doubled for each; a bare integer is milliseconds.'),
  retry_backoff_max: duration(milliseconds)
    .prefault('5s')
    .describe('The longest pause; a bare integer is milliseconds.'),
  stream_idle_timeout_in_seconds: z
    .number()
    .min(5)
    .max(3_600)
    .default(120)
    .describe('How long a stream may say nothing before it is given up.'),
  keep_alive_timeout_in_seconds: z
    .number()
    .positive()
    .max(86_400)
    .optional()
    .describe('How long a connection without requests is kept at most; absent = 60, or as the provider offers.'),
  enforce_http2: z
    .boolean()
    .default(false)
    .describe('Speak HTTP/2 where the provider has it over TLS, and HTTP/1.1 elsewhere and through proxies.'),
  allow_private_network: z
    .boolean()
    .optional()
    .describe('Always allowed: who writes this file says where providers are.'),
  max_conns_per_host: z.number().int().positive().max(10_000).default(5_000).describe('Connections open at a time.'),
  insecure_skip_verify: z.boolean().default(false).describe('true: any certificate is taken.'),
  ca_cert_pem: secret.optional().describe('A certificate trusted beside the usual authorities.'),
  beta_header_overrides: z
    .record(z.string(), z.boolean())
    .default({})
    .describe('By flag of anthropic-beta, or its beginning: whether it may be sent there.'),
});

const proxyConfig = z
  .looseObject({
    type: z
      .enum(['none', 'http', 'socks5', 'environment'])
      .default('none')
      .describe('environment = as HTTPS_PROXY, HTTP_PROXY and NO_PROXY say.'),
    url: secret.optional().describe('The address of the proxy, for example http://proxy:3128.'),
    username: secret.optional().describe('Shown to the proxy.'),
    password: secret.optional().describe('Shown to the proxy.'),
    ca_cert_pem: secret.optional().describe('A certificate trusted beside the usual authorities.'),
  })
  .refine(({ type, url }) => (type !== 'http' && type !== 'socks5') || url !== undefined, {
    path: ['url'],
    message: 'is missing: write the address of the proxy, for example http://proxy:3128',
  });

const BASE_TYPES = ['openai', 'anthropic', 'bedrock', 'cohere', 'gemini', 'replicate', 'huggingface'] as const;

const customProvider = z.looseObject({
  base_provider_type: z.enum(BASE_TYPES).describe('The provider whose API it speaks.'),
  is_key_less: z.boolean().default(false).describe('true: it takes no key.'),
  allowed_requests: z
    .record(z.string(), z.boolean())
    .optional()
    .describe('What it may be asked, each as true: chat_completion, embedding...; absent = everything.'),
  request_path_overrides: z
    .record(z.string(), z.string())
    .default({})
    .describe('Paths below base_url, or whole addresses, by what is asked: chat_completion, embedding...'),
});

/** As in the original, 0 asks for the usual. */
const countOr = (usual: number) =>
  z
    .number()
    .int()
    .min(0)
    .default(usual)
    .transform((count) => count || usual);

const callLimits = z.looseObject({
  concurrency: countOr(1_000).describe('Calls sent at once.'),
  buffer_size: countOr(5_000).describe('Calls that may wait, in their order; see client.drop_excess_requests.'),
});

export const provider = z.looseObject({
  keys: z.array(providerKey).default([]).describe('The keys it is asked with; a request takes one of them.'),
  network_config: networkConfig.prefault({}).describe('Address, timeouts, retries and connections.'),
  proxy_config: proxyConfig.optional().describe('The way to it through a proxy.'),
  concurrency_and_buffer_size: callLimits
    .optional()
    .describe('How many calls it is sent at once, and how many may wait; absent = as many as come.'),
  custom_provider_config: customProvider
    .optional()
    .describe('For a provider under a name of your own, at network_config.base_url.'),
  openai_config: z
    .looseObject({
      disable_store: z
        .boolean()
        .default(false)
        .describe('Ask OpenAI to store nothing (store: false), whatever clients say.'),
    })
    .prefault({})
    .describe('For openai, and for custom providers based on it.'),
  send_back_raw_request: z.boolean().default(false).describe('Show what was sent in extra_fields.raw_request.'),
  send_back_raw_response: z.boolean().default(false).describe('Show what came back in extra_fields.raw_response.'),
  store_raw_request_response: z
    .boolean()
    .default(false)
    .describe('Keep what is sent in chats, and what comes back, in the log as it travelled.'),
});
