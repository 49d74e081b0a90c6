import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { JsonObject } from '../../model/json.ts';
import type { GrantStore } from '../../model/oauth-grants.ts';

/** What tokens are signed with. It outlives restarts, so that tokens do. */
export interface SigningKey {
  readonly id: string;
  readonly private: KeyObject;
  readonly public: KeyObject;
  /** As others may know it (RFC 7517). */
  readonly jwk: JsonObject;
}

const NAME = 'signing_key';

/** The kept key, or a new one that is kept from now on. */
export async function openSigningKey(store: Pick<GrantStore, 'secret' | 'keepSecret'>): Promise<SigningKey> {
  const kept = (await store.secret(NAME)) ?? (await store.keepSecret(NAME, await newKey()));
  const privateKey = createPrivateKey(String(kept.private_key));
  const publicKey = createPublicKey(privateKey);
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const id = thumbprint(n, e);
  return { id, private: privateKey, public: publicKey, jwk: { kty: 'RSA', n, e, kid: id, use: 'sig', alg: 'RS256' } };
}

async function newKey(): Promise<JsonObject> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  return { private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

/** RFC 7638: the members in this order, without spaces. */
const thumbprint = (n: string, e: string): string =>
  createHash('sha256')
    .update(JSON.stringify({ e, kty: 'RSA', n }))
    .digest('base64url');
