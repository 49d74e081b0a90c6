import Anthropic from '@anthropic-ai/sdk';
import type { Fetch } from './fetch.ts';
import { headsOf } from './known-heads.ts';
import { oneDeadline } from './one-deadline.ts';
import { throughSdk } from './sdk-upstream.ts';
import type { Upstream, UpstreamTarget } from './upstream.ts';

const ANTHROPIC_ITSELF = 'https://api.anthropic.com';

/** The version that our codec speaks. SDKs ask for later ones by themselves; a client's own wish goes above both. */
export const spokenVersion = { 'anthropic-version': '2023-06-01' } as const;

/** A provider behind the official `@anthropic-ai/sdk`, which owns its URL, authentication and headers. */
export function openAnthropic(target: UpstreamTarget, fetch: Fetch): Upstream {
  const client = new Anthropic({
    // The SDK wants a key even where its header is taken away again
    apiKey: target.apiKey ?? 'none',
    webhookKey: null,
    baseURL: target.baseUrl,
    timeout: target.timeoutMs,
    maxRetries: 0,
    logLevel: 'off',
    openTelemetry: false,
    fetch,
    defaultHeaders: { 'accept-encoding': 'identity', ...spokenVersion, ...keyHeaders(target), ...target.headers },
  });
  oneDeadline(client, fetch);
  const heads = headsOf(client);
  return throughSdk((path) => ({ client, path, heads }), anthropicErrors, target, fetch);
}

export const anthropicErrors = {
  timeout: Anthropic.APIConnectionTimeoutError,
  aborted: Anthropic.APIUserAbortError,
};

/** Servers that speak Anthropic's format know keys as `x-api-key`; the SDK sends a bearer token. */
function keyHeaders({ apiKey, baseUrl }: UpstreamTarget): Record<string, string | null> {
  if (apiKey === undefined) return { authorization: null };
  return baseUrl === ANTHROPIC_ITSELF ? {} : { 'x-api-key': apiKey };
}
