import OpenAI from 'openai';
import { asDirectResponse } from './direct-response.ts';
import type { Fetch } from './fetch.ts';
import { cacheHeads } from './head-cache.ts';
import { answerBehind, sdkOptions, type Upstream, type UpstreamTarget } from './upstream.ts';

/** A provider behind the official `openai` SDK, which owns its URL, authentication and headers. */
export function openOpenAi(target: UpstreamTarget, fetch: Fetch): Upstream {
  const client = new OpenAI({
    // The SDK wants a key even where its header is taken away again
    apiKey: target.apiKey ?? 'none',
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
      ...(target.apiKey === undefined && { authorization: null }),
      ...target.headers,
    },
  });
  cacheHeads(client);
  const errors = { timeout: OpenAI.APIConnectionTimeoutError, aborted: OpenAI.APIUserAbortError };
  const settled = (answer: Promise<Response>) =>
    answer.then(asDirectResponse, (thrown: unknown) => answerBehind(thrown, errors, target));
  return {
    post: (path, body, call) => settled(client.post(path, { body, ...sdkOptions(call) }).asResponse()),
    get: (path, call) => settled(client.get(path, sdkOptions(call)).asResponse()),
    delete: (path, call) => settled(client.delete(path, sdkOptions(call)).asResponse()),
  };
}
