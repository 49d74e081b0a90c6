import { nearest } from '../config/nearest.ts';
import type { NetworkConfig, ProviderConfig, ProviderKey } from '../config/schema.ts';
import type { Secret } from '../config/secrets.ts';
import { GatewayError } from '../model/errors.ts';
import { timerMs } from '../model/timer-ms.ts';
import { azure } from './azure/deployments.ts';
import { googleBaseUrl, openAiBaseUrl, rootOf } from './base-url.ts';
import { bedrock, bedrockMantle } from './bedrock/deployments.ts';
import { chatless } from './chatless.ts';
import { placing } from './hosting.ts';
import { mockDeployment } from './mock.ts';
import { openAiCompatible } from './openai-compatible.ts';
import { ownServerOperations, withOperations } from './operations/offers.ts';
import type { ConfiguredProviders, Deployment, Operation, Provider, ScriptedDeployment } from './provider.ts';
import { storingAsAllowed } from './storing.ts';
import type { UpstreamTarget } from './upstream.ts';
import { vertex } from './vertex/deployments.ts';

const anthropic: Deployment = {
  name: 'anthropic',
  speaks: ['anthropic-messages'],
  sdk: 'anthropic',
  baseUrl: 'https://api.anthropic.com',
  keyVariables: ['ANTHROPIC_API_KEY', 'ANTHROPIC_KEY'],
  wire: { webSearch: 'tool' },
  runsServerTools: true,
};

const gemini: Deployment = {
  name: 'gemini',
  speaks: ['gemini'],
  mostTools: 512,
  sdk: 'google',
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
  keyVariables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
  wire: {},
};

/** Every provider that needs no more than a key, or not even that. */
export const builtInDeployments: readonly Deployment[] = [
  anthropic,
  gemini,
  azure,
  vertex,
  bedrock,
  bedrockMantle,
  ...openAiCompatible,
  ...chatless,
].map(withOperations);

const builtIn: ReadonlyMap<string, Deployment> = new Map(builtInDeployments.map((entry) => [entry.name, entry]));

/** Names of the original's other providers: known, so that `azure/gpt-4o` is not taken for a model's own name. */
const SPOKEN_ELSEWHERE: ReadonlySet<string> = new Set(['github-copilot', 'typesafe']);

export interface Providers {
  readonly byName: ConfiguredProviders;
  /** What is wrong with the providers that were left out: a sentence each. */
  readonly problems: readonly string[];
}

/** Why a provider that is not configured cannot be used; undefined when the name means nothing to us. */
export function adviceFor(name: string): string | undefined {
  const deployment = builtIn.get(name);
  if (deployment) {
    const [variable] = deployment.keyVariables;
    const entry = `add it under "providers" in config.json`;
    return `provider "${name}" is not configured: ${variable ? `set ${variable}, or ${entry}` : entry}`;
  }
  if (!SPOKEN_ELSEWHERE.has(name)) return undefined;
  return `provider "${name}" is not among those this gateway speaks to (${[...builtIn.keys()].join(', ')})`;
}

/** A key that stands for "none needed". */
const NO_KEY: ProviderKey = {
  name: 'none',
  value: { value: '' },
  blacklisted_models: [],
  weight: 1,
  enabled: true,
  aliases: {},
};

/**
 * The configured providers, by lower-case name. One that cannot be used is left out and said so. `skipped`: those that
 * the config names in a form that could not be read.
 */
export function createProviders(
  config: Readonly<Record<string, ProviderConfig>>,
  skipped: readonly string[] = [],
): Providers {
  const byName = new Map<string, Provider>();
  const leftOut = new Map(skipped.map((name) => [name.toLowerCase(), skippedText(name)]));
  const problems: string[] = [];
  for (const [given, settings] of Object.entries(config)) {
    const name = given.toLowerCase();
    const deployment = deploymentOf(name, settings);
    if (typeof deployment === 'string') {
      problems.push(deployment);
      leftOut.set(name, deployment);
    } else byName.set(name, providerOf(storingAsAllowed(deployment, settings), settings));
  }
  return { byName: Object.assign(byName, { leftOut }), problems };
}

const skippedText = (name: string): string =>
  `provider "${name}" is skipped, as its entry in config.json is not valid: correct what the start warns of, and restart`;

/** The deployment, or a sentence that says why there is none. */
function deploymentOf(name: string, settings: ProviderConfig): Deployment | ScriptedDeployment | string {
  const known = builtIn.get(name);
  const custom = settings.custom_provider_config;
  if (known && custom)
    return `provider "${name}" has the name of a built-in one; give the custom provider another name`;
  if (known) return known;
  if (name === 'mock' && !custom) return mockDeployment;
  if (SPOKEN_ELSEWHERE.has(name) && !custom) return adviceFor(name) ?? name;
  if (!custom) {
    const meant = nearest(name, [...builtIn.keys()]);
    const asks = meant ? `did you mean "${meant}"? Otherwise ` : '';
    return `provider "${name}" is not built in; ${asks}say what it speaks in custom_provider_config.base_provider_type`;
  }
  const base = builtIn.get(custom.base_provider_type);
  if (!base) return `provider "${name}": base_provider_type "${custom.base_provider_type}" is not built in`;
  return customDeployment(name, base, custom);
}

