/** Who we are to a cloud that gives tokens in place of keys. */
export type Identity =
  | { readonly type: 'google'; readonly credentials?: GoogleCredentials }
  | {
      readonly type: 'entra';
      readonly authority: string;
      readonly tenantId: string;
      readonly clientId: string;
      readonly clientSecret: string;
      readonly scopes: readonly string[];
    }
  | AwsIdentity;

/** Keys of AWS, and a role to take; without keys, who the machine is. */
export interface AwsIdentity {
  readonly type: 'aws';
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
  readonly roleArn?: string;
  readonly externalId?: string;
  readonly sessionName?: string;
}

/** A credentials file of Google Cloud (service account, workload identity, gcloud login); absent = as the machine says. */
export interface GoogleCredentials {
  readonly type?: string;
  readonly project_id?: string;
  readonly token_uri?: string;
}

/** A bearer token that is valid now. Throws GatewayError('authentication'). */
export type Token = () => Promise<string>;
