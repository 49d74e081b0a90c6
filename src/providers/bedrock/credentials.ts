import type { BedrockRuntimeClientConfig } from '@aws-sdk/client-bedrock-runtime';
import type { AwsIdentity } from '../identity.ts';

type Credentials = NonNullable<BedrockRuntimeClientConfig['credentials']>;
type Provider = Extract<Credentials, (...given: never[]) => unknown>;

const SESSION_NAME = 'bifrost-session';

/** Credentials as the key gives them, of the role that it names, or as the machine has them (AWS's default chain). */
export function awsCredentials(identity: AwsIdentity, region: string): Credentials {
  if (identity.roleArn) return roleCredentials(identity, identity.roleArn, region);
  return givenCredentials(identity) ?? machineCredentials(region);
}

function givenCredentials({ accessKeyId, secretAccessKey, sessionToken }: AwsIdentity) {
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

/**
 * Whoever asks for credentials gives its own client's configuration along, whose way out is not made for others: STS is
 * asked over AWS's own.
 */
const clientConfigFor = (region: string) => ({ region, requestHandler: {} });

function machineCredentials(region: string): Credentials {
  let chain: Provider | undefined;
  return async () => {
    chain ??= (await import('@aws-sdk/credential-providers')).fromNodeProviderChain({
      clientConfig: clientConfigFor(region),
    });
    return chain();
  };
}

function roleCredentials(identity: AwsIdentity, roleArn: string, region: string): Credentials {
  let role: Provider | undefined;
  return async () => {
    const master = givenCredentials(identity) ?? machineCredentials(region);
    role ??= (await import('@aws-sdk/credential-providers')).fromTemporaryCredentials({
      masterCredentials: master,
      params: {
        RoleArn: roleArn,
        RoleSessionName: identity.sessionName ?? SESSION_NAME,
        ...(identity.externalId && { ExternalId: identity.externalId }),
      },
      clientConfig: clientConfigFor(region),
    });
    return role();
  };
}
