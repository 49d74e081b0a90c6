import { shortHash } from '../short-hash.ts';

const MAX_LENGTH = 64;
/** Starts with a letter or an underscore, then letters, digits, underscores, dots and dashes (FunctionDeclaration.name). */
const VALID_NAME = /^[a-zA-Z_][a-zA-Z0-9_.-]{0,63}$/;

/** Names that the API refuses are cleaned, cut and given a hash. */
export function wireName(name: string): string {
  if (VALID_NAME.test(name)) return name;
  const clean = name.replace(/[^a-zA-Z0-9_.-]/g, '_').slice(0, MAX_LENGTH - 10);
  return `${/^[a-zA-Z_]/.test(clean) ? '' : '_'}${clean}_${shortHash(name, 8)}`;
}
