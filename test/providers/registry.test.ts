import { describe, expect, test } from 'vitest';
import { provider as providerSchema } from '../../src/config/provider-section.ts';
import { openAiBaseUrl } from '../../src/providers/base-url.ts';
import { adviceFor, builtInDeployments, createProviders } from '../../src/providers/registry.ts';

const only = (name: string, settings: unknown) => {
  const { byName, problems } = createProviders({ [name]: providerSchema.parse(settings) });
  return { provider: byName.get(name.toLowerCase()), problems };
};

const targetOf = (name: string, settings: unknown) => {
  const { provider } = only(name, settings);
  const key = provider?.keys[0];
  if (!provider || !key) throw new Error(`no key for ${name}`);
  return provider.upstreamOf(key);
};

const key = { name: 'k', value: 'sk-1' };

test('every built-in provider that has an address is ready with a key alone', () => {
  for (const { name, baseUrl, keyHeader } of builtInDeployments.filter((entry) => entry.baseUrl !== undefined)) {
    const shown = keyHeader ? { headers: { [keyHeader]: 'sk-1' } } : { apiKey: 'sk-1' };
    expect(targetOf(name, { keys: [key] })).toMatchObject({ provider: name, baseUrl, ...shown });
  }
});

describe('base_url is taken as users write it', () => {
  test.each([
    ['openai', 'http://127.0.0.1:1', 'http://127.0.0.1:1/v1'],
    ['openai', 'http://127.0.0.1:1/', 'http://127.0.0.1:1/v1'],
    ['openai', 'http://127.0.0.1:1/v1', 'http://127.0.0.1:1/v1'],
    ['openai', 'http://127.0.0.1:1/v1/', 'http://127.0.0.1:1/v1'],
    ['openai', 'http://127.0.0.1:1/api/paas/v4', 'http://127.0.0.1:1/api/paas/v4'],
    ['anthropic', 'http://127.0.0.1:1', 'http://127.0.0.1:1'],
    ['anthropic', 'http://127.0.0.1:1/v1', 'http://127.0.0.1:1'],
    ['perplexity', 'http://127.0.0.1:1', 'http://127.0.0.1:1'],
    ['cohere', 'http://127.0.0.1:1', 'http://127.0.0.1:1/compatibility/v1'],
    ['cohere', 'http://127.0.0.1:1/v1', 'http://127.0.0.1:1/v1'],
    ['gemini', 'http://127.0.0.1:1', 'http://127.0.0.1:1/v1beta'],
    ['gemini', 'http://127.0.0.1:1/v1beta/', 'http://127.0.0.1:1/v1beta'],
    ['gemini', 'http://127.0.0.1:1/v1', 'http://127.0.0.1:1/v1'],
    ['gemini', 'http://127.0.0.1:1/v1beta/openai/', 'http://127.0.0.1:1/v1beta'],
  ])('%s at %s', (name, base_url, expected) => {
    expect(targetOf(name, { keys: [key], network_config: { base_url } }).baseUrl).toBe(expected);
  });

  test('a custom provider has a version of its own', () => {
    expect(openAiBaseUrl('http://host/openai/v1')).toBe('http://host/openai/v1');
  });
});

test.each([
  ['ollama', 'ollama_key_config'],
  ['vllm', 'vllm_key_config'],
  ['sgl', 'sgl_key_config'],
])('%s has its address in its key', (name, field) => {
  const keys = [{ name: 'local', [field]: { url: 'http://gpu:8000' } }];
  const target = targetOf(name, { keys });
  expect(target.baseUrl).toBe('http://gpu:8000/v1');
  expect(target.apiKey).toBeUndefined();
});

test('databricks has its workspace in its key, whose serving endpoints answer chats', () => {
  for (const workspace_url of [
    'https://dbc-1.cloud.databricks.com/',
    'https://dbc-1.cloud.databricks.com/serving-endpoints',
  ]) {
    const keys = [{ ...key, databricks_key_config: { workspace_url } }];
    expect(targetOf('databricks', { keys }).baseUrl).toBe('https://dbc-1.cloud.databricks.com/serving-endpoints');
  }
});

test.each(['elevenlabs', 'replicate', 'runware', 'runway'])('%s has no chat', (name) => {
  const { provider } = only(name, { keys: [key] });
  expect(
    ['chat_completion', 'chat_completion_stream'].map((operation) => provider?.allows(operation as never)),
  ).toEqual([false, false]);
});

test('a provider without any address says what to write', () => {
  expect(() => targetOf('vllm', {})).toThrow('nothing says where provider "vllm" is: set network_config.base_url');
});

test('ollama needs no configuration at all', () => {
  expect(targetOf('ollama', {})).toMatchObject({ baseUrl: 'http://localhost:11434/v1', headers: {} });
});

