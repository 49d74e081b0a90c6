import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createModelCatalog } from '../../src/router/catalog.ts';
import { contextOf, openScene, requestOf, type Scene } from '../providers/scene.ts';
import { json, startUpstream, type Upstream } from '../support/upstream.ts';
import { configured } from './fixtures.ts';

let scene: Scene;
let upstream: Upstream;

beforeEach(async () => {
  scene = openScene();
  upstream = await startUpstream();
});

afterEach(async () => {
  await scene.close();
  await upstream.close();
});

const catalogOf = (settings: Record<string, unknown>) =>
  createModelCatalog({ providers: configured(settings), catalog: scene.catalog, random: () => 0 });
const at = (models: readonly string[], more: object = {}) => ({
  network_config: { base_url: upstream.url },
  keys: [{ name: 'k', value: 'sk-1', models, ...more }],
});
const { signal } = new AbortController();

describe('models', () => {
  test("OpenAI's list, as provider/model", async () => {
    upstream.answers(json({ object: 'list', data: [{ id: 'gpt-4o', created: 17 }, { id: 'o3' }, { nonsense: true }] }));
    const { models, problems } = await catalogOf({ openai: at(['*']) }).listModels(signal);
    expect(upstream.requests[0]).toMatchObject({ method: 'GET', path: '/v1/models' });
    expect(models).toEqual([
      { id: 'openai/gpt-4o', provider: 'openai', created: 17 },
      { id: 'openai/o3', provider: 'openai', created: 0 },
    ]);
    expect(problems).toEqual([]);
  });

  test("Anthropic's list, as many as there are", async () => {
    const entry = {
      type: 'model',
      id: 'claude-sonnet-4-5',
      display_name: 'Claude Sonnet 4.5',
      created_at: '2025-09-29T00:00:00Z',
    };
    upstream.answers(json({ data: [entry], has_more: false }));
    const { models } = await catalogOf({ anthropic: at(['*']) }).listModels(signal);
    expect(upstream.requests[0]?.path).toBe('/v1/models?limit=1000');
    expect(models).toEqual([
      {
        id: 'anthropic/claude-sonnet-4-5',
        provider: 'anthropic',
        created: 1_759_104_000,
        displayName: 'Claude Sonnet 4.5',
      },
    ]);
  });

  test('many providers are asked under one signal, and none of them leaves anything on it', async () => {
    upstream.answers(...Array.from({ length: 13 }, () => json({ data: [{ id: 'm' }] })));
    const { signal: shared } = new AbortController();
    const custom = { custom_provider_config: { base_provider_type: 'openai' } };
    const names = Array.from({ length: 12 }, (_, number) => `house-${number}`);
    const settings = Object.fromEntries(names.map((name) => [name, { ...at(['*']), ...custom }]));
    const { models } = await catalogOf({ ...settings, anthropic: at(['*']) }).listModels(shared);
    expect(models).toHaveLength(13);
    expect(getEventListeners(shared, 'abort')).toEqual([]);
  });

  test('a listing ends with the signal that it was asked under', async () => {
    const caller = new AbortController();
    caller.abort(new Error('the client is gone'));
    const { models, problems } = await catalogOf({ openai: at(['*']) }).listModels(caller.signal);
    expect(models).toEqual([]);
    expect(problems).toEqual([expect.stringContaining('openai could not be listed')]);
    expect(upstream.requests).toEqual([]);
  });

  test("Google's folder is not part of a name", async () => {
    upstream.answers(json({ data: [{ id: 'models/gemini-2.5-pro' }] }));
    const { models } = await catalogOf({ gemini: at(['*']) }).listModels(signal);
    expect(models[0]?.id).toBe('gemini/gemini-2.5-pro');
  });

  test('only what the keys may serve, and what the configuration names', async () => {
    upstream.answers(json({ data: [{ id: 'gpt-4o' }, { id: 'gpt-5' }] }));
    const settings = at(['gpt-4o', 'ft:mine'], { aliases: { fast: 'gpt-4o' } });
    const { models } = await catalogOf({ openai: settings }).listModels(signal);
    expect(models.map(({ id }) => id)).toEqual(['openai/gpt-4o', 'openai/ft:mine', 'openai/fast']);
  });

  test('a provider that fails does not hide the others', async () => {
    upstream.answers(json({ error: { message: 'bad key' } }, { status: 401 }));
    const { models, problems } = await catalogOf({ openai: at(['gpt-4o']), mock: {} }).listModels(signal);
    expect(models.map(({ id }) => id)).toEqual(['openai/gpt-4o', 'mock/echo', 'mock/agent']);
    expect(problems).toEqual([expect.stringContaining('the models of openai could not be listed: ')]);
  });
});

describe('token counts', () => {
  const body = '{"model":"anthropic/claude-sonnet-4-5","messages":[{"role":"user","content":"hi"}],"x":1}';
  const counted = (settings: Record<string, unknown>) =>
    catalogOf(settings).countTokens(requestOf('anthropic-messages', body), contextOf('anthropic-messages'));

  test('F8 are the own ones of a provider that counts, of the body as it came', async () => {
    upstream.answers(json({ input_tokens: 42 }));
    expect(await counted({ anthropic: at(['*']) })).toBe(42);
    expect(upstream.requests[0]?.path).toBe('/v1/messages/count_tokens');
    expect(upstream.requests[0]?.body.toString()).toBe(body.replace('anthropic/', ''));
  });

  test('F8 are left to an estimate where the provider cannot count', async () => {
    const request = requestOf('anthropic-messages', body.replace('anthropic/claude-sonnet-4-5', 'openai/gpt-4o'));
    expect(
      await catalogOf({ openai: at(['*']) }).countTokens(request, contextOf('anthropic-messages')),
    ).toBeUndefined();
  });

  test('F8 are left to an estimate where counting fails, but not for a broken request', async () => {
    const error = (type: string) => ({ type: 'error', error: { type, message: 'no' } });
    upstream.answers(
      json(error('not_found_error'), { status: 404 }),
      json(error('invalid_request_error'), { status: 400 }),
    );
    expect(await counted({ anthropic: at(['*']) })).toBeUndefined();
    await expect(counted({ anthropic: at(['*']) })).rejects.toMatchObject({ kind: 'invalid-request' });
  });
});
