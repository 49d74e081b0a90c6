import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime';
import type { CancellableInit } from '../cancellation.ts';
import type { Fetch } from '../fetch.ts';
import type { UpstreamTarget } from '../upstream.ts';
import { wireOf } from '../wire-of.ts';
import { awsFailure, silenceSdk } from './aws-sdk.ts';
import { awsCredentials } from './credentials.ts';

/**
 * A fetch for an SDK that knows no AWS: each request is signed (Signature Version 4) for `service` by AWS's own signer,
 * as a client of Bedrock holds it. The host, the date and the body are signed, other headers may change on the way.
 */
export function signedFetch(fetch: Fetch, target: UpstreamTarget, service: string): Fetch {
  silenceSdk();
  const { identity, cloud } = target;
  const region = cloud?.region ?? 'us-east-1';
  const credentials = awsCredentials(identity?.type === 'aws' ? identity : { type: 'aws' }, region);
  const { config } = new BedrockRuntimeClient({ region, credentials });
  const scheme = { name: 'sigv4', signingName: service, signingRegion: region, properties: {} };
  const signed = async (given: string | URL | Request, { method = 'GET', body }: CancellableInit) => {
    const url = new URL(given instanceof Request ? given.url : given);
    const { protocol, hostname, host, pathname: path, searchParams } = url;
    const query = Object.fromEntries(searchParams);
    const request = { method: method.toUpperCase(), protocol, hostname, path, query, headers: { host }, body };
    try {
      const signer = await config.signer(scheme);
      return (await signer.sign(request)).headers;
    } catch (thrown) {
      throw awsFailure(thrown, target);
    }
  };
  return async (url, init = {}) => {
    const { host: _fromTheUrl, ...signature } = await signed(url, init);
    return fetch(url, { ...init, headers: { ...wireOf(init.headers), ...signature } });
  };
}
