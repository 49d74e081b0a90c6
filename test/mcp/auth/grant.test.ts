import { InvalidGrantError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { expect, test } from 'vitest';
import { Grant, type GrantOptions } from '../../../src/mcp/auth/grant.ts';
import type { Tokens } from '../../../src/mcp/auth/tokens.ts';
import { CredentialError } from '../../../src/mcp/failures.ts';

const HOUR_MS = 3_600_000;

/** A login whose token ends in an hour, by a clock of its own. */
function grantOf(more: Partial<GrantOptions> = {}) {
  const seen = { nowMs: 0, refreshes: 0, saved: [] as Tokens[], ended: [] as string[] };
  const grant = new Grant({
    name: 'guarded',
    inBackground: false,
    now: () => seen.nowMs,
    log: () => undefined,
    load: async () => ({ accessToken: 'old', refreshToken: 'r', expiresAtMs: HOUR_MS }),
    refresh: async () => {
      seen.refreshes += 1;
      return { accessToken: `new-${seen.refreshes}`, expiresAtMs: seen.nowMs + HOUR_MS };
    },
    save: async (tokens) => void seen.saved.push(tokens),
    ended: async (why) => void seen.ended.push(why),
    ...more,
  });
  return { grant, seen };
}

test('a token is renewed ahead of its end, once for all who ask', async () => {
  const { grant, seen } = grantOf();
  expect(await grant.accessToken()).toBe('old');
  seen.nowMs = HOUR_MS - 59_000;
  expect(await Promise.all([grant.accessToken(), grant.accessToken()])).toEqual(['new-1', 'new-1']);
  expect(seen.saved).toEqual([{ accessToken: 'new-1', refreshToken: 'r', expiresAtMs: seen.nowMs + HOUR_MS }]);
});

test('in the background it is renewed without anybody asking', async () => {
  const renewed = new Promise<string>((resolve) => {
    const { grant } = grantOf({
      inBackground: true,
      now: Date.now,
      load: async () => ({ accessToken: 'old', refreshToken: 'r', expiresAtMs: Date.now() + 60 }),
      refresh: async (refreshToken) => {
        resolve(refreshToken);
        grant.close();
        return { accessToken: 'new' };
      },
    });
    void grant.accessToken();
  });
  expect(await renewed).toBe('r');
});

test('in the background it is renewed although its timer was early', async () => {
  // the clock falls behind once the timer is set, as the system's may by a fraction of a millisecond
  let lagMs = 0;
  const renewed = new Promise<string>((resolve) => {
    const { grant } = grantOf({
      inBackground: true,
      now: () => Date.now() - lagMs,
      load: async () => {
        const expiresAtMs = Date.now() + 60;
        setTimeout(() => {
          lagMs = 30;
        });
        lagMs = 0;
        return { accessToken: 'old', refreshToken: 'r', expiresAtMs };
      },
      refresh: async (refreshToken) => {
        resolve(refreshToken);
        grant.close();
        return { accessToken: 'new' };
      },
    });
    void grant.accessToken();
  });
  expect(await renewed).toBe('r');
});

test('G12 a failed renewal is tried again after a pause, and the token is used for as long as it lives', async () => {
  const { grant, seen } = grantOf({
    refresh: async () => {
      seen.refreshes += 1;
      throw new Error('the network is down');
    },
  });
  await grant.accessToken();
  seen.nowMs = HOUR_MS - 10_000;
  expect(await grant.accessToken()).toBe('old');
  expect(await grant.accessToken()).toBe('old');
  expect(seen.refreshes).toBe(1);
  seen.nowMs = HOUR_MS;
  await expect(grant.accessToken()).rejects.toThrow(/could not be renewed: the network is down/);
  expect(seen).toMatchObject({ refreshes: 2, ended: [] });
});

test('G12 the word of the authorization server ends it', async () => {
  const { grant, seen } = grantOf({ refresh: () => Promise.reject(new InvalidGrantError('gone')) });
  await grant.accessToken();
  seen.nowMs = HOUR_MS;
  await expect(grant.accessToken()).rejects.toBeInstanceOf(CredentialError);
  expect(seen.ended).toEqual(['the authorization server has ended the login']);
});

test('a token without a way to renew it is used to its end', async () => {
  const { grant, seen } = grantOf({ load: async () => ({ accessToken: 'only', expiresAtMs: HOUR_MS }) });
  expect(await grant.accessToken()).toBe('only');
  seen.nowMs = HOUR_MS + 1;
  await expect(grant.accessToken()).rejects.toThrow(/expired/);
});
