import type { BedrockRuntimeClientConfig } from '@aws-sdk/client-bedrock-runtime';
import type { AwsIdentity } from '../identity.ts';

type Credentials = NonNullable<BedrockRuntimeClientConfig['credentials']>;

const SESSION_NAME = 'bifrost-session';

/** Credentials as the key gives them, of the role that it names, or as the machine has them (AWS's default chain). */
export function awsCredentials(identity: AwsIdentity, region: string): Credentials {
  if (identity.roleArn) return roleCredentials(identity, identity.roleArn, region);
  return givenCredentials(identity) ?? machineCredentials();
}

function givenCredentials({ accessKeyId, secretAccessKey, sessionToken }: AwsIdentity) {
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

function machineCredentials(): Credentials {
  let chain: Extract<Credentials, (...given: never[]) => unknown> | undefined;
  return async (...given) => {
    chain ??= (await import('@aws-sdk/credential-providers')).fromNodeProviderChain();
    return chain(...given);
  };
}

function roleCredentials(identity: AwsIdentity, roleArn: string, region: string): Credentials {
  let role: Extract<Credentials, (...given: never[]) => unknown> | undefined;
  return async (...given) => {
    const master = givenCredentials(identity);
    role ??= (await import('@aws-sdk/credential-providers')).fromTemporaryCredentials({
      ...(master && { masterCredentials: master }),
      params: {
        RoleArn: roleArn,
        RoleSessionName: identity.sessionName ?? SESSION_NAME,
        ...(identity.externalId && { ExternalId: identity.externalId }),
      },
      clientConfig: { region },
    });
    return role(...given);
  };
}
