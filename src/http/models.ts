import type { JsonObject } from '../model/json.ts';

export interface ListedModel {
  /** `provider/model`. */
  readonly id: string;
  readonly provider: string;
  /** Seconds since 1970; 0 when the provider does not say. */
  readonly created: number;
  readonly displayName?: string;
}

/** One page of models in OpenAI's shape. `page_size` and `page_token` as the original has them, `provider` filters. */
export function openaiModels(models: readonly ListedModel[], query: URLSearchParams): JsonObject {
  const provider = query.get('provider');
  const listed = provider ? models.filter((model) => model.provider === provider) : models;
  const start = Math.max(0, Number(query.get('page_token') ?? 0) || 0);
  const size = Number(query.get('page_size') ?? 0) || listed.length;
  const page = listed.slice(start, start + size);
  const next = start + size < listed.length ? String(start + size) : undefined;
  return {
    object: 'list',
    data: page.map(({ id, provider: owner, created }) => ({ id, object: 'model', created, owned_by: owner })),
    ...(next !== undefined && { next_page_token: next }),
  };
}

/** One page of models in Anthropic's shape: `limit`, `after_id`, `before_id`. */
export function anthropicModels(models: readonly ListedModel[], query: URLSearchParams): JsonObject {
  const after = query.get('after_id');
  const before = query.get('before_id');
  const limit = Math.min(1_000, Math.max(1, Number(query.get('limit') ?? 20) || 20));
  const from = after ? models.findIndex((model) => model.id === after) + 1 : 0;
  const to = before ? models.findIndex((model) => model.id === before) : models.length;
  const window = models.slice(from, to < 0 ? models.length : to);
  const page = before ? window.slice(-limit) : window.slice(0, limit);
  return {
    data: page.map(({ id, created, displayName }) => ({
      type: 'model',
      id,
      display_name: displayName ?? id,
      created_at: new Date(created * 1_000).toISOString(),
    })),
    has_more: page.length < window.length,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  };
}

/** One page of models in Google's shape: `pageSize`, `pageToken`. */
export function geminiModels(models: readonly ListedModel[], query: URLSearchParams): JsonObject {
  const start = Math.max(0, Number(query.get('pageToken') ?? 0) || 0);
  const size = Math.min(1_000, Math.max(1, Number(query.get('pageSize') ?? 50) || 50));
  const page = models.slice(start, start + size);
  return {
    models: page.map(({ id, displayName }) => ({
      name: `models/${id}`,
      baseModelId: id,
      displayName: displayName ?? id,
      supportedGenerationMethods: ['generateContent', 'countTokens'],
    })),
    ...(start + size < models.length && { nextPageToken: String(start + size) }),
  };
}
