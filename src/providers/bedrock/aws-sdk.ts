import { GatewayError } from '../../model/errors.ts';
import type { UpstreamTarget } from '../upstream.ts';

/** The SDK's notice to its developers would stand on our users' screens. */
export function silenceSdk(): void {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
}

/** What the SDK threw, in words that say what to set. */
export function awsFailure(thrown: unknown, { provider }: UpstreamTarget): GatewayError {
  if (thrown instanceof GatewayError) {
    return new GatewayError(thrown.kind, thrown.message, { ...thrown.details, provider });
  }
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  const name = thrown instanceof Error ? thrown.name : '';
  if (/Credentials|Token|AccessDenied|STS|ExpiredToken/.test(name) || /credential/i.test(why)) {
    const advice =
      'set access_key and secret_key in bedrock_key_config, a Bedrock API key as value, or sign this machine in to AWS';
    return new GatewayError('authentication', `${provider} has no AWS credentials (${why}); ${advice}`, {
      provider,
      cause: thrown,
    });
  }
  return new GatewayError('network', `the request to ${provider} failed: ${why}`, { provider, cause: thrown });
}