/**
 * Speaks like its base, but is another server: at its own address, in the one format that all such servers know unless
 * its allowed requests say otherwise, and with the older name of the output limit.
 */
const customDeployment = (name: string, base: Deployment, custom: CustomConfig): Deployment => {
  const { baseUrl: _elsewhere, ...spoken } = base;
  return {
    ...spoken,
    name,
    speaks: spokenFormats(base, custom),
    keyVariables: [],
    // AWS credentials are no value of a key
    keyless: custom.is_key_less || base.name === 'bedrock',
    ...(base.hosts && { hosts: hostsNamed(name, base.hosts) }),
    wire: base.sdk === 'openai' ? { maxTokensField: 'max_tokens' } : base.wire,
    ...(base.name === 'openai' && { operations: ownServerOperations }),
  };
};

/** The deployments behind a custom cloud under its own name; each is made once, as what is known of it is kept by it. */
function hostsNamed(name: string, hosts: NonNullable<Deployment['hosts']>): NonNullable<Deployment['hosts']> {
  const named = new Map<Deployment, Deployment>();
  return (family, key) => {
    const hosted = hosts(family, key);
    const known = named.get(hosted) ?? { ...hosted, name };
    named.set(hosted, known);
    return known;
  };
}

type CustomConfig = NonNullable<ProviderConfig['custom_provider_config']>;

/** A server of OpenAI's family that allows responses serves that API too, or alone when it allows no chat. */
function spokenFormats({ sdk, speaks }: Deployment, { allowed_requests: allowed }: CustomConfig): Deployment['speaks'] {
  const [first] = speaks;
  if (sdk !== 'openai' || !allowed || !servesResponses(allowed)) return [first];
  return servesChat(allowed) ? [first, 'openai-responses'] : ['openai-responses'];
}

type Allowed = Readonly<Record<string, boolean>>;
const servesChat = (allowed: Allowed): boolean =>
  allowed.chat_completion === true || allowed.chat_completion_stream === true;
const servesResponses = (allowed: Allowed): boolean => allowed.responses === true || allowed.responses_stream === true;

/** A conversation is one kind of request, whichever format carries it upstream. */
const CONVERSATION: Readonly<Partial<Record<Operation, string>>> = {
  chat_completion: 'responses',
  chat_completion_stream: 'responses_stream',
};

function isAllowed(allowed: Allowed, operation: Operation): boolean {
  const twin = CONVERSATION[operation];
  return allowed[operation] === true || (twin !== undefined && allowed[twin] === true);
}

function providerOf(deployment: Deployment | ScriptedDeployment, settings: ProviderConfig): Provider {
  const { network_config: network, custom_provider_config: custom } = settings;
  const { send_back_raw_request: request, send_back_raw_response: response } = settings;
  const allowed = custom?.allowed_requests;
  const keyless = 'scripted' in deployment || deployment.keyless === true;
  const readsKey = 'readsKey' in deployment ? deployment.readsKey : undefined;
  const given = keyless && settings.keys.length === 0 ? [NO_KEY] : settings.keys;
  const keys = readsKey ? given.map(readsKey) : given;
  const targets = new WeakMap<ProviderKey, UpstreamTarget>();
  const chatUrl = overriddenUrl(custom?.request_path_overrides.chat_completion, network);
  return {
    name: deployment.name,
    deployment,
    keys,
    keyless,
    network,
    ...(chatUrl !== undefined && { chatUrl }),
    ...(custom && { operationUrl: (operation) => overriddenUrl(custom.request_path_overrides[operation], network) }),
    ...hosting(deployment, settings),
    ...takingBetas(deployment, network),
    ...(request || response ? { sendsBackRaw: { request, response } } : {}),
    ...(settings.store_raw_request_response && { storesRaw: true }),
    allows: (operation: Operation) =>
      (allowed === undefined || isAllowed(allowed, operation)) && !(CONVERSATION[operation] && lacksChat(deployment)),
    upstreamOf: (key) => {
      const known = targets.get(key);
      if (known) return known;
      const target = targetOf(deployment, key, settings);
      targets.set(key, target);
      return target;
    },
  };
}

const lacksChat = (deployment: Deployment | ScriptedDeployment): boolean =>
  'chatless' in deployment && deployment.chatless === true;

type Extras<Field extends keyof Provider> = Partial<Pick<Provider, Field>>;

const hosting = (deployment: Deployment | ScriptedDeployment, settings: ProviderConfig): Extras<'placeOf'> =>
  'hosts' in deployment && deployment.hosts
    ? { placeOf: placing(deployment.hosts, (hosted) => providerOf(hosted, settings)) }
    : {};

