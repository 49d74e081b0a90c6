import OpenAI, { AzureOpenAI } from 'openai';
import type { Fetch } from '../fetch.ts';
import type { Token } from '../identity.ts';
import { headsOf } from '../known-heads.ts';
import { oneDeadline } from '../one-deadline.ts';
import { openAiErrors } from '../openai.ts';
import { throughSdk } from '../sdk-upstream.ts';
import type { Upstream, UpstreamTarget } from '../upstream.ts';

/** Paths of the surface that takes no dated version. */
const UNDATED = /^\/v1\//;

/** A resource behind the `openai` package: its Azure variant, and the usual one for the surface under `/openai/v1`. */
export function openAzureOpenAi(target: UpstreamTarget, fetch: Fetch, token?: Token): Upstream {
  const line = (client: OpenAI) => {
    oneDeadline(client, fetch);
    // A kept head would hold a token beyond its end
    return { client, heads: token ? undefined : headsOf(client) };
  };
  const dated = line(datedClient(target, fetch, token));
  const undated = line(undatedClient(target, fetch, token));
  return throughSdk(
    (path) => (UNDATED.test(path) ? { ...undated, path: path.slice('/v1'.length) } : { ...dated, path }),
    openAiErrors,
    target,
    fetch,
  );
}

const datedClient = (target: UpstreamTarget, fetch: Fetch, token: Token | undefined): OpenAI =>
  new AzureOpenAI({
    ...shared(target, fetch),
    baseURL: target.baseUrl,
    apiVersion: target.cloud?.apiVersion ?? '',
    ...(token ? { azureADTokenProvider: token } : { apiKey: target.apiKey ?? '' }),
    defaultHeaders: { 'accept-encoding': 'identity', ...target.headers },
  });

/** `preview` is the one version that has to be said there (Azure OpenAI, v1 API). */
function undatedClient(target: UpstreamTarget, fetch: Fetch, token: Token | undefined): OpenAI {
  const isPreview = target.cloud?.apiVersion === 'preview';
  return new OpenAI({
    ...shared(target, fetch),
    baseURL: `${target.baseUrl}/v1`,
    apiKey: token ?? 'none',
    ...(isPreview && { defaultQuery: { 'api-version': 'preview' } }),
    defaultHeaders: {
      'accept-encoding': 'identity',
      ...(target.apiKey !== undefined && { authorization: null, 'api-key': target.apiKey }),
      ...target.headers,
    },
  });
}

/** What would be read from the environment is given. */
const shared = ({ timeoutMs }: UpstreamTarget, fetch: Fetch) =>
  ({
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
    timeout: timeoutMs,
    maxRetries: 0,
    logLevel: 'off',
    fetch,
  }) as const;
