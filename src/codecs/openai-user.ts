import type { Settings } from '../model/request.ts';
import type { Ledger } from './ledger.ts';

/** OpenAI refuses a longer `user`; Claude Code's metadata is a JSON text of some 190 characters. */
const MAX_USER_LENGTH = 64;

export function fittingUser({ user }: Settings, ledger: Ledger): string | undefined {
  if (user === undefined || user.length <= MAX_USER_LENGTH) return user;
  ledger.dropped('user', `the API takes at most ${MAX_USER_LENGTH} characters`);
  return undefined;
}