/** `beta_header_overrides` names flags, whole or by how they begin, that are known after all or are not. */
function takingBetas(
  deployment: Deployment | ScriptedDeployment,
  { beta_header_overrides: overrides }: NetworkConfig,
): Extras<'takesBeta'> {
  const usual = 'takesBeta' in deployment ? deployment.takesBeta : undefined;
  const given = Object.entries(overrides);
  if (given.length === 0) return usual ? { takesBeta: usual } : {};
  return {
    takesBeta: (flag) => given.find(([start]) => flag.startsWith(start))?.[1] ?? usual?.(flag) ?? true,
  };
}

function targetOf(
  deployment: Deployment | ScriptedDeployment,
  key: ProviderKey,
  { network_config: network, proxy_config: proxy }: ProviderConfig,
): UpstreamTarget {
  if ('scripted' in deployment) {
    throw new GatewayError('internal', `provider "${deployment.name}" is a script and has no upstream`);
  }
  return {
    provider: deployment.name,
    sdk: deployment.sdk,
    ...(deployment.access?.(key, network) ?? {
      baseUrl: baseUrlOf(deployment, key, network),
      ...(key.value.value !== '' && !deployment.keyHeader && { apiKey: key.value.value }),
    }),
    headers: { ...keyHeaderOf(deployment, key), ...extraHeaders(network) },
    timeoutMs: timerMs(network.default_request_timeout_in_seconds * 1_000),
    maxConnections: network.max_conns_per_host,
    insecureSkipVerify: network.insecure_skip_verify,
    ...(network.ca_cert_pem?.value && { caCertPem: network.ca_cert_pem.value }),
    ...keeping(network),
    ...proxying(proxy),
  };
}

const keeping = ({
  keep_alive_timeout_in_seconds: seconds,
  enforce_http2: http2,
}: NetworkConfig): Partial<UpstreamTarget> => ({
  ...(seconds !== undefined && { keepAliveMs: seconds * 1_000 }),
  ...(http2 && { http2 }),
});

const keyHeaderOf = ({ keyHeader }: Deployment, { value: { value } }: ProviderKey): Record<string, string> =>
  keyHeader && value !== '' ? { [keyHeader]: value } : {};

const extraHeaders = ({ extra_headers: given }: NetworkConfig): Record<string, string> =>
  Object.fromEntries(
    Object.entries(given).flatMap(([name, { value }]) => (value ? [[name.toLowerCase(), value]] : [])),
  );

function proxying(proxy: ProviderConfig['proxy_config']): Pick<UpstreamTarget, 'proxy'> {
  if (proxy?.type === 'environment') return { proxy: { type: 'environment' } };
  const url = textOf(proxy?.url);
  if (!proxy || proxy.type === 'none' || url === undefined) return {};
  const [username, password, caCertPem] = [proxy.username, proxy.password, proxy.ca_cert_pem].map(textOf);
  return {
    proxy: {
      type: 'url',
      url: proxyUrl(url, proxy.type),
      ...(username && { username }),
      ...(password && { password }),
      ...(caCertPem && { caCertPem }),
    },
  };
}

/** `proxy:3128` is an address too. */
const proxyUrl = (given: string, type: 'http' | 'socks5'): string =>
  /^[a-z][a-z0-9]*:\/\//i.test(given) ? given.replace(/^socks5h:/i, 'socks5:') : `${type}://${given}`;

function baseUrlOf(deployment: Deployment, key: ProviderKey, network: NetworkConfig): string {
  const perKey = key.ollama_key_config ?? key.vllm_key_config ?? key.sgl_key_config;
  const given = textOf(perKey?.url) ?? workspaceOf(key) ?? textOf(network.base_url);
  if (given !== undefined) {
    return BASE_URL[deployment.sdk]?.(given, deployment.baseUrl) ?? given;
  }
  if (deployment.baseUrl !== undefined) return deployment.baseUrl;
  throw new GatewayError(
    'invalid-request',
    `nothing says where provider "${deployment.name}" is: set network_config.base_url, or the url of its keys`,
    { provider: deployment.name },
  );
}

const BASE_URL: Readonly<Partial<Record<UpstreamTarget['sdk'], (given: string, usual?: string) => string>>> = {
  openai: openAiBaseUrl,
  anthropic: rootOf,
  google: googleBaseUrl,
};

const textOf = (given: Secret | undefined): string | undefined => given?.value || undefined;

/** Where a Databricks workspace serves its models. */
function workspaceOf({ databricks_key_config: config }: ProviderKey): string | undefined {
  const workspace = textOf(config?.workspace_url)?.replace(/\/+$/, '');
  if (workspace === undefined) return undefined;
  return workspace.endsWith(SERVING_ENDPOINTS) ? workspace : `${workspace}${SERVING_ENDPOINTS}`;
}

const SERVING_ENDPOINTS = '/serving-endpoints';

/** An override is a path at the server's root, or a whole URL. */
function overriddenUrl(override: string | undefined, network: NetworkConfig): string | undefined {
  if (!override) return undefined;
  if (/^https?:\/\//.test(override)) return override;
  return `${rootOf(network.base_url?.value ?? '')}${override.startsWith('/') ? '' : '/'}${override}`;
}
