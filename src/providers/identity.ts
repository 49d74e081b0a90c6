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
    };

/** A credentials file of Google Cloud (service account, workload identity, gcloud login); absent = as the machine says. */
export interface GoogleCredentials {
  readonly type?: string;
  readonly project_id?: string;
  readonly token_uri?: string;
}

/** A bearer token that is valid now. Throws GatewayError('authentication'). */
export type Token = () => Promise<string>;
