import { describe, expect, test } from 'vitest';
import { provider as providerSchema } from '../../src/config/provider-section.ts';
import type { ProviderKey } from '../../src/config/schema.ts';
import type { Caller } from '../../src/model/call.ts';
import { backoffMs } from '../../src/router/backoff.ts';
import { eligibleKeys, keysMeantFor, pickKey, servesModel, upstreamModel, whyUnusable } from '../../src/router/keys.ts';
import { configured } from './fixtures.ts';

function keyWith(settings: object): ProviderKey {
  const [key] = providerSchema.parse({ keys: [{ name: 'k', value: 'sk-1', ...settings }] }).keys;
  if (!key) throw new Error('a key was written and none was read');
  return key;
}

describe('which models a key serves', () => {
  test.each([
    [{}, 'gpt-4o', true],
    [{ models: ['*'] }, 'gpt-4o', true],
    [{ models: [] }, 'gpt-4o', false],
    [{ models: ['GPT-4o'] }, 'gpt-4o', true],
    [{ models: ['gpt-4.1'] }, 'gpt-4o', false],
    [{ models: ['*'], blacklisted_models: ['GPT-4O'] }, 'gpt-4o', false],
    [{ vllm_key_config: { url: 'http://x', model_name: 'llama' } }, 'llama', true],
    [{ vllm_key_config: { url: 'http://x', model_name: 'llama' } }, 'qwen', false],
  ])('%j: %s', (settings, model, serves) => {
    expect(servesModel(keyWith(settings), model)).toBe(serves);
  });
});

describe('files and batches go with the keys that are meant for them', () => {
  const chats = keyWith({ name: 'chats' });
  const batches = keyWith({ name: 'batches', use_for_batch_api: true });
  test.each([
    ['batch_create', [chats, batches], ['batches']],
    ['file_upload', [chats, batches], ['batches']],
    ['file_content', [chats], ['chats']],
    ['chat_completion', [chats, batches], ['chats', 'batches']],
    ['embedding', [chats, batches], ['chats', 'batches']],
  ])('%s', (operation, keys, expected) => {
    expect(keysMeantFor(operation, keys).map(({ name }) => name)).toEqual(expected);
  });
});

describe('a provider that can serve nothing', () => {
  const why = (name: string, settings: object) => {
    const provider = configured({ [name]: settings }).get(name);
    return provider && whyUnusable(provider);
  };
  const key = { name: 'k', value: 'sk-1' };
  const custom = { custom_provider_config: { base_provider_type: 'openai' } };

  test.each<[string, object, RegExp]>([
    ['deepseek', { keys: [] }, /"deepseek" has no keys: add one/],
    ['groq', { keys: [{ ...key, value: 'env.NO_SUCH_KEY_HERE' }] }, /set NO_SUCH_KEY_HERE and restart/],
    ['openai', { keys: [{ ...key, enabled: false }] }, /switched off or empty/],
    ['mine', { ...custom, keys: [key] }, /nothing says where provider "mine" is: set network_config.base_url/],
    ['vllm', { keys: [] }, /nothing says where provider "vllm" is/],
  ])('%s with %j says why', (name, settings, reason) => {
    expect(why(name, settings)).toMatch(reason);
  });

  test.each<[string, object]>([
    ['openai', { keys: [{ ...key, enabled: false }, key] }],
    ['ollama', {}],
    ['vllm', { network_config: { base_url: 'http://127.0.0.1:9' } }],
    ['vllm', { keys: [key, { ...key, vllm_key_config: { url: 'http://127.0.0.1:9' } }] }],
    ['mock', {}],
  ])('is none while one key leads somewhere: %s with %j', (name, settings) => {
    expect(why(name, settings)).toBeUndefined();
  });
});

describe('no key is left', () => {
  const failing = (settings: object) => {
    const provider = configured({ openai: settings }).get('openai');
    return () => provider && eligibleKeys(provider, 'gpt-4o');
  };
  test.each([
    [{ keys: [] }, 'provider "openai" has no keys: add one under providers.openai.keys'],
    [{ keys: [{ name: 'k', value: 'env.NO_SUCH_KEY_HERE' }] }, 'set NO_SUCH_KEY_HERE and restart'],
    [{ keys: [{ name: 'k', value: 'sk-1', enabled: false }] }, 'switched off or empty'],
    [
      { keys: [{ name: 'k', value: 'sk-1', models: ['gpt-5'] }] },
      'no key of provider "openai" may serve model "gpt-4o"',
    ],
  ])('%j', (settings, message) => {
    expect(failing(settings)).toThrow(message);
  });
});

describe('keys are picked by weight', () => {
  const heavy = keyWith({ name: 'heavy', weight: 3 });
  const light = keyWith({ name: 'light', weight: 1 });
  const idle = keyWith({ name: 'idle', weight: 0 });
  test.each([
    [[heavy, light], 0, 'heavy'],
    [[heavy, light], 0.74, 'heavy'],
    [[heavy, light], 0.76, 'light'],
    [[idle, light], 0, 'light'],
    [[idle, keyWith({ name: 'other', weight: 0 })], 0.6, 'other'],
    [[idle], 0.9, 'idle'],
  ])('%#', (keys, random, name) => {
    const [first, ...others] = keys;
    expect(first && pickKey([first, ...others], () => random).name).toBe(name);
  });
});

test.each([
  [{ fast: 'gpt-4o-mini' }, 'fast', 'gpt-4o-mini'],
  [{ Fast: { model_id: 'gpt-4o-mini' } }, 'FAST', 'gpt-4o-mini'],
  [{ fast: 'gpt-4o-mini' }, 'slow', 'slow'],
])('aliases %j rename %s', (aliases, model, upstream) => {
  expect(upstreamModel(keyWith({ aliases }), model)).toBe(upstream);
});

describe('pauses before retries', () => {
  const limits = { retry_backoff_initial: 500, retry_backoff_max: 5_000 };
  test.each([
    [0, 0, 0.5, 500],
    [1, 0, 0.5, 1_000],
    [2, 0, 0, 1_600],
    [9, 0, 1, 5_000],
    [0, 3_000, 0.5, 3_000],
    [0, 60_000, 0.5, 5_000],
  ])('retry %i, retry-after %i ms, random %d: %i ms', (retry, retryAfterMs, random, expected) => {
    expect(backoffMs(retry, limits, retryAfterMs, () => random)).toBe(expected);
  });
});

describe('a pinned key', () => {
  const settings = { keys: ['a', 'b'].map((name) => ({ name, id: `id-${name}`, value: 'sk', models: ['*'] })) };
  const pinnedTo = (pin: Caller['keyPin']) => {
    const provider = configured({ openai: settings }).get('openai');
    return provider && eligibleKeys(provider, 'm', pin).map(({ name }) => name);
  };

  test.each([
    [{ by: 'name', value: 'b' }, ['b']],
    [{ by: 'id', value: 'id-a' }, ['a']],
  ] as const)('%j is the only one', (pin, names) => {
    expect(pinnedTo(pin)).toEqual(names);
  });

  test('that nobody knows is told', () => {
    expect(() => pinnedTo({ by: 'id', value: 'x' })).toThrow('no supported key found with id "x"');
  });
});
