import { shortHash } from './short-hash.ts';

const MAX_LENGTH = 64;
const VALID_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** Both APIs of OpenAI take `^[a-zA-Z0-9_-]{1,64}$`; other names are cleaned, cut and given a hash. */
export function wireName(name: string): string {
  if (VALID_NAME.test(name)) return name;
  return `${name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, MAX_LENGTH - 9)}_${shortHash(name, 8)}`;
}

/** A tool-call id of at most 64 characters (the API's limit), the same for a call and its result. */
export function wireId(id: string): string {
  if (id !== '' && id.length <= MAX_LENGTH) return id;
  return id === '' ? 'call_0' : `${id.slice(0, MAX_LENGTH - 33)}_${shortHash(id, 32)}`;
}
