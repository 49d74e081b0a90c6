import { generateKeyPairSync } from 'node:crypto';

/** A credentials file as Google's console gives it, but for where tokens are. */
export function serviceAccount(tokenUri: string): string {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return JSON.stringify({
    type: 'service_account',
    project_id: 'proj-1',
    private_key_id: 'k1',
    private_key: privateKey,
    client_email: 'gateway@proj.iam.gserviceaccount.com',
    client_id: '1',
    token_uri: tokenUri,
  });
}
