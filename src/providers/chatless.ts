import type { Deployment } from './provider.ts';

/** Providers of speech, pictures and videos: known by name, so that a chat with one is refused in plain words. */
export const chatless: readonly Deployment[] = [
  ['elevenlabs', 'https://api.elevenlabs.io'],
  ['replicate', 'https://api.replicate.com'],
  ['runware', 'https://api.runware.ai'],
  ['runway', 'https://api.dev.runwayml.com'],
].map(
  ([name = '', baseUrl = '']): Deployment => ({
    name,
    baseUrl,
    speaks: ['openai-chat'],
    sdk: 'openai',
    keyVariables: [],
    wire: {},
    chatless: true,
  }),
);
