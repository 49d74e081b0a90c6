import type { Deployment } from './provider.ts';

const chatlessDeployment = (
  name: string,
  baseUrl: string,
  keyVariables: readonly string[],
  more: Partial<Deployment> = {},
): Deployment => ({
  name,
  baseUrl,
  speaks: ['openai-chat'],
  sdk: 'openai',
  keyVariables,
  wire: {},
  chatless: true,
  ...more,
});

/** Providers of speech, pictures and videos: known by name, so that a chat with one is refused in plain words. */
export const chatless: readonly Deployment[] = [
  chatlessDeployment('elevenlabs', 'https://api.elevenlabs.io', ['ELEVENLABS_API_KEY'], {
    keyHeader: 'xi-api-key',
    modelsPath: '/v1/models',
  }),
  chatlessDeployment('replicate', 'https://api.replicate.com', ['REPLICATE_API_TOKEN', 'REPLICATE_API_KEY'], {
    modelsPath: '/v1/models',
  }),
  chatlessDeployment('runware', 'https://api.runware.ai', []),
  chatlessDeployment('runway', 'https://api.dev.runwayml.com', []),
];
