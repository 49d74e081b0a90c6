import { describe, expect, test } from 'vitest';
import { provider as providerSchema } from '../../src/config/provider-section.ts';
import type { CodecId } from '../../src/model/content.ts';
import { createProviders } from '../../src/providers/registry.ts';
import { resolveModel } from '../../src/router/resolve.ts';
import { configured, keys } from './fixtures.ts';

const providers = configured({
  openai: { keys: keys('a') },
  anthropic: { keys: [{ name: 'b', value: 'sk-b', models: ['claude-sonnet-4-5'] }] },
  openrouter: { keys: keys('c') },
  groq: { keys: [{ name: 'd', value: 'sk-d', models: ['llama-3.3-70b'], aliases: { quick: 'llama-3.1-8b' } }] },
  acme: {
    network_config: { base_url: 'http://acme' },
    keys: keys('e'),
    custom_provider_config: { base_provider_type: 'openai' },
  },
});

const resolved = (name: string, dialect: CodecId = 'openai-chat') => {
  const { provider, model } = resolveModel(name, providers, dialect);
  return [provider.name, model];
};

describe('provider/model', () => {
  test.each([
    ['openai/gpt-4o', 'openai', 'gpt-4o'],
    ['OpenAI/gpt-4o', 'openai', 'gpt-4o'],
    ['openrouter/anthropic/claude-sonnet-4-5', 'openrouter', 'anthropic/claude-sonnet-4-5'],
    ['acme/some/thing', 'acme', 'some/thing'],
  ])('%s', (name, provider, model) => {
    expect(resolved(name)).toEqual([provider, model]);
  });

  test('what stands before the slash is part of the name when it is no provider', () => {
    expect(resolved('meta-llama/Llama-3')).toEqual(['openai', 'meta-llama/Llama-3']);
  });

  test.each([
    ['mistral/mistral-large', 'provider "mistral" is not configured: set MISTRAL_API_KEY'],
    ['typesafe/gpt-4o', 'provider "typesafe" is not among those this gateway speaks to'],
    ['azure/gpt-4o', 'provider "azure" is not configured: add it under "providers"'],
  ])('%s says what is missing', (name, message) => {
    expect(() => resolved(name)).toThrow(message);
  });
});

describe('a provider that the config names and that cannot be used', () => {
  const { byName } = createProviders(
    {
      openai: providerSchema.parse({ keys: keys('a') }),
      inhouse: providerSchema.parse({ keys: keys('b') }),
    },
    ['Secret-Lab', 'groq'],
  );

  // with its prefix taken for a part of the model's name, the prompt would go to OpenAI
  test.each([
    ['inhouse/gpt-4o', 'provider "inhouse" is not built in; say what it speaks'],
    ['secret-lab/gpt-4o', 'provider "Secret-Lab" is skipped, as its entry in config.json is not valid'],
    ['groq/llama-3.3-70b', 'provider "groq" is skipped, as its entry in config.json is not valid'],
  ])('%s is asked of no other one', (name, message) => {
    expect(() => resolveModel(name, byName, 'openai-chat')).toThrow(message);
    expect(() => resolveModel(name.toUpperCase(), byName, 'openai-chat')).toThrow(message);
  });
});

describe('Google’s bare names', () => {
  const vertex = { keys: [{ name: 'v', value: 'express', models: ['*'] }] };

  test.each(['gemini-2.5-pro', 'imagen-4.0-generate-001', 'text-embedding-005', 'text-multilingual-embedding-002'])(
    '%s is Vertex’s where Gemini’s own API is not configured',
    (name) => {
      const both = configured({ openai: { keys: keys('a') }, gemini: { keys: keys('b') }, vertex });
      expect(resolveModel(name, both, 'openai-chat').provider.name).toBe('gemini');
      const { provider } = resolveModel(name, configured({ anthropic: { keys: keys('a') }, vertex }), 'openai-chat');
      expect(provider.name).toBe('vertex');
    },
  );

  test('OpenAI’s embeddings are still its own', () => {
    const all = configured({ openai: { keys: keys('a') }, gemini: { keys: keys('b') }, vertex });
    expect(resolveModel('text-embedding-3-small', all, 'gemini').provider.name).toBe('openai');
  });
});

describe('a bare name', () => {
  test.each<[string, CodecId, string]>([
    ['claude-sonnet-4-5', 'openai-chat', 'anthropic'],
    ['gpt-4o', 'anthropic-messages', 'openai'],
    ['o3', 'anthropic-messages', 'openai'],
    ['llama-3.3-70b', 'openai-chat', 'groq'],
    ['quick', 'openai-chat', 'groq'],
    ['some-model', 'openai-chat', 'openai'],
  ])('%s from %s goes to %s', (name, dialect, provider) => {
    expect(resolved(name, dialect)).toEqual([provider, name]);
  });

  test('that no key may serve is refused, with the providers to choose from', () => {
    expect(() => resolved('claude-opus-4-5', 'anthropic-messages')).toThrow(
      'no configured provider is known to serve model "claude-opus-4-5": write provider/model with one of openai, anthropic, openrouter, groq, acme',
    );
  });

  test('of a family whose provider is missing says how to get it', () => {
    const onlyGroq = configured({ groq: { keys: keys('d') } });
    expect(() => resolveModel('gpt-4o', onlyGroq, 'anthropic-messages')).toThrow(
      'write provider/model with one of groq; provider "openai" is not configured: set OPENAI_API_KEY',
    );
  });

  test('without any provider says how to begin', () => {
    expect(() => resolveModel('gpt-4o', new Map(), 'openai-chat')).toThrow(
      'no provider is configured; set OPENAI_API_KEY',
    );
  });
});
