import { AnthropicBedrockMantle } from '@anthropic-ai/bedrock-sdk';
import { anthropicErrors, spokenVersion } from '../anthropic.ts';
import { asDirectResponse } from '../direct-response.ts';
import type { Fetch } from '../fetch.ts';
import { answerBehind, sdkOptions, type Upstream, type UpstreamTarget } from '../upstream.ts';
import { awsCredentials } from './credentials.ts';

/** Claude on Bedrock's newer endpoint, behind the vendor's `@anthropic-ai/bedrock-sdk`: by API key, or signed. */
export function openMantle(target: UpstreamTarget, fetch: Fetch): Upstream {
  const { apiKey, identity, cloud, baseUrl } = target;
  const region = cloud?.region ?? 'us-east-1';
  const credentials = awsCredentials(identity?.type === 'aws' ? identity : { type: 'aws' }, region);
  const client = new AnthropicBedrockMantle({
    baseURL: baseUrl,
    awsRegion: region,
    ...(apiKey === undefined
      ? {
          apiKey: null,
          providerChainResolver: async () =>
            typeof credentials === 'function' ? credentials : async () => credentials,
        }
      : { apiKey }),
    timeout: target.timeoutMs,
    maxRetries: 0,
    logLevel: 'off',
    fetch,
    defaultHeaders: { 'accept-encoding': 'identity', ...spokenVersion, ...target.headers },
  });
  const settled = (answer: Promise<Response>) =>
    answer.then(asDirectResponse, (thrown: unknown) => answerBehind(thrown, anthropicErrors, target));
  return {
    // the SDK signs texts only
    post: (path, body, call) =>
      settled(
        client
          .post(path, {
            body: typeof body === 'string' ? body : Buffer.from(body).toString('utf8'),
            ...sdkOptions(call),
          })
          .asResponse(),
      ),
    get: (path, call) => settled(client.get(path, sdkOptions(call)).asResponse()),
  };
}
