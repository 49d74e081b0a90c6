import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Unguessable, and fit for an address. */
export const newSecret = (): string => randomBytes(32).toString('base64url');

export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

/** Whether this is the secret of that hash, in a time that says nothing of either. */
export function isSecretOf(hash: string, secret: string): boolean {
  const [known, given] = [Buffer.from(hash), Buffer.from(hashOf(secret))];
  return known.length === given.length && timingSafeEqual(known, given);
}
