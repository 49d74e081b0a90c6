import { shortHash } from './short-hash.ts';

const MAX_LENGTH = 64;
const VALID_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** Both APIs of OpenAI take `^[a-zA-Z0-9_-]{1,64}$`; other names are cleaned, cut and given a hash. */
export function wireName(name: string): string {
  if (VALID_NAME.test(name)) return name;
  return `${name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, MAX_LENGTH - 9)}_${shortHash(name, 8)}`;
}

/** The longest tool-call ids that the APIs take: "string too long. Expected a string with maximum length ...". */
export const LONGEST_ID = { chat: 40, responses: 64 } as const;

/** A tool-call id of at most `longest` characters, the same for a call and its result. */
export function wireId(id: string, longest: number): string {
  if (id !== '' && id.length <= longest) return id;
  return id === '' ? 'call_0' : `${id.slice(0, longest - 33)}_${shortHash(id, 32)}`;
}

/** Whether the bytes of a body hold a longer id under `field`. A search, without a parse. */
export function holdsLongId(bytes: Buffer, field: string, longest: number): boolean {
  const mark = `"${field}":`;
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) {
    const opening = bytes.indexOf('"', at + mark.length);
    if (opening < 0) return false;
    if (bytes.indexOf('"', opening + 1) - opening - 1 > longest) return true;
  }
  return false;
}
