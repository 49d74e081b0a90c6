import type { Codec } from '../codecs/codec.ts';
import type { ProviderKey } from '../config/schema.ts';
import type { CallContext } from '../model/call.ts';
import type { CodecId } from '../model/content.ts';
import { GatewayError } from '../model/errors.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import type { ChatRequest } from '../model/request.ts';
import { googleModelPath } from './base-url.ts';
import type { DirectResponse } from './direct-response.ts';
import { forwardedHeaders } from './forwarded-headers.ts';
import { type Deployment, isScripted, type Provider } from './provider.ts';
import { refusalOf } from './refusal.ts';
import { type CallTarget, placed } from './target.ts';
import type { Upstreams } from './upstreams.ts';
import { vertexModelPath } from './vertex/names.ts';

/** A model as its provider lists it. */
export interface UpstreamModel {
  readonly id: string;
  /** Seconds since 1970; 0 when the provider does not say. */
  readonly created: number;
  readonly displayName?: string;
  /** What it can do in Google's words, where the provider says. */
  readonly methods?: readonly string[];
}

export interface ProviderCatalog {
  /** The models a provider lists for a key. Throws GatewayError. */
  listModels(provider: Provider, key: ProviderKey, signal: AbortSignal): Promise<readonly UpstreamModel[]>;
  /** Input tokens as the provider itself counts them; undefined where it cannot be asked. Throws GatewayError. */
  countTokens(target: CallTarget, request: ChatRequest, context: CallContext): Promise<number | undefined>;
}

interface CatalogOptions {
  readonly codecs: Readonly<Record<CodecId, Codec>>;
  readonly upstreams: Upstreams;
}

/** Anthropic gives 20 models a page unless asked, Google 50; 1000 is the most of both (their models APIs). */
const MODELS_PATH: Readonly<Record<CodecId, string>> = {
  'openai-chat': '/models',
  'openai-responses': '/models',
  'anthropic-messages': '/v1/models?limit=1000',
  'bedrock-converse': '/foundation-models',
  gemini: 'models?pageSize=1000',
};

export const createProviderCatalog = ({ codecs, upstreams }: CatalogOptions): ProviderCatalog => ({
  async listModels({ name, deployment, upstreamOf }, key, signal) {
    if (isScripted(deployment)) return deployment.models.map((id) => ({ id, created: 0 }));
    const [format] = deployment.speaks;
    const upstream = await upstreams(upstreamOf(key));
    const path = deployment.modelsPath ?? MODELS_PATH[format];
    const answer = await upstream.get(path, { headers: {}, signal: alone(signal) });
    if (!answer.ok) throw refusalOf(answer, codecs[format], name, key);
    return modelsIn(answer, name);
  },

  async countTokens(target, request, context) {
    const { provider, key, model } = placed(target);
    const { deployment } = provider;
    const count = isScripted(deployment) ? undefined : countOf(deployment, request, model, codecs);
    if (!count) return undefined;
    const upstream = await upstreams(provider.upstreamOf(key));
    const headers = forwardedHeaders(context, count.format, provider.takesBeta);
    const answer = await upstream.post(count.path, count.body, { headers, signal: alone(context.signal) });
    if (!answer.ok) throw refusalOf(answer, codecs[count.format], provider.name, key);
    const body = jsonOf(answer, provider.name);
    const tokens = isObject(body) ? body[count.field] : undefined;
    return typeof tokens === 'number' ? tokens : undefined;
  },
});

/** For one request: SDKs never take their listeners off, and a list of all models asks every provider under one signal. */
const alone = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal]);

/** How a provider is asked for a count, and which field of its answer holds it. */
interface Count {
  readonly format: CodecId;
  readonly path: string;
  readonly body: string | Uint8Array;
  readonly field: string;
}

