import { beforeAll, expect, test } from 'vitest';
import { AccessTokens, looksLikeToken } from '../../../src/http/oauth/access-tokens.ts';
import { covers, namedResource } from '../../../src/http/oauth/addresses.ts';
import { Expiring } from '../../../src/http/oauth/expiring.ts';
import { openSigningKey, type SigningKey } from '../../../src/http/oauth/signing-key.ts';
import type { JsonObject } from '../../../src/model/json.ts';

let key: SigningKey;
beforeAll(async () => {
  key = await newKey();
});

const newKey = () =>
  openSigningKey({ secret: async () => undefined, keepSecret: async (_: string, value: JsonObject) => value });

const GRANT = {
  id: 'grant-1',
  clientId: 'client-1',
  clientName: 'Client',
  mode: 'session' as const,
  subject: 'somebody',
  scope: 'mcp',
  resource: 'https://gateway/mcp',
  createdAtMs: 0,
  lastUsedAtMs: null,
};

test('a token is good until it expires, also one that was seen before', () => {
  let now = 1_000_000_000_000;
  const tokens = new AccessTokens(key, () => now);
  const token = tokens.issue(GRANT, 'https://gateway', 60_000);
  expect(looksLikeToken(token)).toBe(true);
  const expected = { issuer: 'https://gateway', audience: GRANT.resource, grantId: 'grant-1', subject: 'somebody' };
  for (const at of [0, 59_999]) {
    now = 1_000_000_000_000 + at;
    expect(tokens.checked(token)).toMatchObject(expected);
  }
  now += 1;
  for (const asked of [tokens, new AccessTokens(key, () => now)]) {
    expect(() => asked.checked(token)).toThrow(expect.objectContaining({ code: 'invalid_token', status: 401 }));
  }
});

test('a token of another gateway is none of ours', async () => {
  const token = new AccessTokens(await newKey(), Date.now).issue(GRANT, 'https://gateway', 60_000);
  expect(() => new AccessTokens(key, Date.now).checked(token)).toThrow('none that was issued here');
});

test('a token of a later time, or without the scope, is refused', () => {
  const later = new AccessTokens(key, () => Date.now() + 3_600_000).issue(GRANT, 'https://gateway', 60_000);
  expect(() => new AccessTokens(key, Date.now).checked(later)).toThrow('not valid yet');
  const tokens = new AccessTokens(key, Date.now);
  const other = tokens.issue({ ...GRANT, scope: 'other' }, 'https://gateway', 60_000);
  expect(() => tokens.checked(other)).toThrow(expect.objectContaining({ code: 'insufficient_scope', status: 403 }));
});

test.each(['sk-bf-key', 'sk-proj-abc', '', 'a.b.c', 'eyJh.b'])('%j is no token by its looks', (bearer) => {
  expect(looksLikeToken(bearer)).toBe(false);
});

test.each([
  ['https://g/mcp', 'https://g/mcp'],
  ['https://g/mcp/', 'https://g/mcp'],
  ['https://G/mcp/one', 'https://g/mcp/one'],
  ['https://g/mcp/one/two', undefined],
  ['https://g/mcp?x=1', undefined],
  ['https://g/mcp#x', undefined],
  ['https://g/', undefined],
  ['https://g/mcps', undefined],
  ['http://g/mcp', undefined],
  ['https://g.evil/mcp', undefined],
  ['nonsense', undefined],
])('the resource %s is %s', (asked, resource) => {
  expect(namedResource(asked, 'https://g')).toBe(resource);
});

test('behind a path of a proxy resources have that path', () => {
  expect(namedResource('https://g/bifrost/mcp', 'https://g/bifrost')).toBe('https://g/bifrost/mcp');
  expect(namedResource('https://g/mcp', 'https://g/bifrost')).toBeUndefined();
});

test.each([
  ['/mcp', '/mcp', true],
  ['/mcp', '/mcp/one', true],
  ['/mcp/one', '/mcp/one', true],
  ['/mcp/one', '/mcp', false],
  ['/mcp/one', '/mcp/one-more', false],
])('a token for %s at %s: %s', (audience, resource, isGood) => {
  expect(covers(audience, resource)).toBe(isGood);
});

test('what expires is given up, the oldest first where there is no room', () => {
  let now = 0;
  const held = new Expiring<string>(2, () => now);
  held.put('a', 'A', 10);
  held.put('b', 'B', 20);
  held.put('c', 'C', 20);
  expect([held.get('a'), held.get('b'), held.get('c')]).toEqual([undefined, 'B', 'C']);
  expect([held.take('b'), held.take('b')]).toEqual(['B', undefined]);
  now = 20;
  expect(held.get('c')).toBeUndefined();
});
