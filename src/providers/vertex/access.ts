import type { NetworkConfig, ProviderKey } from '../../config/schema.ts';
import { GatewayError } from '../../model/errors.ts';
import { isObject, parsedJson } from '../../model/json.ts';
import type { GoogleCredentials } from '../identity.ts';
import type { Access } from '../provider.ts';

/** What the original's clients and Google's own take where nobody names a region. */
const DEFAULT_REGION = 'global';

/** Regions that span countries have hosts of their own (Vertex AI, locations). */
const MULTI_REGIONS: ReadonlySet<string> = new Set(['us', 'eu']);

/** The way to Gemini. A key with a value and no project is one of the express mode, which knows its project itself. */
export function googleAccess(key: ProviderKey, network: NetworkConfig): Access {
  const place = placeOf(key);
  const baseUrl = `${hostOf(place, network)}/v1beta1`;
  const { project, region } = place;
  if (key.value.value !== '')
    return { baseUrl, apiKey: key.value.value, ...(project && { cloud: { project, region } }) };
  return { baseUrl, cloud: { project: projectOf(key, place), region }, ...identityOf(place) };
}

/** The way to models in OpenAI's format (Llama and others, Mistral). */
export function openAiAccess(key: ProviderKey, network: NetworkConfig): Access {
  const place = placeOf(key);
  return {
    baseUrl: `${hostOf(place, network)}/v1/projects/${projectOf(key, place)}/locations/${place.region}`,
    ...identityOf(place),
  };
}

/** The way to Claude, whose SDK makes project and region part of each path. */
export function claudeAccess(key: ProviderKey, network: NetworkConfig): Access {
  const place = placeOf(key);
  return {
    baseUrl: `${hostOf(place, network)}/v1`,
    cloud: { project: projectOf(key, place), region: place.region },
    ...identityOf(place),
  };
}

interface VertexPlace {
  readonly project?: string;
  readonly region: string;
  readonly credentials?: GoogleCredentials;
}

function placeOf(key: ProviderKey): VertexPlace {
  const config = key.vertex_key_config;
  const credentials = credentialsIn(key);
  const project = config?.project_id?.value || config?.project_number?.value || credentials?.project_id;
  return {
    region: config?.region?.value || DEFAULT_REGION,
    ...(project && { project }),
    ...(credentials && { credentials }),
  };
}

function hostOf({ region }: VertexPlace, network: NetworkConfig): string {
  const given = network.base_url?.value;
  if (given) return given.replace(/\/+$/, '').replace(/\/v1(beta1)?$/, '');
  if (region === 'global') return 'https://aiplatform.googleapis.com';
  if (MULTI_REGIONS.has(region)) return `https://aiplatform.${region}.rep.googleapis.com`;
  return `https://${region}-aiplatform.googleapis.com`;
}

const identityOf = ({ credentials }: VertexPlace): Pick<Access, 'identity'> => ({
  identity: { type: 'google', ...(credentials && { credentials }) },
});

function projectOf({ name }: ProviderKey, { project }: VertexPlace): string {
  if (project) return project;
  throw new GatewayError(
    'invalid-request',
    `key "${name}" of provider "vertex" names no project: set vertex_key_config.project_id`,
    { provider: 'vertex' },
  );
}

/** The text is secret: what is wrong with it is said without it. */
function credentialsIn({ name, vertex_key_config: config }: ProviderKey): GoogleCredentials | undefined {
  const text = config?.auth_credentials?.value;
  if (!text) return undefined;
  const value = parsedJson(text);
  if (isObject(value)) return value as GoogleCredentials;
  throw new GatewayError(
    'authentication',
    `auth_credentials of key "${name}" of provider "vertex" is not the JSON of a credentials file; leave it empty for the machine's own`,
    { provider: 'vertex' },
  );
}
