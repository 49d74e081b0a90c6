import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { type DetectionSources, detectProviders } from '../../src/config/detect.ts';
import { probeHttp } from '../../src/config/probe.ts';

const detectable: DetectionSources['detectable'] = [
  { name: 'openai', keyVariables: ['OPENAI_API_KEY', 'OPENAI_KEY'] },
  { name: 'anthropic', keyVariables: ['ANTHROPIC_API_KEY', 'ANTHROPIC_KEY'] },
  { name: 'bedrock', keyVariables: ['AWS_BEARER_TOKEN_BEDROCK'] },
  { name: 'ollama', keyVariables: [] },
];

const detect = (env: DetectionSources['env'], ollama: DetectionSources['probe'] = async () => false) =>
  detectProviders({ env, listen: { host: 'localhost', port: 8080 }, detectable, probe: ollama });

const entry = (key: object, baseUrl?: string) => ({
  keys: [{ ...key, models: ['*'], weight: 1 }],
  ...(baseUrl && { network_config: { base_url: baseUrl } }),
});

describe('keys in the environment', () => {
  test('nothing set, nothing found', async () => {
    expect(await detect({})).toEqual({ providers: {}, notes: [], warnings: [] });
  });

  test.each(['OPENAI_API_KEY', 'OPENAI_KEY'])('%s gives a key that is named after it', async (variable) => {
    const { providers, notes } = await detect({ [variable]: 'sk-secret' });
    expect(providers).toEqual({ openai: entry({ name: `${variable}_auto_detected`, value: `env.${variable}` }) });
    expect(notes).toEqual([`provider openai found by ${variable} in the environment`]);
  });

  test.each(['', '  ', 'dummy-key', 'DUMMY-KEY', 'none'])('%j is no key', async (value) => {
    expect((await detect({ ANTHROPIC_API_KEY: value })).providers).toEqual({});
  });

  test('a second variable counts where the first holds a placeholder', async () => {
    const { providers } = await detect({ ANTHROPIC_API_KEY: 'dummy-key', ANTHROPIC_KEY: 'sk' });
    expect(providers).toMatchObject({ anthropic: { keys: [{ value: 'env.ANTHROPIC_KEY' }] } });
  });
});

describe('AWS in the environment', () => {
  const keys = { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'secret' };

  test('keys with a region give bedrock', async () => {
    const { providers, notes } = await detect({ ...keys, AWS_REGION: 'eu-west-1' });
    const bedrock_key_config = {
      access_key: 'env.AWS_ACCESS_KEY_ID',
      secret_key: 'env.AWS_SECRET_ACCESS_KEY',
      region: 'env.AWS_REGION',
    };
    expect(providers).toEqual({ bedrock: entry({ name: 'AWS_ACCESS_KEY_ID_auto_detected', bedrock_key_config }) });
    expect(notes).toEqual([
      'provider bedrock found by AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION in the environment',
    ]);
  });

  test('keys without a region serve other ends', async () => {
    expect((await detect(keys)).providers).toEqual({});
  });

  test('a Bedrock API key counts before them', async () => {
    const { providers } = await detect({ ...keys, AWS_REGION: 'eu-west-1', AWS_BEARER_TOKEN_BEDROCK: 'key' });
    expect(providers).toMatchObject({ bedrock: { keys: [{ value: 'env.AWS_BEARER_TOKEN_BEDROCK' }] } });
  });
});

describe('base URLs in the environment', () => {
  test('a base URL goes with the key', async () => {
    const { providers, notes } = await detect({ OPENAI_API_KEY: 'sk', OPENAI_BASE_URL: 'https://llm.example/v1' });
    const key = { name: 'OPENAI_API_KEY_auto_detected', value: 'env.OPENAI_API_KEY' };
    expect(providers).toEqual({ openai: entry(key, 'env.OPENAI_BASE_URL') });
    expect(notes).toEqual(['provider openai found by OPENAI_API_KEY and OPENAI_BASE_URL in the environment']);
  });

  test('a base URL alone gives a provider that needs no key', async () => {
    const { providers } = await detect({ OPENAI_BASE_URL: 'http://127.0.0.1:1234/v1' });
    expect(providers).toEqual({
      openai: entry({ name: 'OPENAI_BASE_URL_auto_detected', value: 'none' }, 'env.OPENAI_BASE_URL'),
    });
  });

  test.each([
    'http://localhost:8080/anthropic',
    'http://127.0.0.1:8080/anthropic',
    'http://[::1]:8080',
    'http://0.0.0.0:8080',
    'http://LOCALHOST:8080/anthropic/',
  ])('%s is this gateway and is ignored with a warning, even beside a real key', async (url) => {
    const { providers, warnings } = await detect({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'sk' });
    expect(providers).toEqual({
      anthropic: entry({ name: 'ANTHROPIC_API_KEY_auto_detected', value: 'env.ANTHROPIC_API_KEY' }),
    });
    expect(warnings).toEqual([expect.stringContaining('ANTHROPIC_BASE_URL is ignored: it points at this gateway')]);
  });

  test('what the guide tells users of Claude Code to export configures nothing', async () => {
    const env = { ANTHROPIC_BASE_URL: 'http://localhost:8080/anthropic', ANTHROPIC_API_KEY: 'dummy-key' };
    expect((await detect(env)).providers).toEqual({});
  });

  test.each(['http://localhost:8081', 'http://example.com:8080'])('%s is somebody else', async (url) => {
    expect((await detect({ OPENAI_BASE_URL: url })).warnings).toEqual([]);
  });

  test('what is no URL is ignored with a warning', async () => {
    const { providers, warnings } = await detect({ OPENAI_BASE_URL: 'localhost' });
    expect(providers).toEqual({});
    expect(warnings).toEqual(['OPENAI_BASE_URL is ignored: it is not an http or https URL; correct or unset it']);
  });
});

describe('a local Ollama', () => {
  test('that answers becomes a provider', async () => {
    const { providers, notes } = await detect({}, async () => true);
    expect(providers).toEqual({
      ollama: entry({ name: 'ollama_auto_detected', value: 'none' }, 'http://127.0.0.1:11434'),
    });
    expect(notes).toEqual(['provider ollama found: it answers at 127.0.0.1:11434']);
  });

  test.each([
    [undefined, 'http://127.0.0.1:11434'],
    ['0.0.0.0', 'http://127.0.0.1:11434'],
    ['gpu.lan', 'http://gpu.lan:11434'],
    ['gpu.lan:9000', 'http://gpu.lan:9000'],
    [':9000', 'http://127.0.0.1:9000'],
    ['https://gpu.lan', 'https://gpu.lan'],
    ['http://gpu.lan:80/', 'http://gpu.lan'],
    ['not a host', 'http://127.0.0.1:11434'],
  ])('OLLAMA_HOST=%s is asked at %s, for no longer than 300 ms', async (host, url) => {
    const asked: unknown[] = [];
    await detect({ OLLAMA_HOST: host }, async (...question) => asked.push(question) > 1);
    expect(asked).toEqual([[url, 300]]);
  });

  test('is not asked for when its base URL is given', async () => {
    const { providers } = await detect({ OLLAMA_BASE_URL: 'http://gpu.lan:11434' }, () => {
      throw new Error('unexpected probe');
    });
    expect(Object.keys(providers)).toEqual(['ollama']);
  });
});

describe('the probe', () => {
  test('says yes to any HTTP answer and no to silence', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/answers') response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await probeHttp(`${url}/answers`, 5_000)).toBe(true);
    expect(await probeHttp(`${url}/silent`, 20)).toBe(false);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await probeHttp(url, 5_000)).toBe(false);
  });
});