test('limits and extra headers reach the connection', () => {
  const network_config = {
    extra_headers: { 'X-Team': 'blue' },
    default_request_timeout_in_seconds: 7,
    insecure_skip_verify: true,
    max_conns_per_host: 3,
  };
  expect(targetOf('openai', { keys: [key], network_config })).toMatchObject({
    headers: { 'x-team': 'blue' },
    timeoutMs: 7_000,
    insecureSkipVerify: true,
    maxConnections: 3,
  });
});

describe('custom providers', () => {
  const custom = (custom_provider_config: object, more = {}) => ({
    keys: [key],
    network_config: { base_url: 'http://host:1' },
    custom_provider_config,
    ...more,
  });

  test.each([
    ['openai', 'openai-chat', 'http://host:1/v1'],
    ['anthropic', 'anthropic-messages', 'http://host:1'],
  ])('speak as their base does: %s', (base_provider_type, format, baseUrl) => {
    const settings = custom({ base_provider_type });
    expect(only('acme', settings).provider?.deployment).toMatchObject({ name: 'acme', speaks: [format] });
    expect(targetOf('acme', settings)).toMatchObject({ provider: 'acme', baseUrl });
  });

  test('the name is compared without case', () => {
    expect(only('Acme', custom({ base_provider_type: 'openai' })).provider?.name).toBe('acme');
  });

  test('allowed_requests: absent allows all, present only what is true', () => {
    const all = only('acme', custom({ base_provider_type: 'openai' })).provider;
    const some = only(
      'acme',
      custom({ base_provider_type: 'openai', allowed_requests: { chat_completion: true } }),
    ).provider;
    const none = only('acme', custom({ base_provider_type: 'openai', allowed_requests: {} })).provider;
    const answers = [all, some, none].map((one) => [
      one?.allows('chat_completion'),
      one?.allows('chat_completion_stream'),
    ]);
    expect(answers).toEqual([
      [true, true],
      [true, false],
      [false, false],
    ]);
  });

  test('is_key_less needs no key', () => {
    const settings = custom({ base_provider_type: 'openai', is_key_less: true }, { keys: [] });
    expect(targetOf('acme', settings).apiKey).toBeUndefined();
  });

  test.each([
    ['/api/chat', 'http://host:1/api/chat'],
    ['api/chat', 'http://host:1/api/chat'],
    ['https://other/chat', 'https://other/chat'],
  ])('request_path_overrides %s', (chat_completion, expected) => {
    const settings = custom({ base_provider_type: 'openai', request_path_overrides: { chat_completion } });
    expect(only('acme', settings).provider?.chatUrl).toBe(expected);
  });
});

test('a custom cloud serves its families under its own name, each of them by one provider', () => {
  const { provider } = only('acme', {
    keys: [{ ...key, value: '' }],
    custom_provider_config: { base_provider_type: 'bedrock' },
  });
  const [own] = provider?.keys ?? [];
  if (!provider?.placeOf || !own) throw new Error('nothing was placed');
  const [claude, nova] = ['anthropic.claude-sonnet-4-5', 'amazon.nova-pro-v1:0'].map((model) =>
    provider.placeOf?.(own, model),
  );
  expect([claude?.provider.name, nova?.provider.name]).toEqual(['acme', 'acme']);
  expect(claude?.provider).not.toBe(nova?.provider);
  expect(provider.placeOf(own, 'us.anthropic.claude-opus-4-5').provider).toBe(claude?.provider);
});

describe('providers that cannot be used are left out, with the reason', () => {
  test.each([
    ['acme', {}, 'custom_provider_config.base_provider_type'],
    ['openai', { custom_provider_config: { base_provider_type: 'openai' } }, 'give the custom provider another name'],
    ['typesafe', { keys: [key] }, 'not among those this gateway speaks to'],
  ])('%s %j', (name, settings, problem) => {
    const result = only(name, settings);
    expect(result.provider).toBeUndefined();
    expect(result.problems).toEqual([expect.stringContaining(problem)]);
  });
});

test.each([
  ['groq', 'provider "groq" is not configured: set GROQ_API_KEY, or add it under "providers" in config.json'],
  ['vllm', 'provider "vllm" is not configured: add it under "providers" in config.json'],
  ['meta-llama', undefined],
])('advice for %s', (name, advice) => {
  expect(adviceFor(name)).toBe(advice);
});

test.each([
  ['opnai', 'provider "opnai" is not built in; did you mean "openai"? Otherwise say what it speaks in'],
  ['inhouse', 'provider "inhouse" is not built in; say what it speaks in'],
])('a provider that nobody knows is left out, and one that was mistyped is named: %s', (name, words) => {
  const { problems, byName } = createProviders({ [name]: providerSchema.parse({}) });
  expect(problems).toEqual([expect.stringContaining(words)]);
  expect(byName.has(name)).toBe(false);
});
