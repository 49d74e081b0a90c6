import Anthropic from '@anthropic-ai/sdk';
import { asDirectResponse } from './direct-response.ts';
import type { Fetch } from './fetch.ts';
import { cacheHeads } from './head-cache.ts';
import { answerBehind, sdkOptions, type Upstream, type UpstreamTarget } from './upstream.ts';

const ANTHROPIC_ITSELF = 'https://api.anthropic.com';

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
    defaultHeaders: { 'accept-encoding': 'identity', ...keyHeaders(target), ...target.headers },
  });
  cacheHeads(client);
  const errors = { timeout: Anthropic.APIConnectionTimeoutError, aborted: Anthropic.APIUserAbortError };
  const settled = (answer: Promise<Response>) =>
    answer.then(asDirectResponse, (thrown: unknown) => answerBehind(thrown, errors, target));
  return {
    post: (path, body, call) => settled(client.post(path, { body, ...sdkOptions(call) }).asResponse()),
    get: (path, call) => settled(client.get(path, sdkOptions(call)).asResponse()),
  };
}

/** Servers that speak Anthropic's format know keys as `x-api-key`; the SDK sends a bearer token. */
function keyHeaders({ apiKey, baseUrl }: UpstreamTarget): Record<string, string | null> {
  if (apiKey === undefined) return { authorization: null };
  return baseUrl === ANTHROPIC_ITSELF ? {} : { 'x-api-key': apiKey };
}
