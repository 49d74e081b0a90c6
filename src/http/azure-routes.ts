import type { NamedByAzure } from '../codecs/body.ts';

export interface AzurePath {
  /** The same of OpenAI's own API, as this gateway serves it. */
  readonly path: string;
  /** The path without the deployment's name, for counters. */
  readonly label: string;
  readonly azure: NamedByAzure;
}

/**
 * Azure's SDKs put `/openai` behind their endpoint, and the deployment before the operation. Its name may be
 * `provider/model`, encoded or not (Bifrost's integration); given a base URL, the SDKs leave the second `/openai` out.
 */
const DEPLOYMENT_PATH = /^(\/openai(?:\/openai)?)\/deployments\/(.+?)\/((?:chat\/|audio\/|images\/)?[a-z]+)$/;

const UNDEPLOYED_PATH = /^\/openai\/openai(\/.+)$/;

/** What a path of Azure's API asks for; undefined where it is none. */
export function azurePath(given: string): AzurePath | undefined {
  const [whole, base, name = '', operation = ''] = DEPLOYMENT_PATH.exec(given) ?? [];
  if (whole !== undefined) {
    const deployment = decoded(name);
    const label = `${base}/deployments/{deployment}/${operation}`;
    return deployment === undefined ? undefined : { path: `/openai/${operation}`, label, azure: { deployment } };
  }
  const rest = UNDEPLOYED_PATH.exec(given)?.[1];
  return rest === undefined ? undefined : { path: `/openai${rest}`, label: given, azure: {} };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
