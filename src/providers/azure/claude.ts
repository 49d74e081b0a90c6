import { AnthropicFoundry } from '@anthropic-ai/foundry-sdk';
import { anthropicErrors, spokenVersion } from '../anthropic.ts';
import type { Fetch } from '../fetch.ts';
import type { Token } from '../identity.ts';
import { headsOf } from '../known-heads.ts';
import { oneDeadline } from '../one-deadline.ts';
import { throughSdk } from '../sdk-upstream.ts';
import type { Upstream, UpstreamTarget } from '../upstream.ts';

/** The Claude deployments of a Microsoft Foundry resource, behind the vendor's `@anthropic-ai/foundry-sdk`. */
export function openAzureAnthropic(target: UpstreamTarget, fetch: Fetch, token?: Token): Upstream {
  const client = new AnthropicFoundry({
    ...(token ? { azureADTokenProvider: token } : { apiKey: target.apiKey ?? '' }),
    baseURL: target.baseUrl,
    timeout: target.timeoutMs,
    maxRetries: 0,
    logLevel: 'off',
    openTelemetry: false,
    fetch,
    defaultHeaders: { 'accept-encoding': 'identity', ...spokenVersion, ...target.headers },
  });
  oneDeadline(client, fetch);
  // A kept head would hold a token beyond its end
  const heads = token ? undefined : headsOf(client);
  return throughSdk((path) => ({ client, path, heads }), anthropicErrors, target, fetch);
}
