import { expect, test } from 'vitest';
import { callerFor, callerOf } from '../../src/http/caller.ts';

test.each([
  ['x-bf-vk as it is', { 'x-bf-vk': 'legacy-key' }, 'legacy-key'],
  ['a bearer token', { authorization: 'Bearer sk-bf-1' }, 'sk-bf-1'],
  ['a bearer token in other case', { authorization: 'bearer SK-BF-1' }, 'SK-BF-1'],
  ['x-api-key', { 'x-api-key': 'sk-bf-2' }, 'sk-bf-2'],
  ['x-goog-api-key', { 'x-goog-api-key': 'sk-bf-3' }, 'sk-bf-3'],
  ['api-key', { 'api-key': 'sk-bf-4' }, 'sk-bf-4'],
  ['the own header before all others', { 'x-bf-vk': 'sk-bf-5', authorization: 'Bearer sk-bf-6' }, 'sk-bf-5'],
  ['a key behind a foreign bearer token', { authorization: 'Bearer other', 'x-api-key': 'sk-bf-7' }, 'sk-bf-7'],
])('a virtual key is read from %s', (_, headers, virtualKey) => {
  expect(callerOf(headers).virtualKey).toBe(virtualKey);
});

test.each([
  [{ authorization: 'Bearer sk-ant-1' }],
  [{ 'x-api-key': 'sk-1' }],
  [{ authorization: 'Basic sk-bf-1' }],
  [{ 'x-bf-vk': '' }],
  [{}],
])('%o holds no virtual key', (headers) => {
  expect(callerOf(headers)).not.toHaveProperty('virtualKey');
});

test.each([
  [undefined, undefined],
  ['', []],
  ['a, b ,c', ['a', 'b', 'c']],
  ['a,,b', ['a', 'b']],
  [',,', undefined],
  ['*', undefined],
])('x-bf-mcp-include-clients "%s" names %o', (header, clients) => {
  const headers = header === undefined ? {} : { 'x-bf-mcp-include-clients': header };
  expect(callerOf(headers).includeClients).toEqual(clients);
});

test.each([
  [undefined, undefined],
  ['', []],
  [',,', []],
  ['a-*, b-tool', ['a-*', 'b-tool']],
  ['*', ['*']],
])('x-bf-mcp-include-tools "%s" names %o', (header, tools) => {
  const headers = header === undefined ? {} : { 'x-bf-mcp-include-tools': header };
  expect(callerOf(headers).includeTools).toEqual(tools);
});

test.each([
  [{ 'x-bf-api-key': 'team' }, { by: 'name', value: 'team' }],
  [
    { 'x-bf-api-key': 'team', 'x-bf-api-key-id': 'id-1' },
    { by: 'id', value: 'id-1' },
  ],
  [{}, undefined],
])('%o pins the key %o', (headers, pin) => {
  expect(callerOf(headers).keyPin).toEqual(pin);
});

test('the headers that may travel on are the Anthropic ones and those marked for it', () => {
  const { forwardHeaders, userAgent } = callerOf({
    'user-agent': 'claude-code/2.1.330',
    'anthropic-beta': 'a,b',
    'anthropic-version': '2023-06-01',
    'x-bf-eh-x-team': 'blue',
    'x-bf-dim-team': 'red',
    'accept-language': 'en',
  });
  expect(forwardHeaders).toEqual({ 'anthropic-beta': 'a,b', 'anthropic-version': '2023-06-01', 'x-team': 'blue' });
  expect(userAgent).toBe('claude-code/2.1.330');
});

test.each(['cookie', 'host', 'x-api-key', 'x-bf-vk', 'proxy-authorization', 'transfer-encoding'])(
  'x-bf-eh-%s never travels on',
  (name) => {
    expect(callerOf({ [`x-bf-eh-${name}`]: 'value' }).forwardHeaders).toEqual({});
  },
);

test.each([
  ['native', 'native'],
  ['hidden', 'hidden'],
  ['loud', undefined],
  [undefined, undefined],
])('x-bf-mcp-tool-visibility %s asks for %s', (header, expected) => {
  expect(callerOf({ 'x-bf-mcp-tool-visibility': header }).toolVisibility).toBe(expected);
});

test.each([
  [[], undefined],
  [['x-tenant'], { 'x-tenant': 'a' }],
  [['x-tenant', 'x-absent'], { 'x-tenant': 'a' }],
  [['*'], { 'x-tenant': 'a', 'x-other': 'b, c' }],
])('of the headers that MCP clients want (%j) the caller has %j', (wanted, expected) => {
  const headers = { 'x-tenant': 'a', 'x-other': ['b', 'c'] };
  expect(callerFor(headers, new Set(wanted)).mcpHeaders).toEqual(expected);
});