/** Google counts what any client asks; the counts of others are of use to their own clients, whose body goes as it is. */
function countOf(
  { sdk, speaks }: Deployment,
  request: ChatRequest,
  model: string,
  codecs: CatalogOptions['codecs'],
): Count | undefined {
  const { raw } = request;
  if (speaks.includes('gemini')) {
    const { body } = codecs.gemini.encodeRequest(request, { model, stream: false });
    const path = googleModelPath(model);
    if (sdk === 'vertex-google') {
      const counted = JSON.stringify({ model: vertexModelPath(model), ...body });
      return { format: 'gemini', path: `${vertexModelPath(model)}:countTokens`, body: counted, field: 'totalTokens' };
    }
    const counted = JSON.stringify({ generateContentRequest: { model: path, ...body } });
    return { format: 'gemini', path: `${path}:countTokens`, body: counted, field: 'totalTokens' };
  }
  if (!raw || !request.untouched || !speaks.includes(raw.codec)) return undefined;
  if (raw.codec === 'openai-responses') {
    const path = '/responses/input_tokens';
    return { format: 'openai-responses', path, body: raw.withModel(model), field: 'input_tokens' };
  }
  if (raw.codec !== 'anthropic-messages') return undefined;
  const path = '/v1/messages/count_tokens';
  return { format: 'anthropic-messages', path, body: raw.withModel(model), field: 'input_tokens' };
}

/** `{data: [...]}`, Google's `{models: [...]}` or `{publisherModels: [...]}`, AWS's `{modelSummaries: [...]}`, or the list alone. */
function modelsIn(answer: DirectResponse, provider: string): readonly UpstreamModel[] {
  const body = jsonOf(answer, provider);
  const list = isObject(body) ? (body.data ?? body.models ?? body.publisherModels ?? body.modelSummaries) : body;
  if (!Array.isArray(list)) {
    throw new GatewayError('bad-response', `${provider} listed its models in a form we do not know`, { provider });
  }
  return list.flatMap((entry: unknown): UpstreamModel[] => {
    const named = isObject(entry) ? (entry.id ?? entry.model_id ?? entry.modelId ?? entry.name) : undefined;
    if (!isObject(entry) || typeof named !== 'string') return [];
    const methods = methodsOf(entry);
    if (!isAsked(methods) || !talks(entry)) return [];
    // Google lists `models/gemini-2.5-pro` and takes the name without the folder
    const id = named.replace(/^(publishers\/google\/)?models\//, '');
    const displayName = entry.display_name ?? entry.displayName ?? entry.modelName;
    const shown = typeof displayName === 'string' && { displayName };
    return [{ id, created: secondsOf(entry), ...shown, ...(methods && { methods }) }];
  });
}

/** What this gateway asks of Google's models; it lists others, for videos say, and tells what each can do. */
const ASKED: ReadonlySet<string> = new Set(['generateContent', 'embedContent', 'predict']);

const methodsOf = ({ supportedGenerationMethods: methods }: JsonObject): readonly string[] | undefined =>
  Array.isArray(methods) ? methods.filter((method) => typeof method === 'string') : undefined;

const isAsked = (methods: readonly string[] | undefined): boolean =>
  methods?.some((method) => ASKED.has(method)) ?? true;

/** Bedrock lists models for images and embeddings too, and says what each gives. */
const talks = ({ outputModalities: gives }: JsonObject): boolean => !Array.isArray(gives) || gives.includes('TEXT');

/** OpenAI gives `created` in seconds, Anthropic `created_at` as a date. */
function secondsOf(entry: { created?: unknown; created_at?: unknown }): number {
  if (typeof entry.created === 'number') return entry.created;
  const ms = typeof entry.created_at === 'string' ? Date.parse(entry.created_at) : Number.NaN;
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1_000);
}

function jsonOf(answer: DirectResponse, provider: string): unknown {
  try {
    return JSON.parse(answer.bytes.toString('utf8'));
  } catch (cause) {
    throw new GatewayError('bad-response', `${provider} answered with something other than JSON`, { provider, cause });
  }
}
