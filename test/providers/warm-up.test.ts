import { expect, test } from 'vitest';
import { provider as providerSchema } from '../../src/config/provider-section.ts';
import { createProviders } from '../../src/providers/registry.ts';
import type { Upstreams } from '../../src/providers/upstreams.ts';
import { readFirstSdk } from '../../src/providers/warm-up.ts';

const keys = [{ name: 'k', value: 'sk-1' }];
const providersOf = (settings: Record<string, unknown>) =>
  createProviders(
    Object.fromEntries(Object.entries(settings).map(([name, given]) => [name, providerSchema.parse(given)])),
  ).byName.values();

/** Which SDKs are opened, by the provider that asked first; each fails to. */
async function openedFor(settings: Record<string, unknown>): Promise<string[]> {
  const opened: string[] = [];
  const upstreams: Upstreams = (target) => {
    opened.push(`${target.sdk} for ${target.provider}`);
    return Promise.reject(new Error('its module is broken'));
  };
  await readFirstSdk(providersOf(settings), upstreams);
  return opened;
}

test('the SDK of the first provider is read, and no other', async () => {
  expect(await openedFor({ groq: { keys }, anthropic: { keys }, gemini: { keys } })).toEqual(['openai for groq']);
});

test('providers that have none to read are passed over', async () => {
  expect(await openedFor({ vllm: { keys }, openai: {}, gemini: { keys } })).toEqual(['google for gemini']);
});

test.each([
  [
    'a cloud that looks for credentials',
    { bedrock: { keys: [{ name: 'k', bedrock_key_config: { region: 'eu-west-1' } }] } },
  ],
  ['a provider without keys', { openai: {} }],
  ['a server whose address nobody told', { vllm: { keys } }],
])('%s is left to the first request', async (_, settings) => {
  expect(await openedFor(settings)).toEqual([]);
});
