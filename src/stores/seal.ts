import { createCipheriv, createDecipheriv, createHash, randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { GatewayError } from '../model/errors.ts';
import { isObject, type JsonObject } from '../model/json.ts';

/** Keeps text from whoever reads the disk. */
export interface Seal {
  /** False where no encryption key is set: text is kept as it is. */
  readonly encrypts: boolean;
  seal(text: string): string;
  /** Throws GatewayError when the text was sealed with a key that is not here, or was changed since. */
  open(sealed: string): string;
  /** Sealed otherwise than `seal` would do it now: by an older key, or not at all. */
  isOutdated(sealed: string): boolean;
}

/** `v1.<key id>.<nonce>.<tag>.<text>`, base64url: the version and the key say how it is opened, years later too. */
const VERSION = 'v1';
const derive = promisify<string, Buffer, number, object, Buffer>(scrypt);
/** 32 MiB and some 60 ms, once at start (OWASP's password storage recommendation for scrypt with this memory). */
const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };

/** What is sealed, for messages. */
export interface SealedThings {
  readonly what: string;
  /** What to do where the key is lost. */
  readonly otherwise: string;
}

const LOGINS: SealedThings = { what: 'the kept logins of MCP clients', otherwise: 'log in again' };

export const noSeal = (things = LOGINS): Seal => ({
  encrypts: false,
  seal: (text) => text,
  open(text) {
    if (isSealed(text)) throw unreadable('no encryption key is set', things);
    return text;
  },
  isOutdated: () => false,
});

/** Seals with the first key; what the others have sealed is opened still. `salt` belongs to the store, and is no secret. */
export async function openSeal(keys: readonly [string, ...string[]], salt: Buffer, things = LOGINS): Promise<Seal> {
  const derived = await Promise.all(keys.map((key) => derive(key, salt, 32, COST)));
  const byId = new Map(derived.map((key) => [idOf(key), key]));
  const [current = Buffer.alloc(0)] = derived;
  const currentId = idOf(current);
  return {
    encrypts: true,
    seal(text) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', current, nonce);
      cipher.setAAD(Buffer.from(`${VERSION}.${currentId}`));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      const pieces = [nonce, cipher.getAuthTag(), body].map((piece) => piece.toString('base64url'));
      return [VERSION, currentId, ...pieces].join('.');
    },
    open(sealed) {
      if (!isSealed(sealed)) return sealed;
      const [, id = '', ...pieces] = sealed.split('.');
      const key = byId.get(id);
      if (!key) throw unreadable('they were encrypted with another key', things);
      return decrypted(key, id, pieces, things);
    },
    isOutdated: (sealed) => !sealed.startsWith(`${VERSION}.${currentId}.`),
  };
}

export const sealedObject = (seal: Seal, value: JsonObject): string => seal.seal(JSON.stringify(value));

/** What `sealedObject` was given. Throws as `open` does. */
export function openedObject(seal: Seal, sealed: string): JsonObject {
  const value: unknown = JSON.parse(seal.open(sealed));
  return isObject(value) ? value : {};
}

function decrypted(key: Buffer, id: string, pieces: readonly string[], things: SealedThings): string {
  const [nonce, tag, body] = pieces.map((piece) => Buffer.from(piece, 'base64url'));
  if (!nonce || !tag || !body) throw unreadable('the text is incomplete', things);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
    decipher.setAAD(Buffer.from(`${VERSION}.${id}`));
    decipher.setAuthTag(tag);
    return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
  } catch {
    throw unreadable('the text was changed', things);
  }
}

/** Sealed text is told from what was kept without a key: that is JSON, and begins with a brace. */
const isSealed = (text: string): boolean => text.startsWith(`${VERSION}.`);

/** Tells keys apart, and nothing of what they are. */
const idOf = (key: Buffer): string => createHash('sha256').update('key id').update(key).digest('hex').slice(0, 12);

const unreadable = (why: string, { what, otherwise }: SealedThings): GatewayError =>
  new GatewayError(
    'internal',
    `${what} cannot be read: ${why}; set the encryption_key they were written with, or ${otherwise}`,
  );
