import type { JsonObject } from '../model/json.ts';
import type { Environment } from './secrets.ts';

/** A provider that can be found by the variables which hold its keys, best first. */
export interface DetectableProvider {
  readonly name: string;
  readonly keyVariables: readonly string[];
}

/** Whether something answers HTTP at `url` within `timeoutMs`. Never rejects. */
export type Probe = (url: string, timeoutMs: number) => Promise<boolean>;

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface DetectionSources {
  readonly env: Environment;
  /** Where this gateway will listen: a base URL that points here is ourselves, not a provider. */
  readonly listen: ListenAddress;
  readonly detectable: readonly DetectableProvider[];
  readonly probe: Probe;
}

export interface Detected {
  /** As they would stand in the `providers` section of a config file. */
  readonly providers: JsonObject;
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
}

const PROBE_TIMEOUT_MS = 300;
const OLLAMA_ADDRESS = '127.0.0.1:11434';

/** Words that guides tell people to export where a tool insists on a key; ours is for Claude Code. */
const PLACEHOLDER_KEYS: readonly string[] = ['dummy-key', 'dummy', 'none'];

/** The providers that this machine is set up for, by its environment and by a local Ollama. */
export async function detectProviders(sources: DetectionSources): Promise<Detected> {
  const found = sources.detectable.map((provider) => detectProvider(provider, sources));
  if (!found.some(({ providers }) => 'bedrock' in providers)) found.push(detectBedrock(sources));
  const knowsOllama = found.some(({ providers }) => 'ollama' in providers);
  if (!knowsOllama) found.push(await detectOllama(sources));
  return {
    providers: Object.assign({}, ...found.map(({ providers }) => providers)),
    notes: found.flatMap(({ notes }) => notes),
    warnings: found.flatMap(({ warnings }) => warnings),
  };
}

const NOTHING: Detected = { providers: {}, notes: [], warnings: [] };

function detectProvider({ name, keyVariables }: DetectableProvider, { env, listen }: DetectionSources): Detected {
  const keyVariable = keyVariables.find((variable) => isRealKey(env[variable]));
  const urlVariable = `${name.toUpperCase().replaceAll('-', '_')}_BASE_URL`;
  const refusal = refusalOf(env[urlVariable], listen);
  const warnings = refusal ? [`${urlVariable} is ignored: ${refusal}`] : [];
  const baseUrl = env[urlVariable] && !refusal ? `env.${urlVariable}` : undefined;
  if (!keyVariable && !baseUrl) return { ...NOTHING, warnings };
  const key = keyVariable
    ? { name: `${keyVariable}_auto_detected`, value: `env.${keyVariable}` }
    : { name: `${urlVariable}_auto_detected`, value: 'none' };
  const from = [keyVariable, baseUrl && urlVariable].filter(Boolean).join(' and ');
  return {
    providers: { [name]: providerEntry(key, baseUrl) },
    notes: [`provider ${name} found by ${from} in the environment`],
    warnings,
  };
}

/** AWS keys serve many ends: only together with a region do they say that this machine means to use AWS by itself. */
function detectBedrock({ env, detectable }: DetectionSources): Detected {
  const region = ['AWS_REGION', 'AWS_DEFAULT_REGION'].find((name) => env[name]);
  const isKnown = detectable.some(({ name }) => name === 'bedrock');
  if (!isKnown || !region || !isRealKey(env.AWS_ACCESS_KEY_ID) || !isRealKey(env.AWS_SECRET_ACCESS_KEY)) return NOTHING;
  const bedrock_key_config = {
    access_key: 'env.AWS_ACCESS_KEY_ID',
    secret_key: 'env.AWS_SECRET_ACCESS_KEY',
    ...(env.AWS_SESSION_TOKEN && { session_token: 'env.AWS_SESSION_TOKEN' }),
    region: `env.${region}`,
  };
  return {
    providers: {
      bedrock: { keys: [{ name: 'AWS_ACCESS_KEY_ID_auto_detected', models: ['*'], weight: 1, bedrock_key_config }] },
    },
    notes: [`provider bedrock found by AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and ${region} in the environment`],
    warnings: [],
  };
}

async function detectOllama({ env, listen, probe }: DetectionSources): Promise<Detected> {
  const url = ollamaUrl(env.OLLAMA_HOST);
  if (refusalOf(url, listen) || !(await probe(url, PROBE_TIMEOUT_MS))) return NOTHING;
  return {
    providers: { ollama: providerEntry({ name: 'ollama_auto_detected', value: 'none' }, url) },
    notes: [`provider ollama found: it answers at ${new URL(url).host}`],
    warnings: [],
  };
}

const providerEntry = (key: { name: string; value: string }, baseUrl: string | undefined): JsonObject => ({
  keys: [{ ...key, models: ['*'], weight: 1 }],
  ...(baseUrl && { network_config: { base_url: baseUrl } }),
});

const isRealKey = (value: string | undefined): boolean =>
  value !== undefined && value.trim() !== '' && !PLACEHOLDER_KEYS.includes(value.trim().toLowerCase());

/** Where an Ollama client would connect (its envconfig: scheme and port optional, `0.0.0.0` means this machine). */
function ollamaUrl(host: string | undefined): string {
  const given = host?.trim() || OLLAMA_ADDRESS;
  const hasScheme = /^https?:\/\//.test(given);
  const url = urlOf(hasScheme ? given : `http://${given.startsWith(':') ? '127.0.0.1' : ''}${given}`);
  if (!url) return `http://${OLLAMA_ADDRESS}`;
  if (!hasScheme && !/:\d+\/?$/.test(given)) url.port = '11434';
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  return url.href.replace(/\/$/, '');
}

/** Why a base URL cannot be a provider's; undefined when it can, or when there is none. */
function refusalOf(text: string | undefined, listen: ListenAddress): string | undefined {
  if (!text) return undefined;
  const url = urlOf(text);
  if (!url || !/^https?:$/.test(url.protocol)) return 'it is not an http or https URL; correct or unset it';
  if (!isOwnAddress(url, listen)) return undefined;
  return `it points at this gateway itself (${url.host}); that is right for a client such as Claude Code, but here it would loop`;
}

const urlOf = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined);

function isOwnAddress(url: URL, listen: ListenAddress): boolean {
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return port === listen.port && (host === listen.host || isLoopback(host));
}

const isLoopback = (host: string): boolean =>
  /^(localhost|.+\.localhost|127(\.\d+){3}|0\.0\.0\.0|::1?)$/.test(host.toLowerCase());
