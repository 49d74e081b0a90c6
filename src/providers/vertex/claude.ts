import { AnthropicVertex } from '@anthropic-ai/vertex-sdk';
import type { GoogleAuth } from 'google-auth-library';
import { anthropicErrors } from '../anthropic.ts';
import type { Fetch } from '../fetch.ts';
import { throughSdk } from '../sdk-upstream.ts';
import type { Upstream, UpstreamTarget } from '../upstream.ts';
import { googleToken } from './google-token.ts';

/** The only version there; the SDK moves it from here into the body (Anthropic, Claude on Vertex AI). */
const VERTEX_VERSION = { 'anthropic-version': 'vertex-2023-10-16' } as const;

/**
 * Claude on Vertex behind the vendor's `@anthropic-ai/vertex-sdk`, which moves the model into the path and the version
 * of the API into the body.
 */
export function openVertexAnthropic(target: UpstreamTarget, fetch: Fetch, googleAuth: GoogleAuth): Upstream {
  const client = new AnthropicVertex({
    baseURL: target.baseUrl,
    projectId: target.cloud?.project ?? null,
    region: target.cloud?.region ?? null,
    googleAuth,
    timeout: target.timeoutMs,
    maxRetries: 0,
    logLevel: 'off',
    fetch,
    defaultHeaders: { 'accept-encoding': 'identity', ...target.headers },
  });
  const token = googleToken(googleAuth);
  const sdk = throughSdk((path) => ({ client, path }), anthropicErrors, target, fetch);
  return {
    async post(path, body, call) {
      // The SDK tells a missing token as a broken connection
      await token();
      // It reads texts only
      const text = typeof body === 'string' ? body : Buffer.from(body).toString('utf8');
      return sdk.post(path, text, { ...call, headers: { ...call.headers, ...VERTEX_VERSION } });
    },
    async get(path, call) {
      await token();
      return sdk.get(path, call);
    },
  };
}
