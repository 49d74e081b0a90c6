import type { CodecId } from '../model/content.ts';
import { GatewayError } from '../model/errors.ts';
import type { JsonObject } from '../model/json.ts';

export interface ListedModel {
  /** `provider/model`. */
  readonly id: string;
  readonly provider: string;
  /** Seconds since 1970; 0 when the provider does not say. */
  readonly created: number;
  readonly displayName?: string;
  /** What it can do in Google's words, where its provider says. */
  readonly methods?: readonly string[];
}

type Shown = (model: ListedModel) => JsonObject;

const openaiModel: Shown = ({ id, provider, created }) => ({ id, object: 'model', created, owned_by: provider });

const anthropicModel: Shown = ({ id, created, displayName }) => ({
  type: 'model',
  id,
  display_name: displayName ?? id,
  created_at: new Date(created * 1_000).toISOString(),
});

const geminiModel: Shown = ({ id, displayName, methods }) => ({
  name: `models/${id}`,
  baseModelId: id,
  displayName: displayName ?? id,
  supportedGenerationMethods: [...(methods ?? ['generateContent', 'countTokens'])],
});

/** Those of one provider, where the query names one. */
const ofProvider = (models: readonly ListedModel[], query: URLSearchParams): readonly ListedModel[] => {
  const provider = query.get('provider');
  return provider ? models.filter((model) => model.provider === provider.toLowerCase()) : models;
};

/** A page token is the place where the next page begins. */
function placeIn(query: URLSearchParams, name: string): number {
  const token = query.get(name);
  if (!token) return 0;
  if (/^\d+$/.test(token)) return Number(token);
  throw new GatewayError(
    'invalid-request',
    `${name} "${token}" is none that this gateway gave; leave it out to begin anew`,
    {
      param: name,
    },
  );
}

/** One page of models in OpenAI's shape. `page_size` and `page_token` as the original has them, `provider` filters. */
export function openaiModels(models: readonly ListedModel[], query: URLSearchParams): JsonObject {
  const listed = ofProvider(models, query);
  const start = placeIn(query, 'page_token');
  const size = Math.max(0, Number(query.get('page_size') ?? 0) || 0) || listed.length;
  const page = listed.slice(start, start + size);
  const next = start + size < listed.length ? String(start + size) : undefined;
  return { object: 'list', data: page.map(openaiModel), ...(next !== undefined && { next_page_token: next }) };
}

/** One page of models in Anthropic's shape: `limit`, `after_id`, `before_id`. */
export function anthropicModels(given: readonly ListedModel[], query: URLSearchParams): JsonObject {
  const models = ofProvider(given, query);
  const after = query.get('after_id');
  const before = query.get('before_id');
  const limit = Math.min(1_000, Math.max(1, Number(query.get('limit') ?? 20) || 20));
  const from = after ? models.findIndex((model) => model.id === after) + 1 : 0;
  const to = before ? models.findIndex((model) => model.id === before) : models.length;
  const window = models.slice(from, to < 0 ? models.length : to);
  const page = before ? window.slice(-limit) : window.slice(0, limit);
  return {
    data: page.map(anthropicModel),
    has_more: page.length < window.length,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  };
}

/** One page of models in Google's shape: `pageSize`, `pageToken`. */
export function geminiModels(given: readonly ListedModel[], query: URLSearchParams): JsonObject {
  const models = ofProvider(given, query);
  const start = placeIn(query, 'pageToken');
  const size = Math.min(1_000, Math.max(1, Number(query.get('pageSize') ?? 50) || 50));
  const page = models.slice(start, start + size);
  return {
    models: page.map(geminiModel),
    ...(start + size < models.length && { nextPageToken: String(start + size) }),
  };
}

const SHOWN: Readonly<Partial<Record<CodecId, Shown>>> = {
  'anthropic-messages': anthropicModel,
  gemini: geminiModel,
};

/** One model by `provider/model`, or by the bare name where only one provider has it or the first that does. */
export function oneModel(models: readonly ListedModel[], id: string, dialect: CodecId): JsonObject {
  const wanted = id.toLowerCase();
  const found =
    models.find((model) => model.id.toLowerCase() === wanted) ??
    models.find((model) => model.id.slice(model.provider.length + 1).toLowerCase() === wanted);
  if (found) return (SHOWN[dialect] ?? openaiModel)(found);
  throw new GatewayError(
    'not-found',
    `model "${id}" is not among those of the configured providers; list them at /v1/models`,
    {
      code: 'model_not_found',
    },
  );
}
