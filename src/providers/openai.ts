import OpenAI from 'openai';
import type { Fetch } from './fetch.ts';
import type { Token } from './identity.ts';
import { headsOf } from './known-heads.ts';
import { oneDeadline } from './one-deadline.ts';
import { throughSdk } from './sdk-upstream.ts';
import type { Upstream, UpstreamTarget } from './upstream.ts';

/** A provider behind the official `openai` SDK, which owns its URL, authentication and headers. */
export function openOpenAi(target: UpstreamTarget, fetch: Fetch, token?: Token): Upstream {
  const client = new OpenAI({
    // The SDK wants a key even where its header is taken away again
    apiKey: token ?? target.apiKey ?? 'none',
    // Given, so that the SDK does not read them from the environment
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
    baseURL: target.baseUrl,
    timeout: target.timeoutMs,
    maxRetries: 0,
    logLevel: 'off',
    fetch,
    defaultHeaders: {
      'accept-encoding': 'identity',
      ...(target.apiKey === undefined && !token && { authorization: null }),
      ...target.headers,
    },
  });
  oneDeadline(client, fetch);
  // A kept head would hold a token beyond its end
  const heads = token ? undefined : headsOf(client);
  return throughSdk((path) => ({ client, path, heads }), openAiErrors, target, fetch);
}

export const openAiErrors = { timeout: OpenAI.APIConnectionTimeoutError, aborted: OpenAI.APIUserAbortError };
